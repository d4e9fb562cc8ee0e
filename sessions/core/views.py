"""The items and values of a session; a loop over them goes on if another thread removes a key."""

from collections.abc import ItemsView, Iterator, Mapping, MutableMapping, ValuesView
from typing import Any, Final

_MISSING: Final = object()


class Items(ItemsView[str, Any]):
    """The view that a session returns; a loop skips keys that another thread removes."""

    __slots__ = ("_session",)

    def __init__(self, session: Mapping[str, Any]) -> None:
        super().__init__(session)
        self._session = session

    def __iter__(self) -> Iterator[tuple[str, Any]]:
        for key in self._session:
            value = self._session.get(key, _MISSING)
            if value is not _MISSING:
                yield key, value


class Values(ValuesView[Any]):
    """The view that a session returns; a loop skips keys that another thread removes."""

    __slots__ = ("_items",)

    def __init__(self, session: Mapping[str, Any]) -> None:
        super().__init__(session)
        self._items = session.items()

    def __iter__(self) -> Iterator[Any]:
        for _, value in self._items:
            yield value


class Viewed(MutableMapping[str, Any]):
    """A mapping that a thread can loop over while another thread changes it."""

    __slots__ = ()

    def items(self) -> Items:
        """Return a view of the keys with their values."""
        return Items(self)

    def values(self) -> Values:
        """Return a view of the values."""
        return Values(self)
