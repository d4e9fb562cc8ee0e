"""Middleware that nothing would call, and middleware that cannot be called."""

from typing import Any, Protocol

import pytest

from framework import (
    Inject,
    Middleware,
    Next,
    Request,
    Response,
    component,
    configuration,
    controller,
    get,
)
from framework.csrf import CSRF
from tests.support.middleware import Pages, Tagging, around, of_a_query
from tests.support.small_applications import client_of, only_problem_of, problems_of


def providing(kind: object, value: object) -> type:
    """Make a configuration that provides a value under a type."""

    @configuration
    class Around:
        def middleware(self) -> object:
            return value

        middleware.__annotations__["return"] = kind
        middleware = component(middleware)

    return Around


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (list, [CSRF()]),
        (list, [of_a_query]),
        (list[CSRF], [CSRF()]),
        (list[type[CSRF]], [CSRF]),
        (tuple[CSRF, ...], (CSRF(),)),
        (list[Any], [CSRF]),
        (Middleware, CSRF()),
        (CSRF, CSRF()),
        (Any, CSRF()),
        (dict, {"csrf": CSRF()}),
        (dict[str, CSRF], {"csrf": CSRF()}),
        (dict[str, Middleware], {"csrf": CSRF()}),
        (set[Middleware], {of_a_query}),
    ],
)
def test_middleware_under_its_own_type_is_a_problem(kind: object, value: object) -> None:
    """Otherwise protection would be silently left out."""
    problem = only_problem_of(Pages, providing(kind, value))

    assert "has no effect as middleware" in problem.what
    assert "`-> list[Middleware]`" in problem.remedy
    assert "Around.middleware (" in problem.where


@pytest.mark.parametrize("kind", [Tagging, list[Tagging]])
def test_middleware_of_each_request_is_a_problem(kind: object) -> None:
    """Its type shows that it is middleware, although it is not made at start-up."""

    @configuration
    class Around:
        def middleware(self) -> object:
            return Tagging("a")

        middleware.__annotations__["return"] = kind
        middleware = component(scope="request")(middleware)

    problem = only_problem_of(Pages, Around)

    assert "has no effect as middleware" in problem.what


def test_a_class_of_middleware_of_each_request_is_a_problem() -> None:
    """No list contains the class."""

    @component(scope="request")
    class Counting:
        def __call__(self, request: Request, next: Next) -> Response:
            return next(request)

    assert only_problem_of(Pages, Counting).what.startswith("Counting has no effect as middleware")


def test_middleware_that_the_list_asks_for_is_not_lost() -> None:
    """The method of the list may take it as a parameter, or call the other method."""

    @configuration
    class Around:
        @component
        def csrf(self) -> CSRF:
            return CSRF()

        @component
        def tagging(self) -> Tagging:
            return Tagging("a")

        @component
        def middleware(self, csrf: CSRF) -> list[Middleware]:
            return [csrf, self.tagging()]

    assert problems_of(Pages, Around) == ()


class Calling:
    def __call__(self, request: str, next: str) -> str:
        return request + next


def test_a_component_in_use_is_not_taken_for_middleware() -> None:
    """Its two parameters may have any names."""

    @controller("/calling")
    class Page:
        @get("/")
        def show(self, calling: Inject[Calling]) -> str:
            return calling("a", "b")

    with client_of(Page, providing(Calling, Calling())) as client:
        assert client.get("/calling/").text == "ab"


class RateLimiter:
    def __call__(self, request: Request, cost: int = 1) -> bool:
        return cost < 2


class Counter:
    def __call__(self, request: Request, what: str) -> None: ...


class Showing:
    def __call__(self, request: Request, user: str) -> Response:
        return Response(user)


@pytest.mark.parametrize("kind", [RateLimiter, Counter, Showing])
def test_a_second_parameter_that_is_not_next_makes_no_middleware(kind: type) -> None:
    """A default or another type shows that the second parameter is not `next`."""
    assert problems_of(Pages, component(kind)) == ()
    assert problems_of(Pages, component(scope="request")(kind)) == ()


class Handling(Protocol):
    def __call__(self, request: Request) -> Response: ...


class Forwarding:
    def __call__(self, request: Request, on: Handling) -> Any:
        return on(request)


class Answering:
    def __call__(self, request: Any, on: Any) -> Response:
        return Response(on(request))


class Textual:
    def __call__(self, request: "Request", on: "Next") -> "Response":
        return on(request)


class Named:
    def __call__(self, request: Any, call_next: Any) -> Any:
        return call_next(request)


@pytest.mark.parametrize("kind", [Forwarding, Answering, Textual, Named])
def test_a_component_that_takes_next_is_middleware(kind: type) -> None:
    """The name or the types of the parameters show this."""
    assert (
        "has no effect as middleware"
        in only_problem_of(Pages, component(scope="request")(kind)).what
    )


class Untyped:
    def __call__(self, request: Any, what: Any) -> Any:
        return what


def test_a_component_that_component_of_may_fetch_is_not_taken_for_middleware() -> None:
    """If the second parameter is unclear, only a component of the request may pass."""
    assert problems_of(Pages, component(scope="request")(Untyped)) == ()
    assert "has no effect as middleware" in only_problem_of(Pages, component(Untyped)).what


def test_other_unused_components_are_not_taken_for_middleware() -> None:
    """Two parameters alone do not make middleware."""
    assert problems_of(Pages, providing(list, [max, len, "a"])) == ()


def test_listed_middleware_must_take_a_request_and_next() -> None:
    """Every object in the list is checked, and every mistake is reported."""

    def alone(request: Request) -> Response:
        return Response()

    def crowded(request: Request, next: Next, more: str) -> Response:
        return next(request)

    async def waiting(request: Request, next: Next) -> Response:
        return next(request)

    class Waiting:
        async def __call__(self, request: Request, next: Next) -> Response:
            return next(request)

    class Deaf:
        def __call__(self) -> None: ...

    problems = problems_of(Pages, around(alone, crowded, waiting, Waiting, Deaf(), of_a_query))

    assert ["async" in each.what for each in problems] == [False, False, True, True, False]
    for each, name in zip(
        problems, ["alone", "crowded", "waiting", "Waiting", "Deaf"], strict=True
    ):
        assert f"the middleware {name} (" in each.what
