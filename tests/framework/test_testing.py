"""The test client: an application of its own, with replacements."""

from abc import ABC, abstractmethod
from typing import Protocol

import pytest

from framework import (
    Application,
    StartupError,
    component,
    configuration,
    controller,
    get,
    replace,
    repository,
    service,
)
from framework.testing import Client


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
    """Show what the components say."""

    def __init__(self, greeter: Greeter, clock: Clock, mailer: Mailer) -> None:
        self._parts = greeter, clock, mailer

    @get("/")
    def show(self) -> list[str]:
        greeter, clock, mailer = self._parts
        return [greeter.greet(), clock.now(), mailer.send()]


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
    return Application(Pages, Users, Greeter, Wiring)


def test_without_replacements_everything_is_real(app: Application) -> None:
    """A test client alone changes nothing."""
    with app.test() as client:
        assert client.get("/").json == ["hello, real users", "now", "sent"]


def test_a_replacement_reaches_what_asks_for_it(app: Application) -> None:
    """Classes, protocols and abstract classes are replaced; the original application is not."""
    with app.test(
        replace(Users).to(FakeUsers()),
        replace(Clock).to(FakeClock()),
        replace(Mailer).to(FakeMailer()),
    ) as client:
        replaced = client.get("/").json

    assert replaced == ["hello, fake users", "midnight", "kept"]
    assert Client(app).get("/").json == ["hello, real users", "now", "sent"]


def test_nested_replacements_are_independent(app: Application) -> None:
    """Each client has an application of its own."""
    with app.test(replace(Users).to(FakeUsers("outer"))) as outer:
        with app.test(replace(Users).to(FakeUsers("inner"))) as inner:
            names = [(client.get("/").json or [""])[0] for client in (outer, inner, outer)]
        after = (outer.get("/").json or [""])[0]

    assert names == ["hello, outer", "hello, inner", "hello, outer"]
    assert after == "hello, outer"


def test_replacing_what_nobody_uses_is_an_error(app: Application) -> None:
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
