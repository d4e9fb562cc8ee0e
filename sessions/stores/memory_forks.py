"""What happens to the stores of a process at a fork: no lock stays locked in the child process."""

import os
import threading
import weakref
from typing import Protocol


class Forked(Protocol):
    """A store whose lock must not stay locked in the child process of a fork."""

    def wait_for_calls(self) -> bool: ...
    def go_on(self) -> None: ...
    def begin_in_child(self) -> None: ...


_all: "weakref.WeakSet[Forked]" = weakref.WeakSet()
_forking = threading.local()


def watch_forks(store: Forked) -> None:
    """Let each fork wait until no call holds the lock of the store."""
    _all.add(store)


# All locks are taken in one order, because two threads may fork at the same time.
def _before_fork() -> None:
    _forking.waited = [store for store in sorted(_all, key=id) if store.wait_for_calls()]


def _after_fork_in_parent() -> None:
    for store in _forking.waited:
        store.go_on()


def _after_fork_in_child() -> None:
    for store in [*_all]:
        store.begin_in_child()


# Windows has no forks.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_before_fork,
        after_in_parent=_after_fork_in_parent,
        after_in_child=_after_fork_in_child,
    )
