"""Locks of the whole process, which are free in a child of a fork."""

import os
import threading


def lock_across_forks() -> threading.RLock:
    """Return a lock that a fork waits for, because the child lacks the thread that holds it."""
    lock = threading.RLock()
    # Windows has no forks.
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(
            before=lock.acquire, after_in_parent=lock.release, after_in_child=lock.release
        )
    return lock
