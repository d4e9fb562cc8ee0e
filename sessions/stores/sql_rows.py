"""Convert records to the parameters of SQL statements, and rows to records."""

from binascii import a2b_base64, b2a_base64
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, NamedTuple

import msgspec

from sessions.errors import UnreadableValue
from sessions.record import Changes, Ended, Grace, Outcome, Record, Unchanged
from sessions.stores.base import PURGE_DELAY, AsyncStore, Store, wall_clock

Row = tuple[Any, ...]
Parameters = dict[str, object]
NamesIn = Callable[[Iterable[str]], object]
"""Converts names for the server: an array, or JSON objects with a null value."""

EntriesIn = Callable[[Mapping[str, float]], Iterable[Parameters]]
"""Turns entries of an index of users into the parameters of one or more statements."""

_ENTRIES = 200
"""The largest number of entries in one JSON object; the server searches it for each row."""

_encode = msgspec.json.Encoder().encode
_values_in = msgspec.json.Decoder(dict[str, bytes]).decode
_places_in = msgspec.json.Decoder(dict[str, int]).decode
_DAMAGE = (msgspec.MsgspecError, ValueError, TypeError, KeyError, AttributeError)

_SECRET = 7
"""The place of the secret among the columns that are loaded."""
_MOST_NAMES = 6
"""How many digits the number of a name has within one commit."""


class Found(NamedTuple):
    """What a row contains, and the time of the server when the row was read."""

    record: Record | Ended | None
    now: float


def names_as_list(names: Iterable[str]) -> list[str]:
    """Return names as a list, for an array of PostgreSQL."""
    return [_in_base64(name) for name in names]


def names_as_nulls(names: Iterable[str]) -> list[str]:
    """Return a JSON object for each name, with null as its value, for MariaDB and MySQL.

    If one object had all names, JSON_MERGE_PATCH of MariaDB would remove only some of them.
    """
    return [_encode({_in_base64(name): None}).decode() for name in names]


def with_each_name(text: str, values: Parameters) -> tuple[str, Parameters]:
    """Give each item of the lists `removed` and `absent` its own parameter in the statement.

    Return the statement and its parameters. JSON_MERGE_PATCH of MariaDB and MySQL takes each item
    as an argument.
    """
    for name in ("removed", "absent"):
        objects = values.get(name)
        if isinstance(objects, list):
            each = {f"{name}{number}": one for number, one in enumerate(objects)}
            places = ", ".join(f"%({one})s" for one in each) or "'{}'"
            text, values = text.replace(f"%({name})s", places), {**values, **each, name: None}
    return text, values


def entries_as_lists(entries: Mapping[str, float]) -> Iterator[Parameters]:
    """Yield the entries of an index of users as two arrays, for PostgreSQL."""
    yield {"keys": [*entries], "untils": [float(until) for until in entries.values()]}


def entries_as_objects(entries: Mapping[str, float]) -> Iterator[Parameters]:
    """Yield the entries of an index of users as JSON objects, for MariaDB and MySQL."""
    left = iter(entries.items())
    while some := dict(islice(left, _ENTRIES)):
        yield {"entries": _encode(some).decode()}


def create_parameters(key: str, record: Record) -> Parameters:
    """Return the parameters of the statement that creates a record."""
    grace_secret, grace_until = record.grace or (None, None)
    return {
        "key": key,
        "version": record.version,
        "created_at": float(record.created_at),
        "accessed_at": float(record.accessed_at),
        "updated_at": float(record.updated_at),
        "timeout": _float(record.timeout),
        "user_id": user_in(record.user_id),
        "secret": record.secret,
        "secret_since": float(record.secret_since),
        "grace_secret": grace_secret,
        "grace_until": _float(grace_until),
        "data": _data(record.values),
        "places": _encode(
            {_in_base64(name): place for place, name in enumerate(record.values)}
        ).decode(),
        "next_place": 1,
        "purge_at": record.expires_at + PURGE_DELAY,
        "expires_at": float(record.expires_at),
    }


def use_parameters(key: str, secret: str, expires_at: float, accessed_at: float) -> Parameters:
    """Return the parameters of the statement of a touch."""
    return {
        "key": key,
        "secret": secret,
        "expires_at": float(expires_at),
        "accessed_at": float(accessed_at),
        "keeps_later": True,
    }


def commit_parameters(key: str, changes: Changes, names_in: NamesIn) -> Parameters:
    """Return the parameters of the statement that commits changes."""
    values = use_parameters(key, changes.secret, changes.expires_at, changes.accessed_at)
    # A name that is both set and removed is removed.
    sets = {name: value for name, value in changes.set.items() if name not in changes.removed}
    expected = changes.expected
    values["updated_at"] = float(changes.updated_at)
    values["sets"] = _data(sets)
    values["numbered"] = _numbered(sets)
    values["removed"] = names_in(changes.removed)
    values["expected"] = _data({n: value for n, value in expected.items() if value is not None})
    values["absent"] = names_in(name for name, value in expected.items() if value is None)
    if changes.only_values:
        return values
    keeps_timeout = isinstance(changes.timeout, Unchanged)
    keeps_user = isinstance(changes.user_id, Unchanged)
    values["keeps_later"] = keeps_timeout
    values["timeout"] = None if isinstance(changes.timeout, Unchanged) else _float(changes.timeout)
    values["sets_user"] = not keeps_user
    user = None if isinstance(changes.user_id, Unchanged) else changes.user_id
    values["user_id"] = user_in(user)
    values["clear"] = changes.clear
    values["new_secret"] = changes.new_secret
    values["grace"] = _float(changes.grace)
    values["created_at"] = _float(changes.created_at)
    return values


def own_time(store: Store | AsyncStore) -> float | None:
    """Return the time of the container's own clock, or None for the clock of the server."""
    return None if store.clock is wall_clock else store.clock()


def user_in(user_id: str | None) -> bytes | None:
    """Return a user id in the form in which it is stored."""
    return None if user_id is None else user_id.encode()


def found_in(rows: list[Row]) -> Found:
    """Return what the reply to a load contains; raise UnreadableValue if the row is damaged."""
    if not rows:
        return Found(None, 0.0)
    *columns, ended_at, now = rows[0]
    if ended_at is not None:
        return Found(Ended(ended_at), now)
    try:
        return Found(_record(columns), now)
    except _DAMAGE as error:
        raise UnreadableValue("the stored session is damaged, so a new session begins") from error


def expired_in(row: Row) -> Record | None:
    """Return the record in the row of an expired session; None if the row is damaged."""
    *columns, _, _ = row
    try:
        return _record(columns)
    except _DAMAGE:
        return None


def damage_parameters(key: str, rows: list[Row]) -> Parameters | None:
    """Return the parameters that remove a damaged row; None if the row is not damaged."""
    try:
        found_in(rows)
    except UnreadableValue:
        *_, data, places, _, _ = rows[0]
        damaged = {"damaged_data": data, "damaged_places": places}
        return {"key": key, "secret": rows[0][_SECRET], **damaged}
    return None


def refusal_in(rows: list[Row], changes: Changes) -> Outcome | None:
    """Return why a commit was not applied, or None if it would be applied now."""
    try:
        record, now = found_in(rows)
    except UnreadableValue:
        return Outcome.GONE
    if not isinstance(record, Record):
        return Outcome.GONE
    outcome = record.outcome_of(changes, now)
    is_done = outcome is Outcome.APPLIED and changes.new_secret == record.secret
    return None if outcome is Outcome.APPLIED and not is_done else outcome


def _record(columns: list[Any]) -> Record:
    (version, created, accessed, updated, expires, timeout, user, secret, since, *rest) = columns
    grace_secret, grace_until, data, places = rest
    if not (isinstance(secret, str) and isinstance(version, int)):
        raise TypeError("a record must have a secret and a version")
    values = _values_in(data)
    place_of = _places_in(places)
    in_order = sorted(values, key=place_of.__getitem__)
    return Record(
        values={a2b_base64(name, strict_mode=True).decode(): values[name] for name in in_order},
        secret=secret,
        secret_since=float(since),
        created_at=float(created),
        accessed_at=float(accessed),
        updated_at=float(updated),
        expires_at=expires,
        grace=None if grace_secret is None else Grace(grace_secret, float(grace_until)),
        timeout=timeout,
        user_id=None if user is None else user.decode(),
        version=version,
    )


def _data(values: Any) -> str:
    return _encode({_in_base64(name): value for name, value in values.items()}).decode()


def _numbered(names: Iterable[str]) -> str:
    """Return a JSON object that maps each name to its place in the order, such as `@000002`.

    The SQL statement replaces each `@` by the number in the column `next_place`.
    """
    pairs = (f'"{_in_base64(name)}":@{place:0{_MOST_NAMES}}' for place, name in enumerate(names))
    return "{" + ",".join(pairs) + "}"


def _in_base64(name: str) -> str:
    return b2a_base64(name.encode(), newline=False).decode()


def _float(value: float | None) -> float | None:
    return None if value is None else float(value)
