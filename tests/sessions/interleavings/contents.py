"""A store as a value: what it holds does not change, and a call returns what it would hold next."""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import fields
from typing import Any

from sessions.core.state import Ask
from sessions.record import Changes, Ended, Outcome, Record
from sessions.stores.base import REMEMBERED_FOR

Entry = Record | Ended
Open = Callable[[Entry], Entry]


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
        """Return the record that is there now."""
        return _live(self.entries.get(key), now)

    def ask(self, ask: Ask, now: float) -> "tuple[Any, Contents]":
        """Return what a store that keeps the contract answers, and what it holds afterwards."""
        name = (id(ask), now)
        if name not in self._asked:
            # The ask is kept with the answer, so that no other one gets its name.
            self._asked[name] = (ask, *self._answer(ask, now))
        return self._asked[name][1:]

    def _answer(self, ask: Ask, now: float) -> "tuple[Any, Contents]":
        verb, key, *arguments = ask
        record = _live(self._stored.get(key), now)
        if verb == "load":
            return self._loaded(key, record, now), self
        if verb == "create":
            return self._created(key, record, arguments[0])
        if record is None:
            return (Outcome.GONE if verb == "commit" else False), self
        if verb == "commit":
            return self._committed(key, record, arguments[0], now)
        if verb == "delete":
            return True, self._with(key, Ended(now))
        secret, expires_at, accessed_at = arguments
        if record.secret != secret:
            return False, self
        return True, self._with(key, record.touched(expires_at, accessed_at, now))

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
        if id(entry) not in self._opened:
            self._opened[id(entry)] = self._open(entry)
        return self._opened[id(entry)]

    def _entry(self, entry: Entry) -> Entry:
        return self._entries.setdefault(_name(entry), entry)


def _live(entry: Entry | None, now: float) -> Record | None:
    return entry if isinstance(entry, Record) and now < entry.expires_at else None


def _name(entry: Entry) -> Hashable:
    if isinstance(entry, Ended):
        return entry.at
    values = tuple(entry.values.items())
    return values, *(getattr(entry, field) for field in _FIELDS if field != "values")
