"""The suite of the store contract says what a new store is lacking."""

from collections.abc import Callable

import pytest

from sessions import MemoryStore, Store
from sessions.testing import StoreContract


class Forgetful(StoreContract):
    """Say nothing of the store."""


class Stubborn(StoreContract):
    """Make a store with a clock of its own."""

    def make_store(self, clock: Callable[[], float]) -> Store:
        """Return a store that does not see the test's time pass."""
        return MemoryStore(clock=lambda: 0.0)


def test_a_suite_without_make_store_says_what_to_write() -> None:
    """It would fail anyway; this way its author knows why."""
    with pytest.raises(NotImplementedError) as caught:
        Forgetful().test_s88_load_of_a_missing_key_is_none()

    assert str(caught.value) == (
        "Forgetful does not say which store it is about: give it def make_store(self, clock),"
        " which returns a fresh, empty store that reads the clock"
    )


def test_a_store_that_never_expires_is_asked_for_its_clock() -> None:
    """Most stores that fail there read another clock."""
    with pytest.raises(AssertionError) as caught:
        Stubborn().test_s57_a_record_is_absent_exactly_at_its_expiry()

    assert str(caught.value).startswith(
        "load at the expiry; does the store take the present from self.clock()?: expected None"
    )
