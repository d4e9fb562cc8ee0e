"""Mistakes of programs: each message says what is wrong, where, and how to correct it."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from werkzeug.exceptions import NotFound

from framework import (
    Inject,
    Session,
    catch,
    component,
    configuration,
    controller,
    get,
    guard,
)
from framework.serving.failures import describe
from sessions import CookieSettings, SessionContainer
from tests.support.commands import Framework
from tests.support.small_applications import client_of, echo_of, only_problem_of, problems_of


@dataclass
class Item:
    name: str


class TakesAnything:
    def check(self, *args: object) -> bool:
        return bool(args)


def path_of(path: str, annotation: Any) -> type:
    """Make a controller with one handler for the path, which takes `x`."""

    @controller("/")
    class Pages:
        @get(path)
        def show(self, x: Any) -> None: ...

    Pages.show.__annotations__["x"] = annotation
    return Pages


@pytest.mark.parametrize(
    ("path", "annotation", "what", "remedy"),
    [
        ("/<x>", Session, "has the name of a path variable", "another name"),
        ("/<x>", Item, "has the name of a path variable", "another name"),
        ("/<int:x", int, "has a variable without its '>'", "'/items/<int:item_id>'"),
        ("/int:x>", int, "has a variable without its '<'", "'/items/<int:item_id>'"),
        ("/<number:x>", int, "'number' does not exist", "Did you mean 'int'?"),
        ("/<str:x>", str, "'str' does not exist", "Did you mean 'string'?"),
        ("/*x", str, "holds '*x', which is plain text", "Write <path:x>."),
        ("/a?x=1", int, "holds '?', and no path", "To read the query"),
        ("/a#x", int, "holds '#', and no path", "Write only the path"),
        ("/", Inject.__class__, "nothing says where it comes from", "Inject["),
        ("/", object, "nothing says where it comes from", "x: str for a query value"),
        ("/", Any, "nothing says where it comes from", "x: Inject[Mailer]"),
        ("/", "Sesion", "does not exist when the program runs; did you mean 'Session'?", "Correct"),
        ("/", "Itme", "does not exist when the program runs; did you mean 'Item'?", "Correct"),
        ("/", "Zebra", "does not exist when the program runs", "Import Zebra at the top"),
    ],
)
def test_a_wrong_parameter_has_a_remedy(path: str, annotation: Any, what: str, remedy: str) -> None:
    """A wrong path, type or name has its own remedy."""
    found = problems_of(path_of(path, annotation))

    assert any(what in mistake.what and remedy in mistake.remedy for mistake in found), found
    assert all("test_remedies.py" in mistake.where for mistake in found)


def test_data_that_is_injected_may_be_the_body() -> None:
    """A dataclass that nothing provides is probably data of the request."""
    marked: Any = Inject
    problem = only_problem_of(echo_of(marked[Item]))

    assert problem.remedy.startswith("If it is data of the request, write Body[Item] or Form[Item]")


def test_variadic_parameters_are_those_of_the_guard() -> None:
    """The message names the function that has the parameters."""

    @controller("/")
    class Pages:
        @get("/")
        @guard(TakesAnything)
        def show(self) -> None: ...

    assert only_problem_of(Pages).what.startswith("TakesAnything.check takes *args")


@pytest.mark.parametrize("hide", [property, cached_property])
def test_a_property_is_not_a_handler(hide: Callable[[Any], Any]) -> None:
    """A request calls a method, and a property is an attribute."""

    @controller("/")
    class Pages:
        shown = hide(get("/")(lambda self: ""))

    mistakes = problems_of(Pages)
    remedies = [mistake.remedy for mistake in mistakes]
    assert f"Remove @{hide.__name__}: a request calls the method." in remedies


RESULTS: list[tuple[Any, str]] = [
    (NotFound("gone"), "Fix: raise the error: raise NotFound(...)"),
    (LookupError(), "Fix: raise the error: raise LookupError(...)"),
    (Path("report.pdf"), "return werkzeug.utils.send_file(path, request.environ)"),
    ({"file": BytesIO()}, "return werkzeug.utils.send_file(file, request.environ)"),
    (Item, "Fix: return an object of the class, not the class"),
    ([len], "Fix: call the function, and return what it returns"),
]


@pytest.mark.parametrize(("result", "remedy"), RESULTS)
def test_a_wrong_result_has_a_remedy(
    result: object, remedy: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The log has the handler and the remedy for objects that are often returned by mistake."""

    @controller("/")
    class Pages:
        @get("/")
        def show(self) -> Any:
            return result

    with caplog.at_level(logging.ERROR), client_of(Pages) as client:
        assert client.get("/").status_code == 500

    assert caplog.records[0].exc_info
    assert remedy in str(caplog.records[0].exc_info[1])


def test_an_error_as_the_return_type_is_a_mistake() -> None:
    """A handler raises an error, and does not return it."""

    @controller("/")
    class Pages:
        @get("/")
        def show(self) -> NotFound:
            return NotFound()

    problem = only_problem_of(Pages)
    assert problem.what == "the handler returns NotFound, which is an error"
    assert problem.remedy.startswith("Raise the error, as in raise NotFound(...)")


WRONG: Any = {"samesite": "Lax"}


@configuration
class Cookies:
    @component
    def session_container(self) -> SessionContainer:
        return SessionContainer(keys=["a key of 32 bytes or of some more"], cookie=cookie())


def cookie() -> CookieSettings:
    return CookieSettings(**WRONG)


def test_an_unknown_argument_in_a_component_method_is_guessed() -> None:
    """The message names the class that was called, anywhere in the method."""
    problem = only_problem_of(path_of("/", Session), Cookies)

    assert problem.remedy.startswith("Did you mean 'same_site'? CookieSettings takes ")


def test_an_unknown_argument_in_a_module_is_guessed(framework: Framework, tmp_path: Path) -> None:
    """A module that cannot be imported has the same remedy."""
    (tmp_path / "app.py").write_text(
        "import sessions\nCOOKIE = sessions.CookieSettings(samesite='Lax')\n", encoding="utf-8"
    )

    output = framework("check").output

    assert "Fix: did you mean 'same_site'? CookieSettings takes " in output


def test_an_error_without_a_remedy_is_shown_as_it_is() -> None:
    """Nothing is guessed for an argument of a function that cannot be found."""
    assert "Fix:" not in describe(TypeError("f() got an unexpected keyword argument 'x'"))


def test_a_missing_argument_is_named(framework: Framework, tmp_path: Path) -> None:
    """The message says which argument is missing, and which ones there are."""
    (tmp_path / "app.py").write_text(
        "from sessions import SessionContainer\nSESSIONS = SessionContainer()\n", encoding="utf-8"
    )

    output = framework("check").output

    assert "Fix: give 'keys'. SessionContainer takes keys, store, cookie" in output


def test_catching_a_status_number_is_explained() -> None:
    """The message names the exception of the status."""
    status: Any = 404

    with pytest.raises(TypeError, match=r"write @catch\(NotFound\), and import it: from"):
        catch(status)
