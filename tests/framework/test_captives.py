"""What is built once and asks for a component of each request: a remedy that is possible."""

from collections.abc import Callable

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
)
from tests.framework.request_scope import Cart, Log
from tests.framework.surrounding import around
from tests.framework.trials import only_problem_of, problems_of


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
            "Remove the parameter, or ask for what Cart is made of: no request runs here.",
        ),
        ([Keeps], "Let the handler take it, as cart: Inject[Cart]; a controller is built once."),
    ],
)
def test_the_remedy_is_possible(parts: list[type], remedy: str) -> None:
    """The scope of a request is nothing for what handles requests."""
    problem = only_problem_of(*parts, Cart, Log)

    assert "is built once, but Cart anew for each request:" in problem.what
    assert problem.remedy == remedy


def test_a_component_that_may_be_a_guard_has_both_remedies() -> None:
    """A guard cannot have the scope of a request, and another component has no check to call."""
    provided, seen = problems_of(page(guard(Guards)), Provides, Cart, Log)
    tagged = only_problem_of(page(guard(Checks)), Checks, Cart, Log)

    assert provided.remedy == (
        'Give Provides.guard scope="request" as well, or let the handler take Inject[Cart] and pass'
        " it on. If it is a guard, let check take it instead, as cart: Inject[Cart]."
    )
    assert seen.remedy == "Let __call__ ask for it: component_of(request, Cart)."
    assert "If it is a guard, let check take it instead" in tagged.remedy
