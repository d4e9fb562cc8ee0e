"""All effects of a failed request are undone, and the client sees its first error."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Annotated, Any

import pytest
from werkzeug.exceptions import Conflict, ServiceUnavailable

from framework import (
    Inject,
    Middleware,
    Next,
    Request,
    Response,
    Session,
    catch,
    component,
    configuration,
    controller,
    get,
    guard,
    session_value,
)
from framework.middleware import session_of
from tests.support.small_applications import client_of


@dataclass
class Cart:
    items: list[Any] = field(default_factory=list)


CartValue = Annotated[Cart, session_value("cart")]


class Work:
    """Work that is committed or rolled back."""

    def __init__(self) -> None:
        self.ends: list[str] = []


@configuration
class Database:
    def __init__(self) -> None:
        self.ends: list[str] = []

    @component(scope="request")
    def work(self) -> Iterator[Work]:
        try:
            yield Work()
            self.ends.append("commit")
        except Exception as error:
            self.ends.append(f"rollback: {type(error).__name__}")
            raise


@controller("/")
class Pages:
    def __init__(self, database: Database) -> None:
        self._ends = database.ends
        self._tries = 0

    @get("/ends")
    def ends(self) -> list[str]:
        return self._ends

    @get("/spoil")
    def spoil(self, work: Inject[Work], cart: CartValue = Cart()) -> str:
        cart.items.append(object())
        return "spoilt"

    @get("/busy")
    def busy(self, session: Session, work: Inject[Work]) -> str:
        session["half"] = object()
        raise ServiceUnavailable

    @get("/busy/cart")
    def busy_with_cart(self, cart: CartValue = Cart()) -> str:
        cart.items.append(object())
        raise ServiceUnavailable

    @get("/exhausted")
    def exhausted(self, work: Inject[Work]) -> object:
        return next(iter(()))

    @catch(StopIteration, status=404)
    def nothing_left(self) -> str:
        return "nothing left"

    @get("/flaky")
    def flaky(self, cart: CartValue = Cart()) -> list[str]:
        self._tries += 1
        cart.items.append(f"try {self._tries}")
        if self._tries == 1:
            raise ServiceUnavailable
        return cart.items

    @get("/taken")
    def taken(self, work: Inject[Work]) -> str:
        self._tries += 1
        if self._tries == 1:
            raise Conflict
        return "done"

    @get("/stream")
    def stream(self, work: Inject[Work]) -> Response:
        return Response((str(len(self._ends)) for _ in range(2)), 500)


def behind(middleware: Middleware) -> type:
    """Make a configuration of one middleware."""

    @configuration
    class Surroundings:
        @component
        def middleware(self) -> list[Middleware]:
            return [middleware]

    return Surroundings


def again(request: Request, next: Next) -> Response:
    """Call the handler a second time."""
    response = next(request)
    return next(request) if response.status_code >= 400 else response


def passing(request: Request, next: Next) -> Response:
    """Do nothing."""
    return next(request)


def wavering(request: Request, next: Next) -> Response:
    """Write a value that no session can hold, and remove it."""
    session = session_of(request)
    session["draft"] = object()
    response = next(request)
    del session["draft"]
    return response


def test_a_value_that_cannot_be_saved_lets_nothing_be_committed() -> None:
    """The response is an error, so the database must not keep the change either."""
    with client_of(Pages, Database) as client:
        assert client.get("/spoil").status_code == 500

        assert client.get("/ends").json == ["rollback: UnencodableValue"]


@pytest.mark.parametrize("path", ["/busy", "/busy/cart"])
def test_a_failed_handler_is_answered_with_its_own_error(path: str) -> None:
    """A value that cannot be saved is discarded without a second error."""
    with client_of(Pages, Database) as client:
        assert client.get(path).status_code == 503


def test_a_caught_end_of_iteration_is_answered_as_caught() -> None:
    """In the generator of a component, Python turns it into another error (PEP 479)."""
    with client_of(Pages, Database) as client:
        response = client.get("/exhausted")

    assert (response.status_code, response.text) == (404, "nothing left")


def test_a_second_try_finds_session_values_as_they_were() -> None:
    """Changes in place of the first try are undone."""
    with client_of(Pages, Database, behind(again)) as client:
        assert client.get("/flaky").json == ["try 2"]

        with client.session() as session:
            assert session["cart"] == {"items": ["try 2"]}


def test_a_second_try_is_committed_although_the_first_one_was_refused() -> None:
    """Each try has its own component."""
    with client_of(Pages, Database, behind(again)) as client:
        assert client.get("/taken").text == "done"

        assert client.get("/ends").json == ["rollback: Conflict", "commit"]


def test_a_failed_handler_is_rolled_back_before_middleware_continues() -> None:
    """Middleware may need data that the component has locked."""
    ends: list[str] = []

    @configuration
    class Locking:
        @component(scope="request")
        def order(self) -> Iterator[Order]:
            try:
                yield Order()
            finally:
                ends.append("ended")

    @controller("/orders")
    class Page:
        @get("/")
        def show(self, order: Inject[Order]) -> str:
            raise ServiceUnavailable

    def telling(request: Request, next: Next) -> Response:
        next(request)
        return Response("".join(ends))

    with client_of(Page, Locking, behind(telling)) as client:
        assert client.get("/orders/").text == "ended"


def test_a_stream_with_a_5xx_has_its_components_to_its_end() -> None:
    """The components end with the stream, with middleware and without."""
    with client_of(Pages, Database, behind(passing)) as client:
        assert client.get("/stream").text == "00"

        assert client.get("/ends").json == ["rollback: InternalServerError"]


def test_a_bad_value_that_middleware_removes_in_time_is_not_an_error() -> None:
    """Only the values at the end of the request have to be storable."""
    with client_of(Pages, Database, behind(wavering)) as client:
        assert client.get("/ends").status_code == 200


class SigningIn:
    def check(self, session: Session) -> bool:
        session["user"] = "ada"
        return True


class User:
    def resolve(self, session: Session) -> str:
        return str(session.get("user", "nobody"))


class Order: ...


@configuration
class Orders:
    @component(scope="request")
    def order(self) -> Iterator[Order]:
        yield Order()
        raise Conflict

    @catch(Conflict)
    def refused(self, user: Annotated[str, User]) -> str:
        return f"refused to {user}"


def test_the_exception_handler_of_a_failed_commit_calls_resolvers_again() -> None:
    """The exception handler gets new results of resolvers."""

    @controller("/orders")
    class Page:
        @get("/")
        @guard(SigningIn)
        def show(self, user: Annotated[str, User], order: Inject[Order]) -> str:
            return f"accepted from {user}"

    with client_of(Page, Orders) as client:
        assert client.get("/orders/").text == "refused to nobody"
