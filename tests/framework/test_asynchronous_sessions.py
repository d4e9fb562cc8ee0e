"""Sessions that must be awaited, where nothing can await them: a start-up problem each."""

from typing import Annotated

import pytest

from framework import Inject, Session, component, controller, get, guard, service
from framework.startup import Problem, location
from sessions import AsyncSession
from tests.framework.trials import only_problem_of, problems_of

WHAT = "parameter 'session' is {}, which only an event loop can load, and WSGI has none"
REMEDY = "Write session: Session, and call its methods without await."


class OwnSession(AsyncSession):
    """Be a session of the application's own."""


@pytest.mark.parametrize(
    ("annotation", "written"),
    [
        (AsyncSession, "AsyncSession"),
        (AsyncSession | None, "AsyncSession | None"),
        (OwnSession, "OwnSession"),
    ],
)
def test_a_handler_takes_the_blocking_session(annotation: object, written: str) -> None:
    """A plain function cannot load another one."""

    @controller("/")
    class Page:
        @get("/")
        def show(self, session: object) -> None: ...

        show.__annotations__["session"] = annotation

    assert only_problem_of(Page) == Problem(location(Page.show), WHAT.format(written), REMEDY)


def test_an_asynchronous_handler_has_two_mistakes() -> None:
    """Both are told at once."""

    @controller("/")
    class Page:
        @get("/")
        async def show(self, session: AsyncSession) -> None:
            await session.save()

    assert [(problem.where, problem.remedy) for problem in problems_of(Page)] == [
        (location(Page.show), "Write `def` in place of `async def`."),
        (location(Page.show), REMEDY),
    ]


def test_guards_and_resolvers_take_the_blocking_session() -> None:
    """Their parameters are bound like a handler's."""

    class SignedIn:
        def check(self, session: AsyncSession) -> bool:
            return session.user_id is not None

    class User:
        def resolve(self, session: AsyncSession) -> str:
            return session.user_id or "nobody"

    @controller("/")
    class Page:
        @get("/")
        @guard(SignedIn)
        def show(self, user: Annotated[str, User]) -> None: ...

    assert {problem.where for problem in problems_of(Page)} == {
        location(SignedIn.check),
        location(User.resolve),
    }
    assert {problem.remedy for problem in problems_of(Page)} == {REMEDY}


def test_a_component_of_a_request_takes_the_blocking_session() -> None:
    """It is told as for a handler."""

    @component(scope="request")
    class Basket:
        def __init__(self, session: AsyncSession) -> None: ...

    @controller("/")
    class Page:
        @get("/")
        def show(self, basket: Inject[Basket], session: Session) -> None: ...

    assert only_problem_of(Page, Basket).remedy == REMEDY


def test_a_component_cannot_keep_it() -> None:
    """It belongs to one request, as the blocking one does."""

    @service
    class Baskets:
        def __init__(self, session: AsyncSession) -> None: ...

    assert only_problem_of(Baskets).what == (
        "parameter 'session': AsyncSession belongs to one request, but components live longer"
    )
