"""What start-up says about guards, and how a test replaces them."""

import inspect
from abc import ABC, abstractmethod
from typing import Any, Protocol

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
from framework.report import Mistake, location
from tests.support.guards import Answering, AtLeast, LoggedIn, Users, page_guarded_by
from tests.support.small_applications import client_of, only_problem_of, problems_of


@pytest.mark.parametrize("listed", [LoggedIn, AtLeast(18)])
def test_a_test_replaces_a_guard_by_its_class(listed: object) -> None:
    """The guard may be listed as a class or as an instance."""
    kind = listed if isinstance(listed, type) else type(listed)
    application = Application(page_guarded_by(listed), Users)
    with application.test(replace(kind).to(Answering(True))) as client:
        assert client.get("/").status_code == 200
    with application.test() as client:
        assert client.get("/").status_code == 403


def test_the_application_knows_which_class_listed_a_guard() -> None:
    """Each handler knows the names of its guards and the class that listed each."""

    @guard(LoggedIn)
    class Base: ...

    @controller("/")
    class Page(Base):
        @get("/")
        @guard(AtLeast(18))
        def show(self) -> str:
            return "shown"

    (handler,) = Application(Page, Users).handlers

    assert [(each.name, each.listed.brought_by) for each in handler.guards] == [
        ("LoggedIn", Base),
        ("AtLeast(…)", Page),
    ]


def test_a_missing_dependency_of_a_guard_is_a_problem() -> None:
    """The constructor of a guard is checked like any component's."""
    problem = only_problem_of(page_guarded_by(AtLeast))

    assert "nothing provides int" in problem.what
    assert "AtLeast" in problem.where


def test_an_abstract_guard_is_a_problem() -> None:
    """Nothing says which guard is meant."""

    class Some(ABC):
        @abstractmethod
        def check(self) -> bool: ...

    (problem,) = problems_of(page_guarded_by(Some))

    assert problem.what.startswith("nothing provides Some, which is abstract")
    assert "Page" in problem.where


def test_a_parameter_that_a_guard_cannot_have_is_a_problem() -> None:
    """The report points to the check."""

    class Confused:
        def check(self, users: Users) -> bool:
            return True

    problem = only_problem_of(page_guarded_by(Confused), Users)

    assert "parameter 'users' is Users, but nothing says where it comes from" in problem.what
    assert "Confused.check (" in problem.where


def test_an_async_check_is_a_problem() -> None:
    """The message speaks of a check, not of a handler."""

    class Waiting:
        async def check(self) -> bool:
            return True

    problem = only_problem_of(page_guarded_by(Waiting))

    assert problem.what == "the method is an async function, which WSGI cannot run"
    assert problem.where.startswith("Waiting.check (")


class Asked(Protocol):
    def check(self) -> bool: ...


class Abstract(ABC):
    @abstractmethod
    def check(self) -> bool: ...


@component
class Refusing(Asked, Abstract):
    def check(self) -> bool:
        return False


@pytest.mark.parametrize("listed", [Asked, Abstract])
def test_a_guard_may_be_abstract_if_a_component_implements_it(listed: type) -> None:
    """A subclass, or a component that a configuration returns as this type, implements it."""

    class Passing:
        def check(self) -> bool:
            return True

    @configuration
    class Guards:
        def guard(self) -> Any:
            return Passing()

        guard.__annotations__["return"] = listed
        guard = component(guard)

    page = page_guarded_by(listed)
    Abstract.register(Passing)

    with client_of(page, Refusing) as client:
        assert client.get("/").status_code == 403
    with client_of(page, Guards) as client:
        assert client.get("/").status_code == 200


def show(self: object) -> None: ...


@pytest.mark.parametrize(
    ("guards", "message"),
    [
        ((), "@guard takes at least one guard. Fix: write @guard(LoggedIn)"),
        (("admin",), "have a method check, not 'admin'"),
        (
            (LoggedIn, "admin"),
            "not 'admin'. Fix: if 'admin' is for the guard, write @guard(LoggedIn('admin'))",
        ),
        ((Users,), ".Users'>. Fix: write `def check(self) -> bool:` in Users"),
        (
            (show,),
            "not the function show(). Fix: if show() is the handler, write @guard(LoggedIn) above"
            " it; if show() is the guard, make it the method check of a class",
        ),
        ((staticmethod(show),), "not the function show()"),
        (
            (page_guarded_by(LoggedIn),),
            "which is the class to guard. Fix: write @guard(LoggedIn)",
        ),
    ],
)
def test_an_object_without_a_check_is_refused_as_a_guard(
    guards: tuple[object, ...], message: str
) -> None:
    """The decorator itself shows the right spelling."""
    with pytest.raises(TypeError) as caught:
        guard(*guards)

    assert message in str(caught.value)


class Role:
    def __init__(self, name: str) -> None:
        self._name = name

    def check(self, session: Session) -> bool:
        return bool(session.get("role") == self._name)


def test_a_guard_class_with_constructor_values_is_explained() -> None:
    """The injector never injects a text."""

    @controller("/")
    class Page:
        @guard(Role)
        @get("/")
        def page(self) -> None: ...

    assert only_problem_of(Page) == Mistake(
        "parameter 'name': nothing provides str",
        "Write @guard(Role(…)) with its value. Or give the parameter a default value, or ask for a"
        " class of settings that a @component method returns.",
        where=location(Role.__init__),
    )


class Limit:
    def __init__(self, most: int) -> None:
        self._most = most

    def __call__(self, request: Request, next: Next) -> Response:
        return next(request)


def test_a_middleware_class_with_constructor_values_is_explained() -> None:
    """The message is the same as for a guard."""

    @configuration
    class Web:
        @component
        def middleware(self) -> list[Middleware]:
            middleware: Any = Limit
            return [middleware]

    @controller("/")
    class Page:
        @get("/")
        def page(self) -> None: ...

    assert only_problem_of(Page, Web).remedy.startswith("Write [Limit(…)] with its value. Or give ")


def test_guarded_handlers_are_found_without_reading_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """Finding the line of a class is slow, so it is done only for a report."""
    found: list[object] = []
    find = inspect.findsource

    def counting(kind: Any) -> Any:
        found.append(kind)
        return find(kind)

    monkeypatch.setattr(inspect, "findsource", counting)

    assert problems_of(page_guarded_by(LoggedIn, AtLeast(18)), Users) == ()
    assert found == []
