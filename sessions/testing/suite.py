"""The base of the suites for blocking and for asynchronous stores.

Each test is written once, as a coroutine.
"""

from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, TypeVar
from unittest import SkipTest

from sessions.stores.base import wall_clock
from sessions.testing.clock import START, ManualClock
from sessions.testing.under_test import StoreUnderTest

SuiteT = TypeVar("SuiteT", bound="Suite")
ContractTest = Callable[[SuiteT, StoreUnderTest, ManualClock], Coroutine[Any, Any, None]]
OneTest = Callable[[StoreUnderTest, ManualClock], Coroutine[Any, Any, None]]


class Suite:
    """Test the rules of the contract, each with a new store.

    `server_expires` is True if the server of the store removes expired records by its own clock.
    The tests that change the clock are then skipped. A point is a place in a call where a test
    pauses the call, and makes another call. A test tries at most `points_at_most` points of a call:
    with fewer points, the tests of a slow server end sooner.
    """

    server_expires = False
    points_at_most = 8

    def run_test(self, test: OneTest) -> None:
        """Run one test with a new store."""
        raise NotImplementedError

    async def break_under_test(self, store: StoreUnderTest) -> None:
        """Call the `break_store` of the subclass."""
        raise NotImplementedError

    async def damage_under_test(self, store: StoreUnderTest, key: str) -> None:
        """Call the `damage_record` of the subclass."""
        raise NotImplementedError

    def a_clock(self) -> ManualClock:
        """Return a clock for a test, set to the present time if the server uses its own clock."""
        return ManualClock(wall_clock() if self.server_expires else START)


def contract_test(test: ContractTest[SuiteT]) -> Callable[[SuiteT], None]:
    """Return a test method that runs the coroutine with a new store and its clock."""

    def run(self: SuiteT) -> None:
        self.run_test(partial(test, self))

    return _named_like(test, run)


def clock_test(test: ContractTest[SuiteT]) -> Callable[[SuiteT], None]:
    """Return a test method that is skipped if the store ignores the clock of the test."""

    def run(self: SuiteT) -> None:
        if self.server_expires:
            raise SkipTest("the server uses its own clock (server_expires = True)")
        self.run_test(partial(test, self))

    return _named_like(test, run)


def _named_like(
    test: ContractTest[SuiteT], run: Callable[[SuiteT], None]
) -> Callable[[SuiteT], None]:
    # functools.wraps would not work: pytest would read the parameters of `test` as fixtures.
    run.__name__ = test.__name__
    run.__qualname__ = test.__qualname__
    run.__module__ = test.__module__
    run.__doc__ = test.__doc__
    return run
