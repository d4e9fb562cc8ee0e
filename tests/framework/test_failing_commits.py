"""Components of a request that cannot commit what they hold."""

from collections.abc import Iterator

import pytest
from werkzeug.exceptions import Conflict
from werkzeug.test import TestResponse

from framework import (
    Application,
    Inject,
    Session,
    catch,
    component,
    configuration,
    controller,
    get,
)
from framework.testing import replace
from sessions import SessionContainer, Store
from tests.framework.visits import KEYS, Spy


class Transaction: ...


ENDED: list[str] = []


def answer_of_a_failing_commit(error: Exception, store: Store) -> TestResponse:
    """Sign in, with a component that cannot commit, and an exception handler for conflicts."""

    @configuration
    class Own:
        @component(scope="request")
        def transaction(self) -> Iterator[Transaction]:
            try:
                yield Transaction()
            finally:
                ENDED.append("ended")
            raise error

    @controller("/")
    class Page:
        @get("/")
        def sign_in(self, session: Session, connection: Inject[Transaction]) -> str:
            session["user"] = 1
            return "signed in"

        @catch(Conflict)
        def again(self, connection: Inject[Transaction]) -> str:
            return "somebody else was first"

    container = SessionContainer(keys=KEYS, store=store)
    with Application(Page, Own).test(replace(SessionContainer).to(container)) as client:
        return client.get("/")


@pytest.mark.parametrize(
    ("error", "status"), [(LookupError("a constraint is violated"), 500), (Conflict(), 409)]
)
def test_a_component_that_cannot_commit_leaves_no_trace_in_the_session(
    error: Exception, status: int
) -> None:
    """Whatever it is answered with, what the session would tell did not happen."""
    store = Spy()
    response = answer_of_a_failing_commit(error, store)

    assert response.status_code == status
    assert "Set-Cookie" not in response.headers
    assert store.calls == []


def test_a_component_that_cannot_commit_has_an_exception_handler() -> None:
    """It is an error like the handler's own; what answers it has a component of its own."""
    ENDED.clear()
    response = answer_of_a_failing_commit(Conflict(), Spy())

    assert response.text == "somebody else was first"
    assert ENDED == ["ended", "ended"]
