"""Methods that promise a value and return None: start-up and the log tell of them."""

# The methods below are as wrong as their authors would write them.
# ruff: noqa: ANN001, ANN201, B015, B018, B021, PIE790, RET503
# mypy: disable-error-code="return, return-value, empty-body, no-untyped-def"

import logging
from collections.abc import Callable, Iterator
from functools import wraps
from typing import Annotated, Any, NoReturn

import pytest
from werkzeug.exceptions import HTTPException, abort

from framework import Application, Response, catch, controller, get, guard, session
from tests.support.small_applications import only_problem_of, problems_of

Method = Callable[..., Any]


def render(name: str) -> str:
    return name


def give_up() -> NoReturn:
    abort(410)


def forgetful(function: Method) -> Method:
    @wraps(function)
    def wrapper(*args: object, **kwargs: object) -> object:
        function(*args, **kwargs)

    return wrapper


def only_a_text(self: object) -> str:
    "hello"


def only_a_call(self: object) -> str:
    render("index.html")


def a_value_that_is_kept(self: object) -> dict[str, int]:
    found = {"count": 1}
    found["count"] += 1


def a_bare_return(self: object, x: int = 0) -> list[int]:
    if x:
        return
    print(x)
    return


def a_return_of_another_function(self: object) -> bytes:
    def inner() -> bytes:
        return b""

    inner()


def an_abort_on_one_way(self: object, x: int = 0) -> str:
    if x > 3:
        abort(404)
    render("index.html")


def a_dict_without_annotation(self):
    x = 1
    {"count": x}


def a_text_without_annotation(self):
    f"{self}"


FORGETFUL: list[tuple[Method, str]] = [
    (only_a_text, "return 'hello'"),
    (only_a_call, "return render('index.html')"),
    (a_value_that_is_kept, "Write return and the value at the end of the method"),
    (a_bare_return, "Write return and the value at the end of the method"),
    (a_return_of_another_function, "return inner()"),
    (an_abort_on_one_way, "return render('index.html')"),
    (a_dict_without_annotation, "return {'count': x}"),
    (a_text_without_annotation, "return f'{self}'"),
]


def pages_of(method: Method) -> type:
    return controller("/")(type("Pages", (), {"show": get("/")(method)}))


@pytest.mark.parametrize(("method", "remedy"), FORGETFUL)
def test_a_handler_whose_return_is_forgotten_is_a_mistake(method: Method, remedy: str) -> None:
    """Otherwise each request would be answered with 204, and nothing would say why."""
    mistake = only_problem_of(pages_of(method))

    assert mistake.what.endswith("never returns a value")
    assert remedy in mistake.remedy
    assert "(tests/framework/types/test_forgotten_returns.py:" in mistake.where


def test_the_remedy_names_the_line() -> None:
    """A reader goes to the line, not to the beginning of the method."""

    @controller("/")
    class Pages:
        @get("/")
        def show(self) -> str:
            name = "index.html"
            render(name)

    mistake = only_problem_of(Pages)

    line = vars(Pages)["show"].__code__.co_firstlineno + 3
    assert mistake.remedy == f"Write return in line {line}: return render(name)"


def a_stub(self: object) -> str: ...


def a_stub_with_a_docstring(self: object) -> str:
    """Show the page."""
    ...


def a_stub_that_passes(self: object) -> str:
    pass


def an_end_by_abort(self: object) -> str:
    abort(404)


def an_end_by_a_function(self: object) -> str:
    give_up()


def an_error(self: object) -> str:
    raise NotImplementedError


def a_condition(self: object, x: int = 0) -> str:
    return "x" if x else None


def a_shortcut(self: object, x: str = "") -> str:
    return x and None


def a_generator(self: object) -> Iterator[str]:
    yield "x"


def a_value_or_nothing(self: object) -> str | None:
    return None


def nothing(self: object) -> None:
    render("x")


def anything(self: object) -> Any:
    render("x")


def no_annotation(self):
    render("x")


def a_docstring(self):
    """Do nothing yet."""


@pytest.mark.parametrize(
    "method",
    [
        *(a_stub, a_stub_with_a_docstring, a_stub_that_passes, an_end_by_abort),
        *(an_end_by_a_function, an_error, a_condition, a_shortcut, a_generator),
        *(a_value_or_nothing, nothing, anything, no_annotation, a_docstring),
    ],
)
def test_other_handlers_are_accepted(method: Method) -> None:
    """Start-up refuses only what is certainly wrong."""
    assert problems_of(pages_of(method)) == ()


def test_a_decorator_that_forgets_the_result_is_named() -> None:
    """The mistake is in the function around the method."""

    @controller("/")
    class Pages:
        @get("/")
        @forgetful
        def show(self) -> str:
            return "shown"

    mistake = only_problem_of(Pages)

    assert mistake.what.startswith("wrapper() (tests/framework/types/test_forgotten_returns.py:")
    assert "return function(*args, **kwargs)" in mistake.remedy


class Forgets:
    def check(self, session: session) -> bool:
        "user" in session


class ForgetsUser:
    def resolve(self, session: session) -> str:
        session.get("user")


def test_a_guard_a_resolver_and_an_exception_handler_are_checked_too() -> None:
    """A guard would refuse every request, and a handler would get None."""

    @controller("/")
    class Pages:
        @get("/")
        @guard(Forgets)
        def show(self) -> str:
            return "shown"

        @get("/name")
        def name(self, user: Annotated[str, ForgetsUser]) -> str:
            return user

        @catch(ValueError)
        def wrong(self, error: ValueError) -> str:
            str(error)

    remedies = {mistake.remedy.partition(": ")[2] for mistake in problems_of(Pages)}

    assert remedies == {
        "return 'user' in session",
        "return session.get('user')",
        "return str(error)",
    }


def test_a_handler_that_returns_none_on_one_way_fails_with_the_remedy(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The source does not show which ways are possible, so a request has to."""

    @controller("/")
    class Pages:
        @get("/")
        def show(self, x: int = 0) -> dict[str, int]:
            if x:
                return {"x": x}

    with Application(Pages).test() as client, caplog.at_level(logging.ERROR):
        assert client.get("/?x=1").json == {"x": 1}
        assert client.get("/").status_code == 500

    told = str(caplog.records[0].exc_info)
    assert "Pages.show (tests/framework/types/test_forgotten_returns.py:" in told
    assert "Fix: return a value in every case" in told
    assert "-> dict[str, int] | None" in told


def test_none_is_answered_with_204_where_it_is_allowed() -> None:
    """None is allowed by the annotation, or by a status that has no body."""

    @controller("/")
    class Pages:
        @get("/")
        def show(self, x: int = 0) -> str | None:
            return "x" if x else None

        @get("/none", status=204)
        def none(self) -> Response:
            return None

        @catch(HTTPException)
        def wrong(self) -> None: ...

    with Application(Pages).test() as client:
        assert client.get("/").status_code == 204
        assert client.get("/none").status_code == 204
