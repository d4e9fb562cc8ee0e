"""The test client: it has an application of its own, with replaced components."""

from abc import ABC, abstractmethod
from typing import Annotated, Protocol

import pytest

from framework import (
    Application,
    Middleware,
    Next,
    Request,
    Response,
    Session,
    StartupError,
    component,
    configuration,
    controller,
    get,
    guard,
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


def test_a_replacement_is_given_to_every_class_that_asks_for_it(app: Application) -> None:
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


def test_replacing_an_unused_type_is_an_error(app: Application) -> None:
    """Otherwise the test would not test what it says."""

    class Unused:
        """A component that nothing asks for."""

    with pytest.raises(StartupError, match="Unused"), app.test(replace(Unused).to(Unused())):
        pass


def test_a_replacement_given_twice_is_an_error(app: Application) -> None:
    """Otherwise one of the two replacements would have no effect."""
    twice = (replace(Users).to(FakeUsers("a")), replace(Users).to(FakeUsers("b")))

    with pytest.raises(ValueError, match="replaced twice"), app.test(*twice):
        pass


class SignedIn:
    """Let users pass who have signed in."""

    def check(self, session: Session) -> bool:
        return "customer" in session


class Everybody(SignedIn):
    """Let everybody pass."""

    def check(self) -> bool:  # type: ignore[override]
        return True


class Stamp:
    """Tell the time."""

    def __call__(self, request: Request, next: Next) -> Response:
        response = next(request)
        response.headers["X-Stamp"] = "now"
        return response


class Midnight(Stamp):
    """Tell always the same time."""

    def __call__(self, request: Request, next: Next) -> Response:
        response = next(request)
        response.headers["X-Stamp"] = "midnight"
        return response


@component
class Customer:
    """Name the customer."""

    def resolve(self, session: Session) -> str:
        return str(session["customer"])


class Ada(Customer):
    """Name Ada."""

    def resolve(self) -> str:  # type: ignore[override]
        return "ada"


@configuration
class Around:
    """Put a stamp on every answer."""

    @component
    def middleware(self) -> list[Middleware | type[Middleware]]:
        return [Stamp]


@controller("/")
class Shop:
    """Serve customers."""

    @get("/")
    @guard(SignedIn)
    def show(self, customer: Annotated[str, Customer]) -> str:
        return customer


@pytest.fixture
def shop() -> Application:
    return Application(Shop, Around, Customer)


def test_a_guard_is_replaced(shop: Application) -> None:
    """The replacement decides, also with other parameters."""
    with shop.test() as client:
        refused = client.get("/").status_code
    with shop.test(replace(SignedIn).to(Everybody()), replace(Customer).to(Ada())) as client:
        passed = client.get("/")

    assert refused == 403
    assert (passed.status_code, passed.text) == (200, "ada")


def test_a_guard_that_is_an_instance_is_replaced_by_its_class() -> None:
    """Every instance of the class is replaced."""

    class Role:
        """Let a role pass."""

        def __init__(self, name: str) -> None:
            self._name = name

        def check(self, session: Session) -> bool:
            return bool(session.get("role") == self._name)

    class AnyRole(Role):
        """Let every role pass."""

        def check(self, session: Session) -> bool:
            return True

    @controller("/")
    class Office:
        @get("/")
        @guard(Role("admin"))
        def show(self) -> str:
            return "shown"

    with Application(Office).test(replace(Role).to(AnyRole(""))) as client:
        assert client.get("/").text == "shown"


def test_middleware_is_replaced(shop: Application) -> None:
    """The key is the class in the list."""
    with shop.test(replace(Stamp).to(Midnight())) as client:
        assert client.get("/").headers["X-Stamp"] == "midnight"


def test_all_middleware_is_replaced(shop: Application) -> None:
    """The whole list is a component, too."""
    with shop.test(replace(list[Middleware | type[Middleware]]).to([])) as client:
        assert "X-Stamp" not in client.get("/").headers


def test_a_resolver_is_replaced(shop: Application) -> None:
    """The replacement resolves, also with other parameters."""
    with shop.test(replace(Customer).to(Ada()), replace(SignedIn).to(Everybody())) as client:
        assert client.get("/").text == "ada"
