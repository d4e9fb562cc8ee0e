"""The calls that one session makes to its store, and how long they may take."""

from collections.abc import Callable
from functools import lru_cache
from time import monotonic
from typing import TypeVar, TypeVarTuple

from sessions.errors import StoreUnavailable
from sessions.record import storage_key
from sessions.rules import Rules
from sessions.stores.base import CALL_DEADLINE

DEADLINE = 1.0
REMEMBERED_KEYS = 4096

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


class StoreCalls:
    """Ask the store, in a request for DEADLINE seconds in all and not again once it failed.

    A job keeps its session for as long as it likes, and may ask again.
    """

    # A browser comes again and again: the last keys need not be hashed anew.
    _key = staticmethod(lru_cache(REMEMBERED_KEYS)(storage_key))

    __slots__ = ("_failure", "_in_request", "_rules", "_spent", "_unfinished")

    def __init__(self, rules: Rules, *, in_request: bool) -> None:
        self._rules = rules
        self._in_request = in_request
        self._spent = 0.0
        self._failure: StoreUnavailable | None = None
        self._unfinished = False

    def _do(self, method: Callable[[*Ts], T], *args: *Ts) -> T:
        """Ask the store for something that must not silently be left undone."""
        try:
            return self._ask(method, *args)
        except StoreUnavailable:
            self._unfinished = True
            raise

    def _ask(self, method: Callable[[*Ts], T], *args: *Ts) -> T:
        if not self._in_request:
            return method(*args)
        if self._failure is not None:
            raise self._failure
        began = monotonic()
        try:
            if self._spent > DEADLINE - CALL_DEADLINE:
                raise StoreUnavailable(
                    f"the session's store took {self._spent:.1f} s of this request's {DEADLINE} s"
                )
            return method(*args)
        except StoreUnavailable as error:
            self._failure = error
            raise
        finally:
            self._spent += monotonic() - began
