"""Python's own errors in a program: log and report add what to write instead."""

import logging
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from werkzeug.exceptions import HTTPException, NotFound, abort

from framework import Application, Request, Response, controller, get, session
from framework.advice.errors import note_remedy, remedy_for
from framework.redirects import redirect
from framework.results import HTML, JSON
from framework.serving.failures import describe
from tests.support.commands import Framework

Wrong = Callable[[Any, Any], object]

# What a handler does with the request and the session, and the end of what the log says.
USES: list[tuple[Wrong, str]] = [
    (lambda request, _: request.session["x"], "take the session, as in def show"),
    (lambda request, _: request.query_params, "page: int = 1; or write request.args."),
    (lambda request, _: request.GET, "or write request.args."),
    (lambda request, _: request.body(), "request.get_data() or request.form."),
    (lambda request, _: request.user, "session.set_user(...)"),
    (lambda request, _: request.state.user, "Annotated[T, SomeResolver]"),
    (lambda request, _: request.client.host, "Write request.remote_addr."),
    (lambda request, _: request.path_params, "as the variable of the path."),
    (lambda request, _: request.is_json(), "Write .is_json without parentheses"),
    (lambda request, _: request.args()["a"], "Write .args without parentheses"),
    (lambda _, __: Response("x").json({"a": 1}), "Write .json without parentheses"),  # type: ignore[misc]
    (lambda _, __: Response("x").render(), "return framework.results.JSON(value, status=201)."),  # type: ignore[attr-defined]
    (lambda _, __: Response("x", status_code=1), "The argument is called status. Response takes"),  # type: ignore[call-arg]
    (lambda _, __: Response(content="x"), "The body is the first argument. Response takes"),  # type: ignore[call-arg]
    (lambda _, __: Response("x", headers=5), 'as in headers={"X-Name": "value"}.'),  # type: ignore[arg-type]
    (lambda _, __: Response("x", headers={"X": "a\nb"}), "A header is one line"),
    (lambda _, __: Response().set_cookie("a", "b", http_only=True), "is called httponly."),  # type: ignore[call-arg]
    (lambda _, __: Response().set_cookie("a", {}), "The value of a cookie is a text"),  # type: ignore[arg-type]
    (lambda _, __: NotFound(detail="x"), "The argument is called description."),  # type: ignore[call-arg]
    (lambda _, __: HTTPException(status_code=1), "The class says the status"),  # type: ignore[call-arg]
    (lambda _, __: abort(299), "Give abort the status of an error, as in abort(404)"),
    (lambda _, __: redirect("/", code=302), "is called status. redirect takes target, status"),  # type: ignore[call-arg]
    (lambda _, __: JSON({}, status_code=201), "is called status. JSON takes value,"),  # type: ignore[call-arg]
    (lambda _, __: HTML("x", media_type="x"), "The argument is called mimetype."),  # type: ignore[call-arg]
    (lambda _, session: session["user"], "session.get('user') if the value may be missing."),
    (lambda _, session: session.get({}), "A key must be a text"),
    (lambda _, session: session.save(print), "save takes no arguments."),
    (lambda _, __: jsonify({}), "Return the dict, list or dataclass"),  # type: ignore[name-defined]  # noqa: F821
    (lambda _, __: query(ge=1), "Write `from framework import query`."),  # type: ignore[name-defined]  # noqa: F821
]


@pytest.mark.parametrize(("wrong", "remedy"), USES)
def test_the_log_of_a_failed_request_says_what_to_write(
    wrong: Wrong, remedy: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The last line after the traceback is the remedy."""

    @controller("/")
    class Pages:
        @get("/")
        def show(self, request: Request, session: session) -> str:
            return str(wrong(request, session))

    with Application(Pages).test() as client, caplog.at_level(logging.ERROR):
        assert client.get("/").status_code == 500

    (record,) = caplog.records
    assert record.exc_info
    last = traceback.format_exception(record.exc_info[1])[-1]
    assert last.startswith("Fix: ")
    assert remedy in last


@dataclass
class Note:
    title: str = "milk"


def _read(note: Any) -> object:
    return note["title"]


def _written(note: Any) -> None:
    note["title"] = "tea"


def _unknown(note: Any) -> object:
    return note["colour"]


@pytest.mark.parametrize(
    ("use", "remedy"),
    [
        (_read, "Write note.title: the fields of Note are attributes."),
        (_written, "Write note.title: the fields of Note are attributes."),
        (_unknown, None),
    ],
)
def test_reading_a_field_like_a_dict_key_has_a_remedy(
    use: Callable[[Any], object], remedy: str | None
) -> None:
    """A body is an object of its class, not a dict."""
    with pytest.raises(TypeError) as caught:
        use(Note())

    assert remedy_for(caught.value) == remedy


PROGRAMS = [
    (
        "from framework.exceptions import NotFound",
        "Write `from werkzeug.exceptions import NotFound`",
    ),
    ("import framework.routing", "There is no framework.routing"),
    ("from framework import Application\n@Application.get('/')\ndef f(): ...", "Decorate a method"),
    (
        "from framework.static import StaticFiles\nStaticFiles('static')",
        "Write a class of your own",
    ),
    ("from framework import get\nresponse = jsonify({})", "Return the dict, list or dataclass"),
    ("import os\nos.environ['NOT_SET_HERE']", "Set the environment variable NOT_SET_HERE"),
]


@pytest.mark.parametrize(("program", "remedy"), PROGRAMS)
def test_check_says_what_to_write(
    program: str, remedy: str, framework: Framework, tmp_path: Path
) -> None:
    """An error at import has the same remedies."""
    (tmp_path / "app.py").write_text(program, encoding="utf-8")

    told = framework("check").output

    assert f"Fix: {remedy}" in told
    assert "app.py" in told


def test_an_error_without_a_known_remedy_is_not_changed() -> None:
    """There is no remedy for other errors of the program."""
    for error in (ValueError("x"), KeyError("x"), TypeError("x"), AttributeError("x")):
        assert remedy_for(error) is None
        note_remedy(error)
        assert not hasattr(error, "__notes__")


def test_a_remedy_is_noted_once() -> None:
    """The remedy is not added a second time to the same error."""
    try:
        request: Any = Request({})
        request.GET  # noqa: B018
    except AttributeError as caught:
        error = caught

    note_remedy(error)
    note_remedy(error)

    assert describe(error).count("Fix: ") == 1
