"""What start-up says about components of one request."""

import pytest

from framework import (
    component,
    configuration,
    controller,
    get,
    guard,
    service,
)
from tests.framework.request_scope import (
    Cart,
    Connection,
    Database,
    Filling,
    Keeper,
    Log,
    Manager,
    Pages,
)
from tests.framework.trials import only_problem_of, problems_of


def test_f42_a_scalar_is_never_read_from_the_request_unasked() -> None:
    """A constructor's unmarked `str` is a component, also here."""

    @service(scope="request")
    class Greeter:
        def __init__(self, name: str) -> None: ...

    assert "nothing provides str" in only_problem_of(Pages, Database, Greeter).what


def test_f46_a_captive_is_a_problem_with_its_path() -> None:
    """What is built once would keep the component of one request for ever."""
    problem = only_problem_of(Pages, Manager, Keeper, Cart, Database)

    assert problem.what.startswith("Keeper is built once, but Cart anew for each request:")
    assert "Keeper (" in problem.what
    assert "→ Cart (" in problem.what
    assert 'scope="request"' in problem.remedy


def test_f46_the_path_begins_where_the_need_begins() -> None:
    """A controller that needs the manager that needs the keeper."""

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


def test_f45_a_cycle_of_components_of_a_request_is_drawn() -> None:
    """It would never end."""

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
def test_what_handles_requests_lives_longer_than_one(kind: str) -> None:
    """A controller or a guard with the scope of a request is a problem."""

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


def test_a_generator_says_what_it_yields() -> None:
    """Its annotation is that of a generator."""

    @configuration
    class Wrong:
        @component(scope="request")
        def connection(self) -> Connection:  # type: ignore[misc]
            yield Connection(Log())

    (problem, *_) = problems_of(Wrong)

    assert problem.what == "the component method yields, but is annotated to return Connection"
    assert problem.remedy == "Write -> Iterator[Connection]."


def test_an_unknown_scope_is_refused_at_once() -> None:
    """The decorator itself says which there are."""
    with pytest.raises(TypeError, match="the scope 'session' does not exist"):
        component(scope="session")  # type: ignore[call-overload]
