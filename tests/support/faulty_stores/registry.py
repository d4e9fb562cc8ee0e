"""Every faulty store, with a law that finds its fault."""

from collections.abc import Callable
from typing import TypeVar

from tests.support.dictionary_store import DictionaryStore

FAULTS: list[tuple[type[DictionaryStore], str]] = []

StoreT = TypeVar("StoreT", bound=type[DictionaryStore])


def found_by(*laws: str) -> Callable[[StoreT], StoreT]:
    """Note the store as one whose fault each of these laws of the suite finds."""

    def note(store: StoreT) -> StoreT:
        FAULTS.extend((store, law) for law in laws)
        return store

    return note
