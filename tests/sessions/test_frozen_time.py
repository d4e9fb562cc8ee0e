"""Tests that freeze time by replacing `time.time` and the classes of `datetime`."""

import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sessions import MemoryStore, SessionContainer, SessionManager, SessionNotFound, SQLiteStore
from sessions.core.codec import decode, encode
from sessions.errors import UnencodableValue
from tests.support.apps import KEY


class CountsPlainDates(type):
    """Take every plain value for an instance, as the classes of freezegun do."""

    def __instancecheck__(cls, value: object) -> bool:
        return isinstance(value, datetime if issubclass(cls, datetime) else date)


class FrozenDate(date, metaclass=CountsPlainDates):
    """Stand in the place of `date`."""


class FrozenDatetime(datetime, metaclass=CountsPlainDates):
    """Stand in the place of `datetime`."""


class Birthday(date):
    """Be a date of an application's own."""


class Arrival(datetime):
    """Be a time of an application's own."""


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Replace `time.time` by a time that the test sets."""
    told = [1.8e9]
    monkeypatch.setattr(time, "time", lambda: told[0])
    return told


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
def test_sessions_expire_by_the_time_that_a_test_has_frozen(
    now: list[float], tmp_path: Path, kind: str
) -> None:
    """The clock of each store and container is looked up when it is asked."""
    store = MemoryStore() if kind == "memory" else SQLiteStore(tmp_path / "sessions.db")
    container = SessionContainer(keys=[KEY], store=store, idle_timeout=timedelta(minutes=30))
    manager = SessionManager(container)
    id = manager.create({"user": "ada"}).id

    now[0] += 1799
    assert manager.get(id)["user"] == "ada"
    now[0] += 1
    with pytest.raises(SessionNotFound):
        manager.get(id)


FROZEN: dict[str, tuple[Any, Any]] = {
    "datetime": (FrozenDatetime(2026, 1, 1, 12, fold=1), datetime(2026, 1, 1, 12, fold=1)),
    "aware": (FrozenDatetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC)),
    "date": (FrozenDate(2026, 1, 1), date(2026, 1, 1)),
}
NESTED: dict[str, Callable[[Any], Any]] = {
    "alone": lambda value: value,
    "in a list": lambda value: [value],
    "in a dict": lambda value: {"at": value},
    "as a key": lambda value: {value: 1},
    "in a set": lambda value: {value},
    "in a tuple": lambda value: (value, 1),
}


@pytest.mark.parametrize("inside", NESTED.values(), ids=NESTED)
@pytest.mark.parametrize(("frozen", "plain"), FROZEN.values(), ids=FROZEN)
def test_a_frozen_time_is_stored_as_the_plain_one(
    frozen: Any, plain: Any, inside: Callable[[Any], Any]
) -> None:
    """The time comes back equal, and to read it is no change."""
    encoded = encode(inside(frozen))

    assert encoded == encode(inside(plain))
    assert decode(encoded) == inside(frozen)


@pytest.mark.parametrize("value", [Birthday(2026, 1, 1), Arrival(2026, 1, 1)])
def test_a_class_of_the_applications_own_is_refused(value: date) -> None:
    """A subclass of a date would come back as another class."""
    with pytest.raises(
        UnencodableValue, match=r"cannot store and read back unchanged\. Fix: store a plain date"
    ):
        encode(value)


def test_a_session_brings_back_a_frozen_time() -> None:
    """To read the time is no change, even if the decoder makes objects of the frozen class."""
    manager = SessionManager(SessionContainer(keys=[KEY]))
    with manager.create({"at": FrozenDatetime(2026, 1, 1)}) as session:
        id = session.id

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sessions.core.codec.datetime", FrozenDatetime)
        read = manager.get(id)
        value, modified = read["at"], read.modified

    assert (value, type(value), modified) == (datetime(2026, 1, 1), FrozenDatetime, False)
