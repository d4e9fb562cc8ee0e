"""`framework sessions end` and `purge`."""

import json
import time

import pytest

from sessions import SQLiteStore
from sessions.stateless import SignedToken
from sessions.stores.base import PURGE_DELAY
from sessions.testing import a_record
from tests.support.command_sessions import Customer, make_session, write_program
from tests.support.commands import Framework

CONTAINER = "app:container"


@pytest.fixture
def store(framework: Framework) -> SQLiteStore:
    """Return the store of the program in the folder of the commands."""
    write_program()
    return SQLiteStore("sessions.db")


def test_a_session_is_ended_after_a_question(framework: Framework, store: SQLiteStore) -> None:
    """The command ends nothing if the answer is no or empty."""
    handle = make_session(store, "ada")
    question = f"End the session {handle[:12]} of ada? [y/N]"

    for typed in ("n\n", ""):
        refused = framework("sessions", "end", handle, CONTAINER, typed=typed)
        assert refused.exit_code == 1
        assert question in refused.output
    assert store.count() == 1

    ended = framework("sessions", "end", handle[:10], CONTAINER, typed="y\n")
    assert (ended.exit_code, ended.output.splitlines()[-1]) == (0, "Ended 1 session.")
    assert store.count() == 0


def test_all_sessions_of_a_user_are_ended(framework: Framework, store: SQLiteStore) -> None:
    """No other user is logged out."""
    for user in ("ada", "eve", None, "ada"):
        make_session(store, user)
    result = framework("sessions", "end", "--user", "ada", "--yes", CONTAINER)

    assert (result.exit_code, result.output) == (0, "Ended 2 sessions.\n")
    assert sorted(str(record.user_id) for _, record in store.page(None, 9).records) == [
        "None",
        "eve",
    ]


def test_the_sessions_of_a_user_are_found_by_the_index(
    framework: Framework, store: SQLiteStore
) -> None:
    """The index decides which records are read: a record without an entry is not found."""
    handle = make_session(store, "ada")
    store.create("ab" * 32, a_record(time.time, user_id="ada", lives=1000))
    make_session(store, "eve")

    listed = framework("sessions", "list", "--user", "ada", "--json", CONTAINER)
    ended = framework("sessions", "end", "--user", "ada", "--yes", CONTAINER)

    assert [found["handle"] for found in json.loads(listed.output)] == [handle]
    assert ended.output == "Ended 1 session.\n"
    assert store.count() == 2


def test_the_sessions_of_a_user_are_found_without_an_index(
    framework: Framework, store: SQLiteStore
) -> None:
    """Without an index, all records are read."""
    write_program('type("Mine", (SQLiteStore,), {"keys_of_user": None})("sessions.db")')
    handle = make_session(store, "ada")
    make_session(store, "eve")

    listed = framework("sessions", "list", "--user", "ada", "--json", CONTAINER)
    ended = framework("sessions", "end", "--user", "ada", "--yes", CONTAINER)

    assert [found["handle"] for found in json.loads(listed.output)] == [handle]
    assert ended.output == "Ended 1 session.\n"
    assert store.count() == 1


def test_all_sessions_are_ended(framework: Framework, store: SQLiteStore) -> None:
    """The sessions fill more than one page of the listing."""
    for number in range(250):
        store.create(f"{number:064x}", a_record(time.time, lives=1000))
    asked = framework("sessions", "end", "--all", CONTAINER, typed="n\n")
    assert "End all sessions in SQLiteStore" in asked.output
    assert store.count() == 250

    result = framework("sessions", "end", "--all", "--yes", CONTAINER)

    assert (result.exit_code, result.output) == (0, "Ended 250 sessions.\n")
    assert store.count() == 0


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["--user", "ada", "--all"],
        ["--user", "ada", "abababab", CONTAINER],
        ["--all", "abababab", CONTAINER],
        ["abababab", CONTAINER, "another"],
    ],
)
def test_one_thing_is_ended_at_a_time(framework: Framework, words: list[str]) -> None:
    """It is a mistake to name two kinds of sessions to end, or none."""
    result = framework("sessions", "end", "--yes", *words)

    assert result.exit_code == 2
    assert "HANDLE, --user USER_ID, or --all." in result.output


def test_a_purge_removes_long_expired_sessions(
    framework: Framework, store: SQLiteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Live sessions stay in the store."""
    # Some creations purge, too.
    monkeypatch.setattr("sessions.stores.sqlite.PURGE_CHANCE", 0)
    for number in range(3):
        store.create(f"{number:064x}", a_record(lambda: time.time() - PURGE_DELAY - 200, lives=100))
    make_session(store)
    first, second = (framework("sessions", "purge", CONTAINER) for _ in range(2))

    assert (first.exit_code, first.output) == (0, "Removed 3 expired sessions.\n")
    assert second.output == "Removed 0 expired sessions.\n"
    assert store.count() == 1


def test_the_sessions_of_a_user_in_tokens_end_by_a_list_or_not_at_all(
    framework: Framework,
) -> None:
    """Without a list of revocations, the message says what is missing."""
    write_program('__import__("sessions.stateless").stateless.SignedToken()')
    refused = framework("sessions", "end", "--user", "ada", "--yes", CONTAINER)

    assert refused.exit_code == 1
    assert "Fix: give the tokens a list" in refused.output


def test_the_sessions_of_a_user_in_tokens_end_by_the_list(framework: Framework) -> None:
    """All tokens of the user become invalid, and all other tokens stay valid."""
    tokens = SignedToken(revocations=SQLiteStore("revoked.db"))
    ada, somebody = Customer(tokens), Customer(tokens)
    ada.gets("/sign-in")
    before = [customer.gets("/")[:2] for customer in (ada, somebody)]
    made = '__import__("sessions.stateless").stateless.SignedToken'
    write_program(f'{made}(revocations=SQLiteStore("revoked.db"))')

    result = framework("sessions", "end", "--user", "ada", CONTAINER, typed="y\n")

    assert result.output.splitlines()[-1] == "Ended all sessions of ada."
    assert before == [["ada", 1], [None, 1]]
    assert [customer.gets("/")[:2] for customer in (ada, somebody)] == [[None, 1], [None, 2]]
