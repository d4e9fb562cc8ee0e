"""The test client: replacements, sessions, and what a type checker says about both."""

import subprocess
import sys
import textwrap
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Protocol

import pytest

from framework import (
    Application,
    StartupError,
    component,
    configuration,
    controller,
    get,
    post,
    replace,
    repository,
    service,
    session,
)
from framework.testing import Client
from sessions import CookieSettings, MemoryStore, SessionContainer, StoreUnavailable

KEYS = ["k" * 10 + "0123456789abcdefghijklmnopqrstuvwxyz"]


class Clock(Protocol):
    """Tell the time."""

    def now(self) -> str: ...


class Mailer(ABC):
    """Send mail."""

    @abstractmethod
    def send(self) -> str: ...


class RealClock:
    """Tell the real time."""

    def now(self) -> str:
        return "now"


class RealMailer(Mailer):
    """Really send mail."""

    def send(self) -> str:
        return "sent"


@repository
class Users:
    """Know real users."""

    def all(self) -> str:
        return "real users"


@service
class Greeter:
    """Greet the users."""

    def __init__(self, users: Users) -> None:
        self._users = users

    def greet(self) -> str:
        return f"hello, {self._users.all()}"


@configuration
class Wiring:
    """Choose the clock and the mailer."""

    @component
    def clock(self) -> Clock:
        return RealClock()

    @component
    def mailer(self) -> Mailer:
        return RealMailer()


@controller("/")
class Pages:
    """Show what the components say, and count visits."""

    def __init__(self, greeter: Greeter, clock: Clock, mailer: Mailer) -> None:
        self._parts = greeter, clock, mailer

    @get("/")
    def show(self) -> list[str]:
        greeter, clock, mailer = self._parts
        return [greeter.greet(), clock.now(), mailer.send()]

    @get("/visits")
    def visits(self, session: session) -> int:
        session["visits"] = session.get("visits", 0) + 1
        return int(session["visits"])

    @post("/logout")
    def logout(self, session: session) -> None:
        session.destroy()


class FakeUsers(Users):
    """Know fake users."""

    def __init__(self, name: str = "fake users") -> None:
        self._name = name

    def all(self) -> str:
        return self._name


class FakeClock:
    """Tell midnight."""

    def now(self) -> str:
        return "midnight"


class FakeMailer(Mailer):
    """Send nothing."""

    def send(self) -> str:
        return "kept"


@pytest.fixture
def app() -> Application:
    container = SessionContainer(keys=KEYS)
    return Application(Pages, Users, Greeter, Wiring, replacements={SessionContainer: container})


def test_without_replacements_everything_is_real(app: Application) -> None:
    """A test client alone changes nothing."""
    with app.test() as client:
        assert client.get("/").json == ["hello, real users", "now", "sent"]


def test_f57_a_replacement_reaches_what_asks_for_it(app: Application) -> None:
    """Classes, protocols and abstract classes are replaced; the original application is not."""
    with app.test(
        replace(Users).to(FakeUsers()),
        replace(Clock).to(FakeClock()),
        replace(Mailer).to(FakeMailer()),
    ) as client:
        replaced = client.get("/").json

    assert replaced == ["hello, fake users", "midnight", "kept"]
    assert Client(app).get("/").json == ["hello, real users", "now", "sent"]


def test_f57_nested_replacements_are_independent(app: Application) -> None:
    """Each client has an application of its own."""
    with app.test(replace(Users).to(FakeUsers("outer"))) as outer:
        with app.test(replace(Users).to(FakeUsers("inner"))) as inner:
            names = [(client.get("/").json or [""])[0] for client in (outer, inner, outer)]
        after = (outer.get("/").json or [""])[0]

    assert names == ["hello, outer", "hello, inner", "hello, outer"]
    assert after == "hello, outer"


def test_f58_replacing_what_nobody_uses_is_an_error(app: Application) -> None:
    """The test would not test what it says."""

    class Unused:
        """Nobody asks for this."""

    with pytest.raises(StartupError, match="Unused"), app.test(replace(Unused).to(Unused())):
        pass


def test_a_replacement_given_twice_is_an_error(app: Application) -> None:
    """One of the two would silently not count."""
    twice = (replace(Users).to(FakeUsers("a")), replace(Users).to(FakeUsers("b")))

    with pytest.raises(ValueError, match="replaced twice"), app.test(*twice):
        pass


def test_s105_a_session_can_be_prepared(app: Application) -> None:
    """What a test puts into the session, the next request finds."""
    with app.test() as client:
        with client.session() as session:
            session["visits"] = 41

        assert client.get("/visits").json == 42


def test_s105_a_session_can_be_inspected(app: Application) -> None:
    """What a request put into the session, the test finds."""
    with app.test() as client:
        client.get("/visits")
        with client.session() as session:
            seen = dict(session)
        again = client.get("/visits").json

    assert seen == {"visits": 1}
    assert again == 2


def test_s105_inspecting_makes_no_session(app: Application) -> None:
    """A look at a session that is not there leaves it not there."""
    with app.test() as client:
        with client.session() as session:
            empty = dict(session)

        assert empty == {}
        assert client.get_cookie("session") is None


def test_s105_a_test_can_end_a_session(app: Application) -> None:
    """Then the client is a stranger."""
    with app.test() as client:
        client.get("/visits")
        with client.session() as session:
            session.destroy()

        assert client.get_cookie("session") is None
        assert client.get("/visits").json == 1


def test_s105_an_https_session_is_another_one(app: Application) -> None:
    """https requests have their own cookie, and so has a session that is prepared for them."""
    base_url = "https://localhost"
    with app.test() as client:
        with client.session(base_url) as session:
            session["visits"] = 41

        assert client.get("/visits", base_url=base_url).json == 42
        assert client.get("/visits").json == 1
        assert client.get_cookie("__Host-session") is not None


def test_s105_a_session_below_a_path(app: Application) -> None:
    """A cookie that is sent below a path only is found there."""
    below = "http://localhost/shop"
    container = SessionContainer(keys=KEYS, cookie=CookieSettings(path="/shop"))
    with app.test(replace(SessionContainer).to(container)) as client:
        client.get("/visits", base_url=below)
        with client.session() as session:
            session["visits"] += 40

        assert client.get("/visits", base_url=below).json == 42


def test_s105_a_failure_in_the_block_saves_nothing(app: Application) -> None:
    """The test has failed; its half-made session does not matter."""

    def prepare_and_fail(client: Client) -> None:
        with client.session() as session:
            session["visits"] = 41
            raise LookupError

    with app.test() as client:
        with pytest.raises(LookupError):
            prepare_and_fail(client)

        assert client.get("/visits").json == 1


def test_s105_a_session_that_cannot_be_saved_tells_the_test(app: Application) -> None:
    """An error of the store is the test's to see."""

    class Full(MemoryStore):
        def create(self, key: str, record: object) -> bool:
            raise StoreUnavailable("full")

    container = SessionContainer(keys=KEYS, store=Full())
    with (
        app.test(replace(SessionContainer).to(container)) as client,
        pytest.raises(StoreUnavailable),
        client.session() as session,
    ):
        session["visits"] = 41


def test_an_application_without_sessions_has_none_to_open() -> None:
    """The error says why."""

    @controller("/")
    class Plain:
        @get("/")
        def show(self) -> str:
            return "plain"

    with (
        Application(Plain).test() as client,
        pytest.raises(RuntimeError, match="no handler"),
        client.session(),
    ):
        pass


PROGRAM = """
    from abc import ABC, abstractmethod
    from typing import NewType, Protocol

    from framework import replace

    class Clock(Protocol):
        def now(self, zone: str) -> float: ...

    class Mailer(ABC):
        @abstractmethod
        def send(self) -> None: ...

    class Users:
        def __init__(self, url: str, *, timeout: float) -> None: ...

    Url = NewType("Url", str)

    class FakeClock:
        def now(self, zone: str) -> float:
            return 0.0

    class WrongClock:
        def now(self, zone: int) -> float:
            return 0.0

    class FakeMailer(Mailer):
        def send(self) -> None: ...

    class FakeUsers(Users):
        def __init__(self) -> None: ...

    replace(Clock).to(FakeClock())
    replace(Mailer).to(FakeMailer())
    replace(Users).to(FakeUsers())
    replace(Url).to(Url("redis://"))
    replace(list[int]).to([1])
"""
WRONG = """
    replace(Clock).to(WrongClock())
    replace(Mailer).to(FakeClock())
    replace(Users).to(None)
    replace(Url).to("redis://")
    replace(list[int]).to(["a"])
"""


@pytest.mark.parametrize(("more", "errors"), [("", 0), (WRONG, 5)])
def test_a_wrong_fake_is_a_type_error(tmp_path: Path, more: str, errors: int) -> None:
    """mypy --strict accepts what fits, protocols and abstract classes too, and nothing else."""
    pytest.importorskip("mypy")
    program = tmp_path / "program.py"
    program.write_text(textwrap.dedent(PROGRAM + more))
    command = [sys.executable, "-m", "mypy", "--strict", "--cache-dir=.mypy_cache", str(program)]
    done = subprocess.run(command, capture_output=True, text=True)

    assert done.stdout.count("error: ") == errors, done.stdout
