"""Locks that are never left locked in the child process of a fork."""

import os
import threading


def lock_across_forks() -> threading.RLock:
    """Return a lock for which a fork waits, so that the lock is free in the child process."""
    lock = threading.RLock()
    # Windows has no forks.
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(
            before=lock.acquire, after_in_parent=lock.release, after_in_child=lock.release
        )
    return lock
