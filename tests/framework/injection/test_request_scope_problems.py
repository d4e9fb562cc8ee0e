"""What start-up says about components of one request."""

import typing
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from typing import Any

import pytest

from framework import (
    Middleware,
    Next,
    Request,
    Response,
    component,
    configuration,
    controller,
    get,
    guard,
    service,
)
from tests.support.middleware import around
from tests.support.request_components import (
    Cart,
    Connection,
    Database,
    Filling,
    Keeper,
    Log,
    Manager,
    Pages,
)
from tests.support.small_applications import only_problem_of, problems_of


def test_a_scalar_is_never_read_from_the_request_unasked() -> None:
    """An unmarked `str` in a constructor is a component, also here."""

    @service(scope="request")
    class Greeter:
        def __init__(self, name: str) -> None: ...

    assert "nothing provides str" in only_problem_of(Pages, Database, Greeter).what


def test_a_request_component_in_a_longer_lived_one_is_a_problem() -> None:
    """A component that is built once would keep the component of one request."""
    problem = only_problem_of(Pages, Manager, Keeper, Cart, Database)

    assert problem.what.startswith("Keeper is built once, but Cart is built for each request:")
    assert "Keeper (" in problem.what
    assert "→ Cart (" in problem.what
    assert 'scope="request"' in problem.remedy


def test_the_problem_shows_the_path_from_the_longer_lived_component() -> None:
    """The path is controller, manager, keeper."""

    @controller("/captive")
    class Page:
        def __init__(self, manager: Manager) -> None: ...

        @get("/")
        def show(self) -> str:
            return "shown"

    problem = only_problem_of(Page)

    assert [line.partition(" (")[0] for line in problem.what.splitlines()[1:]] == [
        "Page",
        "→ Manager",
        "→ Keeper",
        "→ Cart",
    ]


def test_a_cycle_of_components_of_a_request_is_drawn() -> None:
    """Without the mistake, making them would never end."""

    class First: ...

    class Second: ...

    @configuration
    class Circle:
        @component(scope="request")
        def first(self, second: Second) -> First:
            return First()

        @component(scope="request")
        def second(self, first: First) -> Second:
            return Second()

    assert any(
        "need each other" in problem.what for problem in problems_of(Pages, Circle, Database)
    )


@pytest.mark.parametrize("kind", ["controller", "guard"])
def test_a_controller_or_a_guard_of_request_scope_is_a_problem(kind: str) -> None:
    """A controller or a guard with scope="request" is a problem."""

    @component(scope="request")
    class Nobody:
        def check(self) -> bool:
            return False

    class Page:
        @get("/")
        @guard(*[Nobody] if kind == "guard" else [Filling])
        def show(self) -> str:
            return "shown"

    page = controller("/")(Page)
    if kind == "controller":
        page = component(scope="request")(page)

    assert any('has scope="request"' in each.what for each in problems_of(page, Log))


@pytest.mark.parametrize("scope", ["application", "request"])
def test_a_generator_with_a_wrong_annotation_is_one_problem(scope: Any) -> None:
    """A wrong annotation is no second problem for the users of the component."""

    @configuration
    class Wrong:
        @component(scope=scope)
        def connection(self) -> Connection:  # type: ignore[misc]
            yield Connection(Log())

    problem = only_problem_of(Pages, Wrong, Log)

    assert problem.what == "the component method yields, but it is annotated to return Connection"
    assert problem.remedy == "Write -> Iterator[Connection]."


@pytest.mark.parametrize("kind", [Iterator, typing.Iterator, Generator])
def test_a_generator_needs_a_precise_return_type(kind: Any) -> None:
    """A plain Iterator does not name the type of the component."""

    @configuration
    class Wrong:
        @component
        def connection(self):  # type: ignore[no-untyped-def]  # noqa: ANN202
            yield Connection(Log())

        connection.__annotations__["return"] = kind

    problem = problems_of(Wrong)[0]

    assert problem.what == f"the component method yields, but {kind.__name__} does not say the type"
    assert (
        problem.remedy
        == "Write the type of the component in brackets, as in `-> Iterator[Mailer]`."
    )


def test_a_generator_that_yields_nothing_at_start_up_is_a_problem() -> None:
    """A component of the application is made at start-up."""

    @configuration
    class Wrong:
        @component
        def connection(self) -> Iterator[Connection]:
            yield from ()

    problem = only_problem_of(Pages, Wrong, Log)

    assert (
        problem.what
        == "Wrong.connection() is a generator, but it ended without yielding a component"
    )
    assert problem.where.startswith(
        "Wrong.connection (tests/framework/injection/test_request_scope_problems.py:"
    )


@pytest.mark.parametrize("scope", ["application", "request"])
def test_an_async_component_method_is_a_problem(scope: Any) -> None:
    """WSGI cannot run it, with `return` or with `yield`."""

    @configuration
    class Returning:
        @component(scope=scope)
        async def connection(self) -> Connection:
            return Connection(Log())

    @configuration
    class Yielding:
        @component(scope=scope)
        async def connection(self) -> AsyncIterator[Connection]:
            yield Connection(Log())

    expected = "the component method connection() is an async function, which WSGI cannot run"
    assert only_problem_of(Pages, Returning, Log).what == expected
    assert only_problem_of(Pages, Yielding, Log).what == expected


def test_an_unknown_scope_is_refused_at_once() -> None:
    """The decorator itself names the valid scopes."""
    with pytest.raises(TypeError, match="the scope 'session' does not exist"):
        component(scope="session")  # type: ignore[call-overload]


class Sees:
    def __init__(self, cart: Cart) -> None: ...

    def __call__(self, request: Request, next: Next) -> Response:
        return next(request)


class Guards:
    def __init__(self, cart: Cart) -> None: ...

    def check(self) -> bool:
        return True


@configuration
class Lists:
    @component
    def middleware(self, cart: Cart) -> list[Middleware]:
        return []


@configuration
class Provides:
    @component
    def guard(self, cart: Cart) -> Guards:
        return Guards(cart)

    @component
    def sees(self, cart: Cart) -> Sees:
        return Sees(cart)


@component
class Checks(Guards): ...


@configuration
class Starts:
    def on_start(self, cart: Cart) -> None: ...


def page(decorate: Callable[[type], type] = lambda target: target) -> type:
    """Make a controller and decorate it."""

    class Page:
        @get("/")
        def show(self) -> str:
            return "shown"

    return decorate(controller("/")(Page))


@controller("/")
class Keeps:
    def __init__(self, cart: Cart) -> None: ...

    @get("/")
    def show(self) -> str:
        return "shown"


@pytest.mark.parametrize(
    ("parts", "remedy"),
    [
        ([page(), around(Sees)], "Let __call__ ask for it: component_of(request, Cart)."),
        ([page(), Lists], "Let the middleware ask for it: component_of(request, Cart)."),
        (
            [page(guard(Guards))],
            "Let check take it, as cart: Inject[Cart]; a guard is built once.",
        ),
        (
            [page(), Starts],
            "Remove the parameter: no request runs here. Or ask for what Cart is made from.",
        ),
        ([Keeps], "Let the handler take it, as cart: Inject[Cart]; a controller is built once."),
    ],
)
def test_no_remedy_suggests_request_scope_for_a_controller(parts: list[type], remedy: str) -> None:
    """The remedy never suggests scope="request" for a controller or a guard."""
    problem = only_problem_of(*parts, Cart, Log)

    assert "is built once, but Cart is built for each request:" in problem.what
    assert problem.remedy == remedy


def test_a_component_that_may_be_a_guard_has_both_remedies() -> None:
    """A guard cannot have this scope, and another component has no check."""
    provided, seen = problems_of(page(guard(Guards)), Provides, Cart, Log)
    tagged = only_problem_of(page(guard(Checks)), Checks, Cart, Log)

    assert provided.remedy == (
        'Give Provides.guard scope="request" as well, or let the handler take Inject[Cart] and pass'
        " it on. If it is a guard, let check take it instead, as cart: Inject[Cart]."
    )
    assert seen.remedy == "Let __call__ ask for it: component_of(request, Cart)."
    assert "If it is a guard, let check take it instead" in tagged.remedy
