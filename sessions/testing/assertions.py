"""Assertions for the tests of the store contract."""

from collections.abc import Awaitable, Callable
from dataclasses import fields

from sessions.errors import StoreUnavailable
from sessions.record import Record
from sessions.stores.base import AsyncStore

_LONGEST = 600


def expect(found: object, expected: object, what: str) -> None:
    """Raise AssertionError unless both values are equal; the message begins with `what`.

    Two records are equal only if their values have the same order.
    """
    if exactly(found) == exactly(expected):
        return
    if isinstance(found, Record) and isinstance(expected, Record):
        raise AssertionError(f"{what}: {_differences(found, expected)}")
    raise AssertionError(f"{what}: expected {shown(expected)}, found {shown(found)}")


def exactly(value: object) -> object:
    """Return the value in a form in which `==` also compares the order of a record's values."""
    if isinstance(value, Record):
        return [(field.name, _part(value, field.name)) for field in fields(value)]
    return value


def shown(value: object) -> str:
    """Return the `repr` of the value, shortened to 600 characters."""
    text = repr(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}… ({len(text)} characters)"


async def expect_unavailable(verb: str, call: Callable[[], Awaitable[object]]) -> None:
    """Raise AssertionError unless the call of a broken store raises StoreUnavailable."""
    what = f"{verb} of a broken store: expected StoreUnavailable"
    try:
        answer = await call()
    except StoreUnavailable:
        return
    # Whatever else a driver raises is what this test forbids.
    except Exception as error:
        raise AssertionError(f"{what}, found {error!r}") from error
    raise AssertionError(f"{what}, found the answer {shown(answer)}")


async def record_in(store: AsyncStore, key: str) -> Record:
    """Return the record of the key; raise AssertionError if there is no record."""
    record = await store.load(key)
    if not isinstance(record, Record):
        raise AssertionError(f"load({key!r}): expected a record, found {record!r}")
    return record


async def values_in(store: AsyncStore, key: str) -> dict[str, bytes]:
    """Return the values of the record; raise AssertionError if there is no record."""
    return dict((await record_in(store, key)).values)


def _part(record: Record, name: str) -> object:
    return list(record.values.items()) if name == "values" else getattr(record, name)


def _differences(found: Record, expected: Record) -> str:
    return "; ".join(
        f"{field.name}: expected {shown(_part(expected, field.name))},"
        f" found {shown(_part(found, field.name))}"
        for field in fields(expected)
        if _part(found, field.name) != _part(expected, field.name)
    )
