"""The decisions about a session that is copied to another store, from its two records."""

from dataclasses import replace
from typing import Any

import pytest

from sessions.record import Changes, Ended, Grace, Outcome, Record
from sessions.stores.copying import Copied, changes_to, what_to_do
from sessions.testing import NEW_SECRET, OTHER_SECRET, SECRET, ManualClock, a_record

CLOCK = ManualClock()
NOW = CLOCK()
COPY = a_record(CLOCK, {"a": b"1", "b": b"2"}, user_id="ada", timeout=9.0)


def later(**fields: Any) -> Record:
    """Return the record with a change one second later."""
    times: dict[str, Any] = {"updated_at": NOW + 1, "accessed_at": NOW + 1, "expires_at": NOW + 101}
    return replace(COPY, **{**times, **fields})


@pytest.mark.parametrize(
    ("record", "there", "what"),
    [
        (COPY, None, Copied.NEW),
        (COPY, Ended(NOW), Copied.ENDED),
        (COPY, COPY, Copied.SAME),
        (later(), COPY, Copied.CHANGED),
        (COPY, later(), Copied.NEWER),
        (replace(COPY, accessed_at=NOW + 1), COPY, Copied.CHANGED),
        (COPY, replace(COPY, accessed_at=NOW + 1), Copied.NEWER),
        # A change counts more than a visit.
        (later(), replace(COPY, accessed_at=NOW + 9), Copied.CHANGED),
    ],
)
def test_the_later_change_counts(
    record: Record, there: Record | Ended | None, what: Copied
) -> None:
    """The record in the target stays, unless the source has changed later."""
    assert what_to_do(record, there) is what


@pytest.mark.parametrize(
    "record",
    [
        later(values={"b": b"3", "c": b"4"}),
        later(values={}),
        later(user_id=None, timeout=None),
        later(user_id="eve", created_at=NOW + 1),
        later(expires_at=NOW + 5),
    ],
)
def test_the_changes_make_the_same_record(record: Record) -> None:
    """The changes make the target equal to the source, with the same order of values."""
    changed = COPY.changed_by(_applicable(record), NOW + 2)

    assert changed == record
    assert [*changed.values] == [*record.values]


def test_a_renewed_session_has_its_new_id_and_its_grace() -> None:
    """The store sets the time of the copy as the time of the renewal."""
    renewed = later(secret=NEW_SECRET, secret_since=NOW + 1, grace=Grace(SECRET, NOW + 11))

    assert COPY.changed_by(_applicable(renewed), NOW + 2) == replace(renewed, secret_since=NOW + 2)


def test_the_grace_of_an_id_that_was_never_copied_is_dropped() -> None:
    """The target never had the earlier id, so it cannot accept it."""
    renewed = later(secret=NEW_SECRET, secret_since=NOW + 1, grace=Grace(OTHER_SECRET, NOW + 11))

    changed = COPY.changed_by(_applicable(renewed), NOW + 2)
    assert (changed.secret, changed.grace) == (NEW_SECRET, None)


@pytest.mark.parametrize(
    "values", [{"a": b"9", "b": b"2"}, {"a": b"1"}, {"a": b"1", "b": b"2", "c": b"3"}]
)
def test_a_copy_that_changes_in_the_meantime_is_left_alone(values: dict[str, bytes]) -> None:
    """The write of another request to the copy is kept."""
    changes = changes_to(COPY, later(values={"a": b"5", "c": b"6"}))

    assert replace(COPY, values=values).outcome_of(changes, NOW + 2) is Outcome.CONFLICT
    assert replace(COPY, secret=OTHER_SECRET).outcome_of(changes, NOW) is Outcome.SUPERSEDED


def _applicable(record: Record) -> Changes:
    changes = changes_to(COPY, record)
    assert COPY.outcome_of(changes, NOW + 2) is Outcome.APPLIED
    return changes
