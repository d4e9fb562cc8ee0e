"""What stands around a handler is replaced as a component is: guards, middleware, resolvers."""

from typing import Annotated

import pytest

from framework import (
    Application,
    Middleware,
    Next,
    Request,
    Response,
    Session,
    component,
    configuration,
    controller,
    get,
    guard,
    replace,
)


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
def app() -> Application:
    return Application(Shop, Around, Customer)


def test_a_guard_is_replaced(app: Application) -> None:
    """A stand-in with other parameters decides."""
    with app.test() as client:
        refused = client.get("/").status_code
    with app.test(replace(SignedIn).to(Everybody()), replace(Customer).to(Ada())) as client:
        passed = client.get("/")

    assert refused == 403
    assert (passed.status_code, passed.text) == (200, "ada")


def test_a_guard_that_is_an_instance_is_replaced_by_its_class() -> None:
    """Every instance of the class gives way."""

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


def test_middleware_is_replaced(app: Application) -> None:
    """The class in the list names it."""
    with app.test(replace(Stamp).to(Midnight())) as client:
        assert client.get("/").headers["X-Stamp"] == "midnight"


def test_all_middleware_is_replaced(app: Application) -> None:
    """The whole list is a component, too."""
    with app.test(replace(list[Middleware | type[Middleware]]).to([])) as client:
        assert "X-Stamp" not in client.get("/").headers


def test_a_resolver_is_replaced(app: Application) -> None:
    """A stand-in with other parameters resolves."""
    with app.test(replace(Customer).to(Ada()), replace(SignedIn).to(Everybody())) as client:
        assert client.get("/").text == "ada"
