"""A store as a value: what it holds does not change, and a call returns what it would hold next."""

from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import fields
from typing import Any

from sessions.core.state import Ask
from sessions.record import Changes, Ended, Outcome, Record
from sessions.stores.base import PURGE_DELAY, REMEMBERED_FOR


class Entered(Mapping[str, float]):
    """Hold the entries of one user in the index: how long each stays, and since when it exists."""

    def __init__(self, keys: Mapping[str, tuple[float, float]]) -> None:
        self.entries = keys

    def __getitem__(self, key: str) -> float:
        return self.entries[key][0]

    def __iter__(self) -> Iterator[str]:
        return iter(self.entries)

    def __len__(self) -> int:
        return len(self.entries)

    # Equal ones of one exploration are one object.
    def __eq__(self, other: object) -> bool:
        return self is other

    def __hash__(self) -> int:
        return id(self)


Entry = Record | Ended | Entered
Open = Callable[[Record | Ended], Record | Ended]
NOBODY = Entered({})


_FIELDS = tuple(field.name for field in fields(Record))


class Contents:
    """Hold what a store holds at one moment; equal contents of one memory are one object.

    `entries` are those that the store holds, with their values open.
    """

    def __init__(self, stored: Mapping[str, Entry], known: "_Known") -> None:
        self._stored = stored
        self._known = known
        self.entries = {key: known.opened(entry) for key, entry in stored.items()}
        self._asked: dict[tuple[int, float], tuple[Ask, Any, Contents]] = {}

    @classmethod
    def of(cls, stored: Mapping[str, Entry], opened: Open) -> "Contents":
        """Return the first contents of an exploration; `opened` opens what the store holds."""
        return _Known(opened).contents(stored)

    def live(self, key: str, now: float) -> Record | None:
        """Return the live record, or None."""
        return _live(self.entries.get(key), now)

    def ask(self, ask: Ask, now: float) -> "tuple[Any, Contents]":
        """Return the reply of a store that keeps the contract, and its contents afterwards."""
        name = (id(ask), now)
        if name not in self._asked:
            # The ask is kept with the answer, so that no other one gets its name.
            self._asked[name] = (ask, *self._answer(ask, now))
        return self._asked[name][1:]

    def _answer(self, ask: Ask, now: float) -> "tuple[Any, Contents]":
        verb, key, *arguments = ask
        if verb.endswith("_user") and verb != "delete_of_user":
            return self._indexed(verb, key, arguments, now)
        record = _live(self._stored.get(key), now)
        if verb == "load":
            return self._loaded(key, record, now), self
        if verb == "create":
            return self._created(key, record, arguments[0])
        if record is None:
            return (Outcome.GONE if verb == "commit" else False), self
        if verb == "commit":
            return self._committed(key, record, arguments[0], now)
        if verb == "delete_of_user" and record.user_id != arguments[0]:
            return False, self
        if verb in ("delete", "delete_of_user"):
            return True, self._with(key, Ended(now))
        secret, expires_at, accessed_at = arguments
        if record.secret != secret:
            return False, self
        return True, self._with(key, record.touched(expires_at, accessed_at, now))

    def entered(self, user_id: str) -> Entered:
        """Return the keys of a user in the index."""
        entry = self.entries.get(index_of(user_id))
        return entry if isinstance(entry, Entered) else NOBODY

    def and_also(self, stored: Mapping[str, Entry]) -> "Contents":
        """Return the contents with these additional entries."""
        return self._known.contents({**self._stored, **stored})

    def purged(self, now: float) -> "Contents":
        """Return what is left after a purge."""
        kept = {key: entry for key, entry in self._stored.items() if not _is_over(entry, now)}
        for name, entry in kept.items():
            if isinstance(entry, Entered):
                kept[name] = Entered(
                    {
                        key: (until, since)
                        for key, (until, since) in entry.entries.items()
                        if until >= now and (key in kept or since > now - 2 * REMEMBERED_FOR)
                    }
                )
        return self._known.contents(kept)

    def _indexed(
        self, verb: str, user_id: str, arguments: list[Any], now: float
    ) -> "tuple[Any, Contents]":
        entered = self.entered(user_id)
        if verb == "keys_of_user":
            return entered, self
        keys = {**entered.entries}
        if verb == "add_to_user":
            key, until = arguments
            keys[key] = (max(until, *keys.get(key, (until,))[:1]), now)
        else:
            for key, until in arguments[0].items():
                if key in keys and keys[key][0] <= until:
                    del keys[key]
        return None, self._with(index_of(user_id), Entered(keys))

    def _loaded(self, key: str, record: Record | None, now: float) -> Entry | None:
        entry = self._stored.get(key)
        if isinstance(entry, Ended) and entry.at > now - REMEMBERED_FOR:
            return entry
        return record

    def _created(self, key: str, live: Record | None, record: Record) -> "tuple[bool, Contents]":
        if live is not None:
            return live.secret == record.secret, self
        return True, self._with(key, record)

    def _committed(
        self, key: str, record: Record, changes: Changes, now: float
    ) -> "tuple[Outcome, Contents]":
        outcome = record.outcome_of(changes, now)
        if outcome is not Outcome.APPLIED:
            return outcome, self
        return outcome, self._with(key, record.changed_by(changes, now))

    def _with(self, key: str, entry: Entry) -> "Contents":
        return self._known.contents({**self._stored, key: entry})


class _Known:
    """Hold the entries and the contents that there were, so that equal ones are one object."""

    def __init__(self, opened: Open) -> None:
        self._open = opened
        self._opened: dict[int, Entry] = {}
        self._entries: dict[Hashable, Entry] = {}
        self._contents: dict[Hashable, Contents] = {}

    def contents(self, entries: Mapping[str, Entry]) -> Contents:
        """Return the contents with these entries alone."""
        kept = {key: self._entry(entry) for key, entry in entries.items()}
        name = frozenset((key, id(entry)) for key, entry in kept.items())
        found = self._contents.get(name)
        if found is None:
            found = self._contents[name] = Contents(kept, self)
        return found

    def opened(self, entry: Entry) -> Entry:
        """Return an entry of some contents with its values open."""
        if isinstance(entry, Entered):
            return entry
        if id(entry) not in self._opened:
            self._opened[id(entry)] = self._open(entry)
        return self._opened[id(entry)]

    def _entry(self, entry: Entry) -> Entry:
        return self._entries.setdefault(_name(entry), entry)


def _live(entry: Entry | None, now: float) -> Record | None:
    return entry if isinstance(entry, Record) and now < entry.expires_at else None


def index_of(user_id: str) -> str:
    """Return the key under which the contents have the index of a user."""
    return f"the keys of {user_id}"


def _is_over(entry: Entry, now: float) -> bool:
    if isinstance(entry, Record):
        return entry.expires_at + PURGE_DELAY < now
    return isinstance(entry, Ended) and entry.at < now - REMEMBERED_FOR


def _name(entry: Entry) -> Hashable:
    if isinstance(entry, Entered):
        return frozenset(entry.entries.items()), "entered"
    if isinstance(entry, Ended):
        return entry.at
    values = tuple(entry.values.items())
    return values, *(getattr(entry, field) for field in _FIELDS if field != "values")
