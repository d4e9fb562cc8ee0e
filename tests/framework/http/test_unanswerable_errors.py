"""HTTP errors from which no answer can be made: a 500, and a log line that names the handler."""

import logging
from typing import Annotated, Any

import pytest
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound, ServiceUnavailable

from framework import (
    Application,
    Middleware,
    Next,
    Request,
    Response,
    catch,
    component,
    configuration,
    controller,
    get,
    guard,
)


class TextualStatus(HTTPException):
    code: Any = "404"


class ImpossibleStatus(HTTPException):
    code = 1000


class RaisingHeaders(NotFound):
    def get_headers(self, *_: object, **__: object) -> list[tuple[str, str]]:
        raise LookupError("no headers")


class TextualAnswer(HTTPException):
    code = 302

    def get_response(self, *_: object, **__: object) -> Any:
        return "elsewhere"


NOT_AN_ANSWER: Any = {"a": 1}
TEXT: Any = "no such thing"
NUMBER: Any = 404
ERRORS: dict[str, tuple[HTTPException, str]] = {
    "a status and a text": (HTTPException(NUMBER, TEXT), 'abort(404, "text")'),
    "a text and a number": (HTTPException("gone", NUMBER), "which is not a Response"),
    "a text and a dict": (NotFound("gone", NOT_AN_ANSWER), 'write NotFound("text")'),
    "a dict as the response": (ServiceUnavailable(response=NOT_AN_ANSWER), "{'a': 1}"),
    "only a status": (HTTPException(NUMBER), "HTTPException has no status"),
    "nothing": (HTTPException(), "HTTPException has no status"),
    "a status that is a text": (TextualStatus(), "the status '404'"),
    "a status that is too large": (ImpossibleStatus(), "the status 1000"),
    "headers that raise": (RaisingHeaders(), "no headers"),
    "an answer that is a text": (TextualAnswer(), "'str' object"),
    "methods that are a number": (MethodNotAllowed(NUMBER), "iterable"),
}
BROWSER = {"Accept": "text/html"}
RAISED: list[HTTPException] = [NotFound()]


def raise_it() -> Any:
    raise RAISED[0]


class Raising:
    def check(self) -> bool:
        return bool(raise_it())

    def resolve(self) -> str:
        return str(raise_it())


@controller("/")
class Pages:
    @get("/handler")
    def handler(self) -> str:
        return str(raise_it())

    @get("/guard")
    @guard(Raising)
    def guarded(self) -> str:
        return ""

    @get("/resolver")
    def resolved(self, name: Annotated[str, Raising]) -> str:
        return name

    @get("/exception-handler")
    def failing(self) -> str:
        raise LookupError

    @catch(LookupError)
    def caught(self) -> str:
        return str(raise_it())


def outer(request: Request, next: Next) -> Response:
    return raise_it() if request.path == "/middleware" else next(request)


@configuration
class Around:
    @component
    def middleware(self) -> list[Middleware]:
        return [outer]


@configuration
class CatchesErrors:
    @catch(HTTPException)
    def refused(self, error: HTTPException) -> str:
        return f"caught {error.code}"


@configuration
class CatchesEverything:
    @catch(Exception)
    def failed(self, error: Exception) -> str:
        return f"caught {type(error).__name__}"


@pytest.mark.parametrize(
    "path", ["/handler", "/guard", "/resolver", "/exception-handler", "/middleware"]
)
@pytest.mark.parametrize(("error", "told"), ERRORS.values(), ids=ERRORS)
@pytest.mark.parametrize("headers", [{}, BROWSER], ids=["program", "browser"])
def test_an_unanswerable_error_is_a_logged_500(
    error: HTTPException,
    told: str,
    path: str,
    headers: dict[str, str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The client gets a 500, and the log says what is wrong, for every place of the error."""
    RAISED[0] = error

    with caplog.at_level(logging.ERROR), Application(Pages, Around).test() as client:
        response = client.get(path, headers=headers)

    assert response.status_code == 500
    (record,) = caplog.records
    assert record.getMessage().startswith(
        f"GET {path} in Pages." if path != "/middleware" else "GET"
    )
    assert record.exc_info
    assert told in str(record.exc_info[1])


@pytest.mark.parametrize(
    "name", ["a status and a text", "only a status", "a status that is a text"]
)
def test_an_unanswerable_error_is_a_bug_for_exception_handlers(name: str) -> None:
    """Only `@catch(Exception)` sees it, like any other bug."""
    RAISED[0] = ERRORS[name][0]

    with Application(Pages, CatchesErrors).test() as client:
        assert client.get("/handler").status_code == 500
    with Application(Pages, CatchesEverything).test() as client:
        response = client.get("/handler")
    assert (response.status_code, response.text) == (500, "caught UnanswerableError")


@pytest.mark.parametrize("name", ["a text and a dict", "headers that raise"])
def test_an_unanswerable_error_reaches_the_debugger(name: str) -> None:
    """With debug, the error goes on to the server, like every bug."""
    RAISED[0] = ERRORS[name][0]

    with Application(Pages, debug=True).test() as client, pytest.raises((TypeError, LookupError)):
        client.get("/handler")


class Late:
    """A text that is translated when it is shown."""

    def __str__(self) -> str:
        return "translated"


@pytest.mark.parametrize(
    ("description", "detail"),
    [(ValueError("too small"), "too small"), (Late(), "translated"), ({"a": 1}, "{'a': 1}")],
)
def test_the_detail_is_a_text(description: Any, detail: str) -> None:
    """A description of another type is converted to a text, as RFC 9457 requires."""
    RAISED[0] = NotFound(description)

    with Application(Pages).test() as client:
        response = client.get("/handler")

    assert (response.status_code, response.json["detail"]) == (404, detail)
