"""A mapping over encoded values: each is decoded when it is asked for, and watched from then on."""

import threading
from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any, Self

from sessions import codec
from sessions.errors import UnencodableValue, UnreadableValue

# Stands for a stored value that nobody has asked for yet.
_ENCODED = object()
_MISSING = object()
_NOTHING: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Unsaved:
    """Hold the changes of a mapping, and the stored values that it had then."""

    changed: Mapping[str, bytes]
    removed: frozenset[str]
    stored: Mapping[str, bytes]


class WatchedMapping(MutableMapping[str, Any]):
    """Know which values differ from the stored ones, nested changes included."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._stored: Mapping[str, bytes] = {}
        self._values: dict[str, Any] | None = None

    def __getitem__(self, key: str) -> Any:
        value = self._loaded()[key]
        return self._decoded(key) if value is _ENCODED else value

    def __setitem__(self, key: str, value: object) -> None:
        if type(key) is not str:
            key = _plain_key(key)
        with self._lock:
            self._writable()[key] = value

    def __delitem__(self, key: str) -> None:
        with self._lock:
            del self._writable()[key]

    def __contains__(self, key: object) -> bool:
        # A value that is said to be there can be read.
        self._read(key)
        return key in self._loaded()

    def __iter__(self) -> Iterator[str]:
        # Nor does the session begin afresh between two of its keys.
        for key in [*self._loaded()]:
            self._read(key)
        return iter(self._loaded())

    def __len__(self) -> int:
        return len(self._loaded())

    def __ior__(self, other: Mapping[str, Any] | Iterable[tuple[str, Any]]) -> Self:
        self.update(other)
        return self

    def get(self, key: str, default: Any = None) -> Any:
        """Return the value of the key, or the default."""
        value = self._loaded().get(key, default)
        return self._decoded(key, default) if value is _ENCODED else value

    def clear(self) -> None:
        """Remove all data; the session itself goes on."""
        with self._lock:
            self._writable().clear()

    def _changed_values(self) -> tuple[dict[str, bytes], frozenset[str]]:
        """Return the values whose encodings differ from the stored ones, and the removed keys.

        Raises UnencodableValue with the key's name.
        """
        values = {} if self._values is None else self._values
        changed = {}
        for key, value in values.items():
            if value is not _ENCODED:
                encoded = _encode(key, value)
                if encoded != self._stored.get(key):
                    changed[key] = encoded
        if self._stored.keys() <= values.keys():
            return changed, _NOTHING
        return changed, frozenset(self._stored.keys() - values.keys())

    def _unsaved(self) -> Unsaved:
        """Return what differs from the stored values."""
        return Unsaved(*self._changed_values(), stored=dict(self._stored))

    def _change_again(self, unsaved: Unsaved) -> None:
        """Take changes that were dropped, but for values that have been stored since."""
        values = self._loaded()
        for key in (*unsaved.changed, *unsaved.removed):
            if self._stored.get(key) == unsaved.stored.get(key):
                values.pop(key, None)
                if key in unsaved.changed:
                    values[key] = codec.decode(unsaved.changed[key])

    def _watch(self, stored: Mapping[str, bytes]) -> None:
        """Begin with the stored values."""
        self._stored = stored
        self._values = dict.fromkeys(stored, _ENCODED)

    @abstractmethod
    def _loaded(self) -> dict[str, Any]:
        """Return the values for reading."""

    @abstractmethod
    def _writable(self) -> dict[str, Any]:
        """Return the values for writing."""

    @abstractmethod
    def _unreadable(self, error: UnreadableValue) -> None:
        """Begin afresh, for a stored value cannot be read."""

    def _read(self, key: Any) -> None:
        """Decode the value of the key, if there is one."""
        if self._loaded().get(key) is _ENCODED:
            self._decoded(key, None)

    def _decoded(self, key: str, default: object = _MISSING) -> Any:
        """Decode the stored value once, or begin afresh if it cannot be read."""
        with self._lock:
            values = self._loaded()
            value = values.get(key, default)
            if value is _ENCODED:
                try:
                    value = values[key] = codec.decode(self._stored[key])
                except UnreadableValue as error:
                    self._unreadable(error)
                    value = default
        if value is _MISSING:
            raise KeyError(key)
        return value


def _plain_key(key: object) -> str:
    if not isinstance(key, str):
        raise UnencodableValue(
            f"the key of session[{key!r}] is of type {type(key).__name__}; use a str"
        )
    return str.__str__(key)


def _encode(key: str, value: object) -> bytes:
    try:
        if not key.isascii():
            codec.encode(key)
        return codec.encode(value)
    except UnencodableValue as error:
        raise UnencodableValue(f"session[{key!r}] cannot be saved: {error}") from error
