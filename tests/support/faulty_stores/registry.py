"""Every faulty store, with a test that finds its fault."""

from collections.abc import Callable
from typing import TypeVar

from tests.support.dictionary_store import DictionaryStore

FAULTS: list[tuple[type[DictionaryStore], str]] = []

StoreT = TypeVar("StoreT", bound=type[DictionaryStore])


def found_by(*tests: str) -> Callable[[StoreT], StoreT]:
    """Note the store as one whose fault each of these tests of the suite finds."""

    def note(store: StoreT) -> StoreT:
        FAULTS.extend((store, test) for test in tests)
        return store

    return note
