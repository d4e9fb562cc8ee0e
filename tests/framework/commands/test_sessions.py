"""`framework sessions`: the summary, `list` and `show`."""

import json
import re
import time
from pathlib import Path
from typing import Any

import pytest

from sessions import SQLiteStore
from sessions.core.values import WAITING
from sessions.record import Record
from sessions.testing import a_record
from tests.support.command_sessions import make_session, manager_of, write_program
from tests.support.commands import Framework

APPLICATION = """
from framework import Application, controller, get, session

@controller("/")
class Visits:
    @get("/")
    def show(self, SESSION) -> None: ...

app = Application(Visits)
"""
CONTAINER = "app:container"


@pytest.fixture
def store(framework: Framework) -> SQLiteStore:
    """Return the store of the program in the folder of the commands."""
    write_program()
    return SQLiteStore("sessions.db")


def add_other_record(store: SQLiteStore) -> None:
    """Add a record that is no session, as sign-ins and moves from other systems make them."""
    store.create("f" * 64, a_record(time.time, {WAITING: b"\x90"}))


def test_the_summary_counts_sessions_users_and_bytes(
    framework: Framework, store: SQLiteStore
) -> None:
    """Two of the three signed-in sessions belong to one user."""
    for user in ("ada", "ada", "eve", None):
        make_session(store, user, cart="x" * 1000)
    add_other_record(store)

    result = framework("sessions", CONTAINER)

    assert result.exit_code == 0
    assert result.output.splitlines() == [
        f"store      SQLiteStore {str(Path('sessions.db').absolute())!r}",
        "live       4 sessions",
        "signed in  3 (2 users)",
        "size       4.0 KiB",
        "mean       1.0 KiB",
        "largest    1.0 KiB",
    ]


def test_the_summary_is_json_for_programs(framework: Framework, store: SQLiteStore) -> None:
    """`--json` prints the same facts, in bytes."""
    make_session(store, "ada", n=1)

    facts = json.loads(framework("sessions", "--json", CONTAINER).output)

    assert facts.pop("store").startswith("SQLiteStore")
    assert facts == {"live": 1, "signed_in": 1, "users": 1, "size": 27, "largest": 27}


def test_the_sessions_of_an_application_are_found(framework: Framework) -> None:
    """Without an argument, the command takes the application in the current folder."""
    Path("app.py").write_text(APPLICATION.replace("SESSION", "session: session"))

    assert "live       0 sessions" in framework("sessions").output
    assert "live       0 sessions" in framework("sessions", "summary", "app:app").output


def test_an_application_without_sessions_says_so(framework: Framework) -> None:
    """Each command says that the application has no sessions."""
    Path("app.py").write_text(APPLICATION.replace(", SESSION", ""))
    result = framework("sessions", "list")

    assert result.exit_code == 1
    assert result.output == "Error: app:app has no sessions: no handler asks for one.\n"


def test_the_list_shows_the_last_used_first(framework: Framework, store: SQLiteStore) -> None:
    """The table has a line for each session, and says if the limit left some out."""
    handles = [make_session(store, user) for user in ("ada", None, "eve")]
    add_other_record(store)

    lines = framework("sessions", "list", CONTAINER).output.splitlines()
    limited = framework("sessions", "list", CONTAINER, "--limit", "2").output.splitlines()

    assert lines[0].split("  ")[0] == "HANDLE"
    assert [line.split()[:2] for line in lines[1:]] == [
        [handles[2][:12], "eve"],
        [handles[1][:12], "-"],
        [handles[0][:12], "ada"],
    ]
    assert re.fullmatch(r"\w{12}  eve   (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ  ){3}\d+ bytes", lines[1])
    assert limited[1:] == [
        *lines[1:3],
        "These are the 2 sessions used last. To see more, give a larger --limit.",
    ]


def test_the_list_of_a_user_is_json_for_programs(framework: Framework, store: SQLiteStore) -> None:
    """JSON has whole handles, but no id and no value."""
    handle = make_session(store, "ada", word="xyzzy")
    make_session(store, "eve")

    result = framework("sessions", "list", "--user", "ada", "--json", CONTAINER)

    (found,) = json.loads(result.output)
    assert (found["handle"], found["user_id"], found["values"]) == (handle, "ada", 2)
    assert "xyzzy" not in result.output
    assert _stored(store, handle).secret not in result.output


def test_a_session_is_shown_without_its_values(framework: Framework, store: SQLiteStore) -> None:
    """The command shows names and sizes; it shows values only with --values."""
    handle = make_session(store, "ada", cart=["tea", 2])

    hidden = framework("sessions", "show", handle[:8], CONTAINER)
    shown = framework("sessions", "show", handle, CONTAINER, "--values")

    assert hidden.output.splitlines()[:2] == [f"handle        {handle}", "user          ada"]
    assert hidden.output.splitlines()[-2:] == [
        "cart                6 bytes",
        "(data of the user)  15 bytes",
    ]
    assert shown.output.splitlines()[-2:] == [
        "cart                ['tea', 2]",
        "(data of the user)  {'role': 'customer'}",
    ]
    for result in (hidden, shown):
        assert _stored(store, handle).secret not in result.output


def test_a_session_is_json_for_programs(framework: Framework, store: SQLiteStore) -> None:
    """JSON has the values only with --values."""
    handle = make_session(store, cart=["tea", 2])

    hidden = json.loads(framework("sessions", "show", handle, CONTAINER, "--json").output)
    shown = json.loads(
        framework("sessions", "show", handle, CONTAINER, "--json", "--values").output
    )

    assert hidden["values"] == [{"name": "cart", "size": 6}]
    assert shown["values"] == [{"name": "cart", "size": 6, "value": "['tea', 2]"}]
    assert (hidden["handle"], hidden["user_id"], hidden["size"]) == (handle, None, 10)


def test_escape_sequences_in_user_data_are_not_printed(
    framework: Framework, store: SQLiteStore
) -> None:
    """A user id or a name cannot clear the screen, whatever text it is."""
    handle = make_session(store, "\x1b[2Jeve", **{"\x1b]0;x\x07": "\x1b[2J", "": 1})

    results = [
        framework("sessions", "list", CONTAINER),
        framework("sessions", "show", handle, "--values", CONTAINER),
        framework("sessions", "end", handle, CONTAINER),
        framework("sessions", "end", "--user", "\x1b[2Jeve", CONTAINER),
    ]

    assert all("\x1b" not in result.output for result in results)
    assert "'\\x1b[2Jeve'" in results[0].output


def test_a_value_that_cannot_be_read_is_shown_as_such(
    framework: Framework, store: SQLiteStore
) -> None:
    """The command still shows all other values."""
    store.create("ab" * 32, a_record(time.time, {"good": b"\x01", "bad": b"\x81"}, lives=1000))
    result = framework("sessions", "show", "abababab", "--values", CONTAINER)

    assert result.output.splitlines()[-2:] == ["good  1", "bad   (cannot be read)"]


def test_encrypted_values_are_shown_as_encrypted(framework: Framework, store: SQLiteStore) -> None:
    """The command has no id, so it cannot decrypt a value; it shows no hash of the id either."""
    pytest.importorskip("cryptography")
    settings: dict[str, Any] = {"encryption_keys": ["another key of the tests, also long enough"]}
    write_program(**settings)
    handle = make_session(manager_of(store, **settings), "ada", word="xyzzy")

    result = framework("sessions", "show", handle, "--values", CONTAINER)

    assert result.exit_code == 0
    assert result.output.splitlines()[1] == "user          ada"
    rows = {line.partition("  ")[::2] for line in result.output.splitlines()[9:]}
    assert {(name, shown.strip()) for name, shown in rows} == {
        (name, "(encrypted)")
        for name in ("word", "(data of the user)", "(encrypted user)", "(encrypted key)")
    }
    assert _stored(store, handle).secret not in result.output


@pytest.mark.parametrize(
    ("handle", "error"),
    [
        ("abababa", "'abababa' is too short for the handle of a session. Fix: write its first 8"),
        ("abababab", "2 handles begin with 'abababab': abababababababab, "),
        ("cdcdcdcd", "No live session has a handle that begins with 'cdcdcdcd'."),
        ("ef" * 32, "No live session has a handle that begins with 'efef"),
    ],
)
def test_a_handle_names_one_session(
    framework: Framework, store: SQLiteStore, handle: str, error: str
) -> None:
    """A handle that is too short, unknown or ambiguous is refused, and no session ends."""
    for key in ("ab" * 32, "ab" * 31 + "cc"):
        store.create(key, a_record(time.time, lives=1000))
    for command in (["show", handle], ["end", handle, "--yes"]):
        result = framework("sessions", *command, CONTAINER)

        assert result.exit_code == 1
        assert error in result.output
    assert store.count() == 2


def test_sessions_in_tokens_cannot_be_listed(framework: Framework) -> None:
    """The clients keep such sessions; a purge then cleans the list of revocations."""
    pytest.importorskip("cryptography")
    write_program('__import__("sessions.stateless").stateless.EncryptedToken()')

    for command in ([], ["list"], ["show", "abababab"], ["end", "--all", "--yes"]):
        result = framework("sessions", *command, CONTAINER)
        assert result.exit_code == 1
        assert "keeps each session in its own token, on the side of the client." in result.output
    assert framework("sessions", "purge", CONTAINER).exit_code == 0


def test_sessions_in_the_memory_of_another_process_cannot_be_listed(framework: Framework) -> None:
    """The command refuses a MemoryStore, because an empty list would be wrong."""
    write_program("MemoryStore()")
    result = framework("sessions", CONTAINER)

    assert result.exit_code == 1
    assert "in the memory of the server's process" in result.output


def test_a_store_that_cannot_list_says_so(framework: Framework) -> None:
    """The message names the method that the store needs."""
    write_program('type("Mine", (SQLiteStore,), {"page": None})("sessions.db")')
    result = framework("sessions", CONTAINER)

    assert result.exit_code == 1
    assert "cannot list its sessions. Fix: give the store a method page(after, limit)" in (
        result.output
    )


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["list"],
        ["list", "--user", "ada"],
        ["show", "0" * 64],
        ["end", "--yes", "--all"],
        ["end", "--yes", "0" * 64],
        ["purge"],
    ],
    ids=lambda words: " ".join(words)[:14],
)
@pytest.mark.parametrize("listeners", ["", "print"])
def test_a_misspelt_path_makes_no_file(
    framework: Framework, words: list[str], listeners: str
) -> None:
    """A command that only looks, or ends, says that the file is missing."""
    write_program(f'SQLiteStore("sesions.db"), listeners=[{listeners}]')
    result = framework("sessions", *words, CONTAINER)

    assert result.exit_code == 1
    assert result.output.startswith("Error: the SQLite database '")
    assert "sesions.db' does not exist, and this command does not make it. Fix: " in result.output
    assert not Path("sesions.db").exists()


def test_a_misspelt_path_in_the_environment_makes_no_file(
    framework: Framework, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also not for the sessions that the framework provides."""
    Path("app.py").write_text(APPLICATION.replace("SESSION", "session: session"))
    monkeypatch.setenv("SESSION_STORE", "sqlite:///sesions.db")
    result = framework("sessions")

    assert (result.exit_code, "does not exist" in result.output) == (1, True)
    assert not Path("sesions.db").exists()


def test_a_store_can_be_named_by_its_url(framework: Framework, store: SQLiteStore) -> None:
    """For the commands that only look."""
    handle = make_session(store, "ada")
    url = "sqlite:///sessions.db"
    Path("app.py").unlink()

    assert "live       1 session\n" in framework("sessions", url).output
    assert "live       1 session\n" in framework("sessions", "summary", url).output
    assert handle[:12] in framework("sessions", "list", url).output
    assert f"handle        {handle}\n" in framework("sessions", "show", handle, url).output
    missing = framework("sessions", "list", "sqlite:///sesions.db")
    assert "sqlite:///sesions.db names a file that does not exist." in missing.output
    assert not Path("sesions.db").exists()


@pytest.mark.parametrize(
    "words", [["sessions", "end", "--all"], ["sessions", "purge"], ["check"], ["shell"], ["routes"]]
)
def test_a_command_that_needs_an_application_is_explained(
    framework: Framework, words: list[str]
) -> None:
    """It calls the listeners, or shows what the application has; no password is shown."""
    result = framework(*words, "redis://ada:p@ss/word@localhost/0")

    assert result.exit_code == 1
    assert "but this command needs an application. Fix: write module:name" in result.output
    assert "word" not in result.output


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (30 * 86400, "30 days"),
        (86400 + 3600, "1 day 1 hour"),
        (90, "1 minute 30 seconds"),
        (3600, "1 hour"),
        (59, "59 seconds"),
        (1.5, "1 second"),
        (0.5, "0.5 seconds"),
    ],
)
def test_the_timeout_of_a_session_is_in_words(
    framework: Framework, store: SQLiteStore, seconds: float, words: str
) -> None:
    """Nobody reads 2.592e+06 seconds."""
    store.create("ab" * 32, a_record(time.time, lives=1000, timeout=seconds))

    shown = framework("sessions", "show", "ab" * 32, CONTAINER).output
    assert f"timeout       {words}, set for this session\n" in shown


def test_a_word_that_resembles_a_command_is_a_mistake(framework: Framework) -> None:
    """Any other word names an application."""
    resembling, other = framework("sessions", "lists"), framework("sessions", "nowhere")

    assert resembling.exit_code == 2
    assert "Fix: write one of copy, end, list, migrate, purge, show, summary." in resembling.output
    assert other.exit_code == 1
    assert "names the module 'nowhere'" in other.output


def test_the_table_of_a_store_without_tables(framework: Framework, store: SQLiteStore) -> None:
    """The command says that the store needs no table."""
    result = framework("sessions", "migrate", CONTAINER)

    assert result.exit_code == 0
    assert result.output.endswith("needs no table. Nothing to do.\n")


def _stored(store: SQLiteStore, handle: str) -> Record:
    found = store.load(handle)
    assert isinstance(found, Record)
    return found
