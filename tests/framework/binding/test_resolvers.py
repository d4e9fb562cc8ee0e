"""Resolvers: the user's classes that make arguments from a request."""

from dataclasses import dataclass
from typing import Annotated, Any, Protocol

from framework import (
    Header,
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
    post,
    replace,
    service,
)
from framework.report import location
from framework.testing import open_client
from tests.support.small_applications import client_of, only_problem_of, problems_of


@dataclass
class User:
    name: str


@service
class Users:
    def find(self, name: str) -> User:
        return User(name.title())


@component
class CurrentUser:
    def __init__(self, users: Users) -> None:
        self._users = users

    def resolve(self, session: Session) -> User:
        return self._users.find(session.get("name", "nobody"))


@component
class Greeting:
    def resolve(self, user: Annotated[User, CurrentUser], lang: Header[str] = "en") -> str:
        return f"{lang}: hello {user.name}"


@component
class Document:
    def resolve(self, number: int, version: int = 1) -> str:
        return f"{number}.{version}"


@controller("/")
class Pages:
    @get("/me")
    def me(self, user: Annotated[User, CurrentUser]) -> str:
        return user.name

    @get("/greeting")
    def greeting(self, text: Annotated[str, Greeting], *, page: int = 1) -> str:
        return f"{text} {page}"

    @get("/documents/<int:number>")
    def document(self, document: Annotated[str, Document]) -> str:
        return document


def test_a_resolver_makes_an_argument() -> None:
    """The handler gets what `resolve` returns; the class has its own components."""
    with client_of(Pages) as client:
        with client.session() as session:
            session["name"] = "ann"

        assert client.get("/me").text == "Ann"


def test_a_resolver_builds_on_another() -> None:
    """The parameters of `resolve` are bound like a handler's, resolvers among them."""
    with client_of(Pages) as client:
        assert client.get("/greeting?page=2", headers={"lang": "de"}).text == "de: hello Nobody 2"


def test_a_resolver_may_take_the_values_of_the_path() -> None:
    """The handler need not take a path variable that only the resolver takes."""
    with client_of(Pages) as client:
        assert client.get("/documents/7?version=3").text == "7.3"


def test_a_session_that_only_a_resolver_writes_is_saved() -> None:
    """The session is saved, whichever part of the request has used it."""

    @component
    class Visits:
        def resolve(self, session: Session) -> int:
            session["visits"] = session.get("visits", 0) + 1
            return int(session["visits"])

    @controller("/")
    class Counter:
        @get("/")
        def show(self, visits: Annotated[int, Visits]) -> int:
            return visits

    with client_of(Counter) as client:
        assert [client.get("/").json, client.get("/").json] == [1, 2]


def test_the_errors_of_a_resolver_come_with_all_others() -> None:
    """The one 422 also lists the errors of the resolver's parameters."""

    @controller("/")
    class Search:
        @post("/<int:number>")
        def search(self, document: Annotated[str, Document], page: int, q: Header[int]) -> None: ...

    with client_of(Search) as client:
        errors = client.post("/1?version=a&page=b", headers={"q": "c"}).get_json()["errors"]

    assert [each["where"] for each in errors] == ["query:version", "query:page", "header:q"]


def test_a_resolver_is_replaced_in_a_test() -> None:
    """The replacement is bound by its own parameters."""

    class Ann:
        def resolve(self, title: str = "Ms") -> User:
            return User(f"{title} Ann")

    with open_client((Pages,), (replace(CurrentUser).to(Ann()),)) as client:  # type: ignore[arg-type]
        assert client.get("/me?title=Dr").text == "Dr Ann"


def test_a_resolver_is_built_once() -> None:
    """The constructor runs at start-up, for any number of handlers."""
    built: list[int] = []

    @component
    class Counted:
        def __init__(self) -> None:
            built.append(1)

        def resolve(self) -> int:
            return len(built)

    @controller("/")
    class Counter:
        @get("/a")
        def a(self, count: Annotated[int, Counted]) -> int:
            return count

        @get("/b")
        def b(self, count: Annotated[int, Counted]) -> int:
            return count

    with client_of(Counter) as client:
        assert [client.get("/a").json, client.get("/b").json] == [1, 1]


def page_with(resolver: Any) -> type:
    """Make a controller with a parameter of a resolver."""

    @controller("/")
    class Page:
        def page(self, x: Any) -> str:
            return str(x)

        page.__annotations__ = {"x": Annotated[str, resolver]}
        page = get("/")(page)

    return Page


class Egg:
    def resolve(self, hen: object) -> object:
        return hen


class Hen:
    def resolve(self, egg: "Annotated[object, Egg]") -> object:
        return egg


Egg.resolve.__annotations__["hen"] = Annotated[object, component(Hen)]
component(Egg)


def test_resolvers_that_need_each_other_are_a_problem() -> None:
    """The message shows the cycle."""
    problem = only_problem_of(page_with(Egg))

    assert problem.what == "resolvers need each other: Egg → Hen → Egg"


def test_the_problems_of_a_resolver_are_those_of_the_application() -> None:
    """A wrong parameter of `resolve` is reported with its own place."""

    @component
    class Broken:
        def resolve(self, user: User, *rest: str) -> str:
            return user.name

    found = problems_of(page_with(Broken))

    assert [each.where for each in found] == [location(Broken.resolve)] * 2
    assert "parameter 'user' is User, but nothing says where it comes from" in found[0].what


def test_a_class_that_cannot_resolve_is_a_problem() -> None:
    """A component in `Annotated` has to have a method `resolve`."""

    @component
    class Useless: ...

    assert only_problem_of(page_with(Useless)).what == "Useless has no method resolve"


def test_a_resolver_needs_no_decorator() -> None:
    """The annotation is enough, and the constructor is injected."""

    @component
    class Words:
        hello = "hello"

    class Plain:
        def __init__(self, words: Words) -> None:
            self._words = words

        def resolve(self) -> str:
            return self._words.hello

    with client_of(page_with(Plain)) as client:
        assert client.get("/").text == "hello"


def test_a_resolver_that_nothing_implements_is_a_problem() -> None:
    """The problem names the parameter."""

    class Wanted(Protocol):
        def resolve(self) -> str: ...

    problem = only_problem_of(page_with(Wanted))

    assert problem.what.startswith("parameter 'x': nothing provides Wanted, which is abstract")


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


def test_a_guard_a_resolver_and_a_handler_share_a_resolved_value() -> None:
    """A value that a guard has read from the database is not read again."""
    with client_of(Baskets, Stock) as client:
        assert client.get("/").json == ["guard", "resolver", "1"]


def test_another_request_resolves_again() -> None:
    """A result belongs to one request."""
    with client_of(Baskets, Stock) as client:
        client.get("/")

        assert client.get("/").json == ["guard", "resolver", "2"]


def test_an_exception_handler_gets_the_same_resolved_object() -> None:
    """The exception handler receives the same object as the handler."""
    with client_of(Baskets, Stock) as client:
        assert client.get("/fails").json == ["handler", "1"]


def test_a_failure_to_resolve_is_not_kept() -> None:
    """A later user of the resolver tries again."""
    with client_of(Baskets, Stock) as client:
        client.app.graph.get(Stock).missing = 1

        assert client.get("/fails").json == ["2"]


def test_a_second_try_of_middleware_resolves_again() -> None:
    """After a 5xx, the second try uses no earlier result."""

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


class NumberedDocument:
    def resolve(self, number: int) -> int:
        return number


@component(scope="request")
class Access:
    def __init__(self, document: Annotated[int, NumberedDocument]) -> None:
        self.document = document


class Allowed:
    def check(self, access: Inject[Access]) -> bool:
        return access.document == 1


@controller("/documents")
class Documents:
    @get("/<int:number>")
    @guard(Allowed)
    def show(self, document: Annotated[int, NumberedDocument]) -> int:
        return document


def test_a_query_value_and_a_path_value_of_one_name_differ() -> None:
    """A component of the request reads the query, and the handler reads the path."""
    with client_of(Documents, Access) as client:
        assert client.get("/documents/7?number=1").json == 7
