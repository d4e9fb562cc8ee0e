"""A guard whose check never returns True refuses every request, and start-up says so."""

# The checks below are as wrong as their authors would write them.
# ruff: noqa: ANN001, ANN201, RET501, RET503
# mypy: disable-error-code="return, empty-body, no-untyped-def"

from collections.abc import Callable
from typing import Any, NoReturn

import pytest
from werkzeug import exceptions
from werkzeug.exceptions import Forbidden, Unauthorized, abort

from framework import controller, get, guard, session
from tests.support.small_applications import client_of, only_problem_of, problems_of

Check = Callable[..., Any]


def require_user(found) -> None:
    if "user" not in found:
        raise Unauthorized


def refuse() -> NoReturn:
    raise Forbidden


class Refusals:
    @staticmethod
    def closed() -> NoReturn:
        raise Forbidden


def an_error_without_an_annotation(self, session: session):
    if "user" not in session:
        raise Unauthorized


def an_abort_on_one_way(self, session: session):
    if "user" not in session:
        abort(401)


def an_abort_on_one_way_of_a_bool(self, session: session) -> bool:
    if "user" not in session:
        abort(401)


def an_abort_of_a_module(self, session: session):
    if "user" not in session:
        exceptions.abort(401)


def a_call_that_refuses_some(self, session: session):
    require_user(session)


def a_bare_return(self, session: session):
    if "user" in session:
        return
    raise Unauthorized


def an_explicit_none(self, session: session):
    if "user" in session:
        return None
    raise Unauthorized


def any_annotation(self, session: session) -> Any:
    if "user" not in session:
        raise Unauthorized


def an_optional_bool(self, session: session) -> bool | None:
    if "user" not in session:
        refuse()


def a_loop(self, session: session):
    for name in ("user", "role"):
        if name not in session:
            raise Unauthorized


def an_error_that_is_caught(self, session: session):
    try:
        session["user"]
    except KeyError:
        abort(401)


FORGETFUL = [
    *(an_error_without_an_annotation, an_abort_on_one_way, an_abort_of_a_module),
    *(an_abort_on_one_way_of_a_bool, a_call_that_refuses_some, a_bare_return, any_annotation),
    *(an_optional_bool, a_loop, an_error_that_is_caught, an_explicit_none),
]


def refuses_all(self):
    raise Forbidden


def aborts_always(self):
    print("closed")
    abort(403)


def aborts_on_every_way(self, x: int = 0):
    if x:
        refuse()
    else:
        raise Unauthorized


def refuses_by_a_method_of_a_class(self):
    Refusals.closed()


def refuses_at_the_end(self):
    try:
        print("closed")
    finally:
        refuse()


def refuses_each_case(self, x: int = 0):
    match x:
        case 1:
            abort(401)
        case _:
            abort(403)


def a_stub(self) -> bool: ...


def returns_a_value_that_may_be_true(self, session: session):
    return session.get("is_admin") or None


def returns_true_on_one_way(self, session: session):
    if "user" in session:
        return True


RIGHT = [
    *(refuses_all, aborts_always, aborts_on_every_way, refuses_by_a_method_of_a_class),
    *(refuses_at_the_end, refuses_each_case, a_stub, returns_true_on_one_way),
    returns_a_value_that_may_be_true,
]


def pages_behind(check: Check) -> type:
    @controller("/")
    class Pages:
        @get("/")
        @guard(type("LoggedIn", (), {"check": check}))
        def show(self) -> str:
            return "shown"

    return Pages


@pytest.mark.parametrize("check", FORGETFUL)
def test_a_check_that_never_returns_true_is_a_mistake(check: Check) -> None:
    """Otherwise each request would be answered with 403, and only the log would say why."""
    mistake = only_problem_of(pages_behind(check))

    assert "never returns" in mistake.what
    assert "at the end of the" in mistake.remedy
    assert "(tests/framework/around/test_forgotten_verdicts.py:" in mistake.where


@pytest.mark.parametrize("check", RIGHT)
def test_other_checks_are_accepted(check: Check) -> None:
    """A check may refuse every request, if the code says so."""
    assert problems_of(pages_behind(check)) == ()


@pytest.mark.parametrize("check", RIGHT)
def test_the_right_checks_refuse_a_client_without_a_user(check: Check) -> None:
    """What start-up accepts answers as the check says."""
    with client_of(pages_behind(check)) as client:
        assert client.get("/").status_code in (401, 403)


def test_the_message_says_what_to_write() -> None:
    """The message names the one value that lets a request pass, and the other way to refuse."""
    mistake = only_problem_of(pages_behind(an_abort_on_one_way))

    assert mistake.what == "the check never returns True, but only True lets a request pass"
    assert mistake.remedy == (
        "Write return True at the end of the check. A check that refuses every request ends with"
        " raise Forbidden, or with abort(403)."
    )


def test_an_annotation_that_excludes_true_is_reported_once() -> None:
    """The annotation says already that no request passes."""

    def check(self, session: session) -> None:
        if "user" not in session:
            raise Unauthorized

    assert only_problem_of(pages_behind(check)).what.startswith("the check of the guard is annota")
