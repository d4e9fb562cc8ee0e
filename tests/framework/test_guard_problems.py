"""What start-up says about guards, and what a test puts in their place."""

from abc import ABC, abstractmethod

import pytest

from framework import (
    Application,
    controller,
    get,
    guard,
    replace,
)
from tests.framework.guarding import Answering, AtLeast, LoggedIn, Users, page_guarded_by
from tests.framework.trials import only_problem_of, problems_of


@pytest.mark.parametrize("listed", [LoggedIn, AtLeast(18)])
def test_a_test_replaces_a_guard_by_its_class(listed: object) -> None:
    """Whether it was listed as a class or as an instance."""
    kind = listed if isinstance(listed, type) else type(listed)
    application = Application(page_guarded_by(listed), Users)
    with application.test(replace(kind).to(Answering(True))) as client:
        assert client.get("/").status_code == 200
    with application.test() as client:
        assert client.get("/").status_code == 403


def test_the_application_tells_who_brought_a_guard() -> None:
    """Each handler knows its guards, by name, with the class that brought each."""

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


def test_what_a_guard_misses_is_a_problem() -> None:
    """Its constructor is walked as any component's."""
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


@pytest.mark.parametrize(
    ("guards", "message"),
    [
        ((), "@guard takes at least one guard: write @guard(LoggedIn)"),
        (("admin",), "have a method check, not 'admin'"),
        ((Users,), "have a method check, not <class"),
    ],
)
def test_what_is_no_guard_is_refused_at_once(guards: tuple[object, ...], message: str) -> None:
    """The decorator itself says how to write it."""
    with pytest.raises(TypeError) as caught:
        guard(*guards)

    assert message in str(caught.value)
