"""The index of users of the memory store; the store holds its lock during each call."""

from collections.abc import Container, Mapping
from itertools import islice

from sessions.stores.base import REMEMBERED_FOR

_LOOKED_AT = 4
"""An addition looks at this number of old entries, but adds only one, so few old ones stay."""


class UserEntries:
    """The keys of each user.

    An entry is removed with its record. An entry without a record is removed after
    2 * REMEMBERED_FOR seconds.
    """

    def __init__(self, records: Container[str]) -> None:
        self._records = records
        self._of_user: dict[str, dict[str, float]] = {}
        self._of_key: dict[str, dict[str, float]] = {}
        self._waiting: dict[str, float] = {}

    def __len__(self) -> int:
        return sum(map(len, self._of_user.values()))

    def add(self, user_id: str, key: str, until: float, now: float) -> None:
        """Add the key to the keys of the user."""
        keys = self._of_user.setdefault(user_id, {})
        keys[key] = max(until, keys.get(key, until))
        self._of_key.setdefault(key, {})[user_id] = until
        # Put the entry last, because the oldest entries must come first.
        self._waiting.pop(key, None)
        self._waiting[key] = now
        self.sweep(now, _LOOKED_AT)

    def keys(self, user_id: str) -> dict[str, float]:
        """Return a copy of the entries of a user."""
        return dict(self._of_user.get(user_id, {}))

    def remove(self, user_id: str, entries: Mapping[str, float]) -> None:
        """Remove these entries of a user, except those that have a later time than in `entries`."""
        mine = self._of_user.get(user_id, {})
        for key, until in entries.items():
            if mine.get(key, until) <= until:
                self._remove(user_id, key)

    def forget(self, key: str) -> None:
        """Remove the entries of a removed record, unless the key was added a short time ago.

        In that case, a sign-in has possibly added the key, and will create a new record next.
        """
        if key not in self._waiting:
            self._forget(key)

    def sweep(self, now: float, count: int) -> None:
        """Look at the oldest entries, and remove those that still have no record."""
        for key in [*islice(self._waiting, count)]:
            if self._waiting[key] > now - 2 * REMEMBERED_FOR:
                return
            del self._waiting[key]
            if key not in self._records:
                self._forget(key)

    def _forget(self, key: str) -> None:
        for user_id in [*self._of_key.get(key, ())]:
            self._remove(user_id, key)

    def _remove(self, user_id: str, key: str) -> None:
        for of, name, other in ((self._of_key, key, user_id), (self._of_user, user_id, key)):
            others = of.get(name, {})
            others.pop(other, None)
            if not others:
                of.pop(name, None)
