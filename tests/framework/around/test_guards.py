"""Guards let a request pass only with True, and before anything else is read."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import update_wrapper, wraps
from typing import Any

import pytest
from werkzeug.exceptions import Unauthorized

from framework import (
    Application,
    Body,
    Session,
    controller,
    get,
    guard,
    options,
    post,
)
from tests.support.guards import Answering, LoggedIn, Named, Users, page_guarded_by
from tests.support.small_applications import client_of, only_problem_of


def test_a_guard_is_injected_and_reads_the_request() -> None:
    """The constructor gets components; the check has parameters like a handler's."""
    with client_of(page_guarded_by(LoggedIn), Users) as client:
        refused = client.get("/")
        with client.session() as session:
            session["user"] = "ann"
        passed = client.get("/")

    assert (refused.status_code, passed.status_code) == (403, 200)
    assert refused.mimetype == "application/problem+json"


@pytest.mark.parametrize("answer", [False, None, 1, "yes", [True], Users])
def test_only_true_passes(answer: object) -> None:
    """Any other result of a check is a refusal, also a true one such as 1."""
    with client_of(page_guarded_by(Answering(answer))) as client:
        assert client.get("/").status_code == 403


@pytest.mark.parametrize(("answer", "kind"), [(None, "NoneType"), (1, "int"), (Users, "type")])
def test_a_result_that_is_neither_true_nor_false_is_logged_once(
    answer: object, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The log does not show the value; False is not logged."""
    with client_of(page_guarded_by(Answering(answer), Answering(False))) as client:
        client.get("/")
        client.get("/")
    with client_of(page_guarded_by(Answering(False))) as client:
        client.get("/")

    (record,) = caplog.records
    assert record.getMessage().startswith("Answering.check (")
    shown = "None" if answer is None else f"an object of type {kind}"
    assert f"returned {shown}, but only True lets a request pass" in record.getMessage()


def test_true_passes() -> None:
    """Then the handler answers."""
    with client_of(page_guarded_by(Answering(True))) as client:
        assert client.get("/").text == "shown"


def test_a_guard_chooses_its_own_refusal() -> None:
    """The HTTP error that it raises is the answer."""

    class Asking:
        def check(self) -> bool:
            raise Unauthorized("Log in first.")

    with client_of(page_guarded_by(Asking)) as client:
        response = client.get("/")

    assert response.status_code == 401
    assert response.get_json()["detail"] == "Log in first."


def test_a_request_is_refused_if_its_guard_raises() -> None:
    """An exception in a guard is a 500, and the handler does not run."""

    class Failing:
        def check(self) -> bool:
            raise LookupError("a secret")

    with client_of(page_guarded_by(Failing)) as client:
        response = client.get("/")

    assert response.status_code == 500
    assert "shown" not in response.text


def test_guards_do_not_run_on_an_automatic_options() -> None:
    """The list of methods is not secret; a handler of OPTIONS is guarded."""
    checks: list[str] = []

    @controller("/")
    @guard(Named("asked", checks), Answering(False))
    class Page:
        @get("/automatic")
        def show(self) -> str:
            return "shown"

        @options("/own")
        def tell(self) -> str:
            return "told"

    with client_of(Page) as client:
        assert client.options("/automatic").status_code == 204
        assert checks == []
        assert client.options("/own").status_code == 403


def test_head_is_guarded_as_get() -> None:
    """HEAD is refused if GET is refused."""
    with client_of(page_guarded_by(Answering(False))) as client:
        assert client.head("/").status_code == 403


def test_a_guard_refuses_before_the_parameters_are_read() -> None:
    """A stranger learns nothing about what a handler expects."""

    @controller("/")
    class Page:
        @post("/")
        @guard(Answering(False))
        def make(self, body: Body[dict[str, int]]) -> str:
            return "made"

    with client_of(Page) as client:
        assert client.post("/", data="{", content_type="application/json").status_code == 403


def test_a_guard_may_take_a_variable_of_the_path() -> None:
    """The guard need not take all variables."""

    class Owner:
        def check(self, user_id: int, session: Session) -> bool:
            return bool(session.get("user_id", 1) == user_id)

    @controller("/users")
    class Pages:
        @get("/<int:user_id>/notes/<int:note_id>")
        @guard(Owner)
        def show(self, user_id: int, note_id: int) -> int:
            return note_id

    with client_of(Pages) as client:
        assert client.get("/users/1/notes/7").get_json() == 7
        assert client.get("/users/2/notes/7").status_code == 403


def test_a_value_that_a_guard_cannot_read_is_invalid() -> None:
    """The parameters of a guard are validated like a handler's."""

    class Paged:
        def check(self, page: int) -> bool:
            return page > 0

    with client_of(page_guarded_by(Paged)) as client:
        assert client.get("/?page=x").status_code == 422
        assert client.get("/?page=1").status_code == 200


def test_a_session_that_only_a_guard_touches_is_saved() -> None:
    """The handler need not take the session."""

    class Counting:
        def check(self, session: Session) -> bool:
            session["checks"] = session.get("checks", 0) + 1
            return True

    with client_of(page_guarded_by(Counting)) as client:
        client.get("/")
        client.get("/")
        with client.session() as session:
            assert session["checks"] == 2


def test_a_handler_may_know_its_application() -> None:
    """Other handlers are reachable through the application, but no decorator is hidden."""

    @controller("/")
    class Page:
        @get("/")
        @guard(Answering(True))
        def show(self) -> str:
            return f"of {len(application.handlers)}"

        @get("/other")
        @guard(Answering(False))
        def other(self) -> str:
            return f"of {len(application.handlers)}"

    application = Application(Page)

    with Application(Page).test() as client:
        assert client.get("/").text == "of 2"


def test_a_decorator_that_copies_only_the_name_hides_a_guard() -> None:
    """Name and signature are kept, but the guard is lost."""

    def naming(function: Callable[[Any], str]) -> Callable[[Any], str]:
        return update_wrapper(lambda self: function(self), function, updated=())

    @controller("/")
    class Page:
        @get("/")
        @naming
        @guard(Answering(False))
        def show(self) -> str:
            return "shown"

    assert only_problem_of(Page).what.startswith("@guard does nothing here")


def test_a_decorator_may_call_a_handler_that_was_put_into_another_class() -> None:
    """The handler has its guard in that other class."""

    @get("/listed")
    @guard(Answering(False))
    def listed(self: object) -> str:
        return "listed"

    def after_listing(function: Callable[[Any], str]) -> Callable[[Any], str]:
        @wraps(function)
        def wrapper(self: object) -> str:
            return f"{listed(self)}, {function(self)}"

        return wrapper

    @controller("/")
    class Page:
        @get("/")
        @after_listing
        def show(self) -> str:
            return "shown"

    other = controller("/other")(type("Other", (), {"index": listed}))

    with client_of(Page, other) as client:
        assert client.get("/").text == "listed, shown"
        assert client.get("/other/listed").status_code == 403


@dataclass(frozen=True)
class Either:
    """A guard that is equal to every other one, because only its name is compared."""

    name: str = "either"
    verdict: bool = field(default=True, compare=False)

    def check(self) -> bool:
        return self.verdict


def test_guards_that_are_equal_are_not_the_same() -> None:
    """Each of two equal guards runs, because they may decide differently."""
    with client_of(page_guarded_by(Either(verdict=True), Either(verdict=False))) as client:
        assert client.get("/").status_code == 403
