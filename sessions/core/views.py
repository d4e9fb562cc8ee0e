"""Items and values of a session, also while another thread of its request removes a key."""

from collections.abc import ItemsView, Iterator, Mapping, MutableMapping, ValuesView
from typing import Any, Final

_MISSING: Final = object()


class Items(ItemsView[str, Any]):
    """Skip keys that another thread removes during the loop."""

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
    """Skip keys that another thread removes during the loop."""

    __slots__ = ("_items",)

    def __init__(self, session: Mapping[str, Any]) -> None:
        super().__init__(session)
        self._items = session.items()

    def __iter__(self) -> Iterator[Any]:
        for _, value in self._items:
            yield value


class Viewed(MutableMapping[str, Any]):
    """Be a mapping that threads may look through while others change it."""

    __slots__ = ()

    def items(self) -> Items:
        """Return the keys with their values."""
        return Items(self)

    def values(self) -> Values:
        """Return the values."""
        return Values(self)
