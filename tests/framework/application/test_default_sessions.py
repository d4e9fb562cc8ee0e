"""Default sessions: they work and are safe without any configuration."""

import multiprocessing
import os
import stat
from pathlib import Path

import pytest

from framework import (
    Application,
    StartupError,
    component,
    configuration,
    controller,
    get,
    session,
)
from framework.defaults import SessionDefaults
from framework.testing import Client
from sessions import (
    ConfigurationError,
    MemoryStore,
    SessionContainer,
    SQLiteStore,
)

KEYS = ["k" * 10 + "0123456789abcdefghijklmnopqrstuvwxyz", "0123456789abcdefghijklmnopqrstuvwxyz"]


@controller("/")
class Visits:
    """Count visits."""

    @get("/")
    def show(self, session: session) -> int:
        session["n"] = session.get("n", 0) + 1
        return int(session["n"])


@controller("/")
class Plain:
    """Use no session."""

    @get("/")
    def show(self) -> str:
        return "plain"


@pytest.fixture(autouse=True)
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Start in an empty folder, with no keys in the environment."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SESSION_KEYS", raising=False)
    return tmp_path


def test_nothing_needs_to_be_configured(workplace: Path) -> None:
    """Sessions are kept in SQLite, signed with a key that was made for them."""
    app = Application(Visits)
    client = Client(app)
    counts = [client.get("/").json for _ in range(2)]

    assert counts == [1, 2]
    assert app.sessions is not None
    assert isinstance(app.sessions.container.store, SQLiteStore)
    assert app.key_file == Path(".framework/session.key")
    assert sorted(path.name for path in (workplace / ".framework").iterdir())[:3] == [
        ".gitignore",
        "session.key",
        "sessions.db",
    ]


def test_a_later_start_goes_on_with_the_same_key_and_sessions() -> None:
    """The count survives a restart."""
    client = Client(Application(Visits))
    client.get("/")
    client.application = Application(Visits)

    assert client.get("/").json == 2


def test_an_application_without_sessions_leaves_no_file(workplace: Path) -> None:
    """Such an application needs no key."""
    Application(Plain)

    assert list(workplace.iterdir()) == []


def test_a_test_client_leaves_no_file(workplace: Path) -> None:
    """Without a configuration, the sessions of a test are kept in memory."""
    app = Application(Visits, defaults=SessionDefaults(workplace / "elsewhere"))
    with app.test() as client:
        client.get("/")

        assert client.app.sessions is not None
        assert isinstance(client.app.sessions.container.store, MemoryStore)
    assert not (workplace / ".framework").exists()


def test_only_the_owner_can_read_the_key(workplace: Path) -> None:
    """Other users can read neither the key nor its folder, with any umask."""
    before = os.umask(0)
    try:
        Application(Visits)
    finally:
        os.umask(before)
    modes = [
        stat.S_IMODE((workplace / path).stat().st_mode)
        for path in (".framework", ".framework/session.key", ".framework/sessions.db")
    ]

    assert modes == [0o700, 0o600, 0o600]


def test_the_folder_stays_out_of_the_repository(workplace: Path) -> None:
    """A `.gitignore` in the folder tells git to ignore the folder."""
    Application(Visits)

    assert (workplace / ".framework" / ".gitignore").read_text() == "*\n"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_processes_that_start_at_once_agree_on_the_key(workplace: Path) -> None:
    """One process makes the key, the others read it whole, and no draft file is left."""
    context = multiprocessing.get_context("fork")
    barrier, told = context.Barrier(6), context.SimpleQueue()

    def tell() -> None:
        barrier.wait(20)
        (key,) = SessionDefaults().keys()
        told.put(key)

    processes = [context.Process(target=tell, daemon=True) for _ in range(6)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(20)
    keys = [told.get() for process in processes if process.exitcode == 0]

    assert len(keys) == 6
    assert len(set(keys)) == 1
    assert len(keys[0]) == 43
    assert sorted(path.name for path in (workplace / ".framework").iterdir()) == [
        ".gitignore",
        "session.key",
    ]


def test_keys_come_from_the_environment(workplace: Path) -> None:
    """SESSION_KEYS has the keys, the newest first, so no key is made."""
    defaults = SessionDefaults(environment={"SESSION_KEYS": f" {KEYS[0]} , {KEYS[1]},"})

    assert defaults.container().keys == KEYS
    assert not (workplace / ".framework" / "session.key").exists()


@pytest.mark.parametrize("text", ["", " , "])
def test_an_environment_without_a_key_is_a_mistake(text: str) -> None:
    """Signing with another key than the intended one would log all users out."""
    with pytest.raises(ConfigurationError, match="contains no key"):
        SessionDefaults(environment={"SESSION_KEYS": text}).container()


def test_a_short_key_in_the_environment_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    """The problem names the key and the environment variable."""
    monkeypatch.setenv("SESSION_KEYS", f"{KEYS[0]},short")

    with pytest.raises(StartupError, match=r"variable SESSION_KEYS: keys\[1\] has 5 bytes"):
        Application(Visits)


def test_a_key_twice_in_the_environment_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    """The problem names the environment variable."""
    monkeypatch.setenv("SESSION_KEYS", f"{KEYS[0]},{KEYS[0]}")

    with pytest.raises(
        StartupError, match=r"variable SESSION_KEYS: keys\[1\] is the same as keys\[0\]"
    ):
        Application(Visits)


def test_an_empty_key_file_is_a_problem(workplace: Path) -> None:
    """The problem names the file."""
    (workplace / ".framework").mkdir()
    (workplace / ".framework" / "session.key").touch()

    with pytest.raises(StartupError, match=r"session\.key' cannot be used: it has 0 bytes"):
        Application(Visits)


def test_a_folder_that_cannot_be_made_is_a_problem(workplace: Path) -> None:
    """The problem says which folder, and what to do."""
    (workplace / "taken").write_text("a file")
    defaults = SessionDefaults(workplace / "taken" / ".framework", {})

    with pytest.raises(StartupError) as caught:
        Application(Visits, defaults=defaults)

    (problem,) = caught.value.problems
    assert "'.framework'" not in problem.what
    assert str(workplace / "taken" / ".framework") in problem.what
    assert "session_container" in problem.remedy


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_is_a_problem(workplace: Path) -> None:
    """The problem for an existing folder names the folder and the remedy, too."""
    (workplace / ".framework").mkdir(mode=0o500)

    with pytest.raises(StartupError, match="SESSION_KEYS"):
        Application(Visits)


def test_a_key_that_is_a_folder_is_a_problem(workplace: Path) -> None:
    """The problem names the path that cannot be read as a key."""
    (workplace / ".framework" / "session.key").mkdir(parents=True)

    with pytest.raises(StartupError, match=r"session\.key"):
        Application(Visits)


def test_given_fields_make_no_files(workplace: Path) -> None:
    """With configured keys and a configured store, no file is needed."""
    container = SessionDefaults().container({"keys": KEYS, "store": MemoryStore()})

    assert isinstance(container, SessionContainer)
    assert list(workplace.iterdir()) == []


def test_a_mapping_without_a_store_keeps_the_default_one(workplace: Path) -> None:
    """A missing field gets the framework's default, not the default of the class."""

    @configuration
    class Own:
        @component
        def session_container(self) -> dict[str, object]:
            return {"keys": KEYS}

    app = Application(Visits, Own)

    assert app.sessions is not None
    assert isinstance(app.sessions.container.store, SQLiteStore)
    assert app.key_file is None


def test_several_mistakes_are_reported_together() -> None:
    """An unknown name does not hide a bad value."""
    with pytest.raises(ConfigurationError) as caught:
        SessionDefaults(environment={}).container(
            {"keys": ["short"], "store": MemoryStore(), "colour": "red", "roling": True}
        )

    assert len(caught.value.problems) == 3
    assert "did you mean 'rolling'?" in caught.value.problems[1]


@pytest.mark.parametrize(
    ("content", "what"),
    [("", "has 0 bytes, but a key needs at least 32"), ("schlüssel" * 9, "is not ASCII text")],
)
def test_a_damaged_key_file_has_a_remedy(tmp_path: Path, content: str, what: str) -> None:
    """The file may be incomplete, or written by hand."""
    file = tmp_path / "session.key"
    file.write_text(content)

    with pytest.raises(ConfigurationError) as caught:
        SessionDefaults(tmp_path, {}).keys()

    assert caught.value.problems == (
        f"the session key in {str(file)!r} cannot be used: it {what}. Fix: delete the file. The"
        " next start makes a new key",
    )
