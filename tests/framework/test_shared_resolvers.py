"""A resolver resolves once in a request, for all who take what it makes."""

from typing import Annotated

from framework import (
    Inject,
    Middleware,
    Next,
    Request,
    Response,
    catch,
    component,
    configuration,
    controller,
    get,
    guard,
    service,
)
from tests.framework.trials import client_of


class Basket:
    def __init__(self) -> None:
        self.items: list[str] = []


@service
class Stock:
    def __init__(self) -> None:
        self.asked = 0
        self.missing = 0


class CurrentBasket:
    def __init__(self, stock: Stock) -> None:
        self._stock = stock

    def resolve(self) -> Basket:
        self._stock.asked += 1
        if self._stock.asked <= self._stock.missing:
            raise LookupError("no basket")
        return Basket()


Current = Annotated[Basket, CurrentBasket]


class Filled:
    def check(self, basket: Current) -> bool:
        basket.items.append("guard")
        return True


class Counted:
    def resolve(self, basket: Current) -> Basket:
        basket.items.append("resolver")
        return basket


@controller("/")
class Baskets:
    def __init__(self, stock: Stock) -> None:
        self._stock = stock

    @get("/")
    @guard(Filled)
    def show(
        self, basket: Current, counted: Annotated[Basket, Counted], *, again: Current
    ) -> list[str]:
        assert basket is counted is again
        return [*basket.items, str(self._stock.asked)]

    @get("/fails")
    def fail(self, basket: Current) -> str:
        basket.items.append("handler")
        raise LookupError

    @catch(LookupError, status=500)
    def failed(self, basket: Current) -> list[str]:
        return [*basket.items, str(self._stock.asked)]


def test_guard_resolver_and_handler_share_what_is_resolved() -> None:
    """What a guard has read from the database is not read again."""
    with client_of(Baskets, Stock) as client:
        assert client.get("/").json == ["guard", "resolver", "1"]


def test_another_request_resolves_again() -> None:
    """What is resolved belongs to one request."""
    with client_of(Baskets, Stock) as client:
        client.get("/")

        assert client.get("/").json == ["guard", "resolver", "2"]


def test_an_exception_handler_gets_what_the_handler_got() -> None:
    """It can say what the handler was working on."""
    with client_of(Baskets, Stock) as client:
        assert client.get("/fails").json == ["handler", "1"]


def test_a_failure_to_resolve_is_not_kept() -> None:
    """Who asks after it may have more luck."""
    with client_of(Baskets, Stock) as client:
        client.app.graph.get(Stock).missing = 1

        assert client.get("/fails").json == ["2"]


def test_a_second_try_of_middleware_resolves_again() -> None:
    """A 5xx that is tried again leaves nothing behind."""

    def retry(request: Request, next: Next) -> Response:
        next(request)
        return next(request)

    @configuration
    class Web:
        @component
        def middleware(self) -> list[Middleware]:
            return [retry]

    with client_of(Baskets, Stock, Web) as client:
        assert client.get("/fails").json == ["handler", "2"]


class Document:
    def resolve(self, number: int) -> int:
        return number


@component(scope="request")
class Access:
    def __init__(self, document: Annotated[int, Document]) -> None:
        self.document = document


class Allowed:
    def check(self, access: Inject[Access]) -> bool:
        return access.document == 1


@controller("/documents")
class Documents:
    @get("/<int:number>")
    @guard(Allowed)
    def show(self, document: Annotated[int, Document]) -> int:
        return document


def test_a_value_of_the_query_is_none_of_the_path() -> None:
    """A component of the request knows no path: what it resolves is not what the handler gets."""
    with client_of(Documents, Access) as client:
        assert client.get("/documents/7?number=1").json == 7
