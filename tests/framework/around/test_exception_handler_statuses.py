"""The status of an exception handler's result, if neither result nor decorator gives one."""

from collections.abc import Callable
from typing import Any

import pytest
from werkzeug.datastructures import WWWAuthenticate
from werkzeug.exceptions import (
    HTTPException,
    NotFound,
    ServiceUnavailable,
    Unauthorized,
    abort,
)
from werkzeug.routing import RequestRedirect
from werkzeug.utils import redirect

from framework import Response, Session, catch, configuration, controller, get, guard, post
from sessions.errors import SessionTooLarge, StoreUnavailable
from tests.support.guards import Answering
from tests.support.small_applications import client_of


@controller("/")
class Pages:
    @post("/numbers/<int:number>")
    def number(self, number: int, page: int = 1) -> int:
        return number

    @get("/guarded")
    @guard(Answering(False))
    def guarded(self) -> str:
        return "shown"

    @get("/broken")
    def broken(self, session: Session) -> str:
        session["half"] = "done"
        raise ValueError("a secret")


@configuration
class Everything:
    @catch(Exception)
    def failed(self, error: Exception) -> dict[str, str]:
        return {"error": type(error).__name__}


def raising(error: Callable[[], object]) -> type:
    """Make a controller whose handler raises an error."""

    @controller("/")
    class Page:
        @get("/")
        def show(self) -> Any:
            error()

    return Page


def moved_to(path: str) -> None:
    """Redirect as Werkzeug's routing does."""
    raise RequestRedirect(path)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/guarded", 403),
        ("GET", "/nothing", 404),
        ("GET", "/numbers/1", 405),
        ("POST", "/numbers/1?page=x", 422),
        ("GET", "/broken", 500),
    ],
)
def test_a_handler_of_all_errors_keeps_the_status_of_the_error(
    method: str, path: str, status: int
) -> None:
    """A page for all errors does not turn them into successes."""
    with client_of(Pages, Everything) as client:
        response = client.open(path, method=method)

    assert response.status_code == status
    assert "error" in response.get_json()


def test_a_handler_of_all_errors_discards_the_session_changes() -> None:
    """The handler may have failed at any point, so no change is saved."""
    with client_of(Pages, Everything) as client:
        client.get("/broken")
        with client.session() as session:
            assert "half" not in session


def test_an_exception_that_is_named_has_no_status() -> None:
    """The user knows this exception, so the result is rendered like a handler's."""

    @configuration
    class Errors:
        @catch(LookupError)
        def lookup(self) -> str:
            return "none"

        @catch(ValueError)
        def value(self) -> None: ...

    def fail() -> None:
        raise KeyError

    def fail_more() -> None:
        raise ValueError

    with client_of(raising(fail), Errors) as client:
        assert client.get("/").status_code == 200
    with client_of(raising(fail_more), Errors) as client:
        assert client.get("/").status_code == 204


@pytest.mark.parametrize(
    ("error", "status", "header"),
    [
        (lambda: ServiceUnavailable(retry_after=7), 503, ("Retry-After", "7")),
        (lambda: StoreUnavailable("gone"), 503, ("Retry-After", "1")),
        (lambda: SessionTooLarge("cart"), 500, ("Content-Type", "application/json")),
        (lambda: HTTPException("odd"), 500, ("Content-Type", "application/json")),
    ],
)
def test_an_error_keeps_its_status_and_its_headers(
    error: Callable[[], Exception], status: int, header: tuple[str, str]
) -> None:
    """A broken store does not become a success."""

    def fail() -> None:
        raise error()

    with client_of(raising(fail), Everything) as client:
        response = client.get("/")

    assert response.status_code == status
    assert header in response.headers.items()


def test_a_405_that_is_caught_keeps_the_allow_header() -> None:
    """RFC 9110, 15.5.6; also if the decorator gives the same status."""

    @configuration
    class Errors:
        @catch(HTTPException, status=405)
        def refused(self) -> None: ...

    with client_of(Pages, Errors) as client:
        response = client.get("/numbers/1")

    assert response.status_code == 405
    assert response.headers["Allow"] == "OPTIONS, POST"


def test_a_status_that_is_given_is_the_status() -> None:
    """The decorator or a Response gives it; the headers of the error are not sent."""

    @configuration
    class Errors:
        @catch(Unauthorized, status=404)
        def hidden(self) -> str:
            return "nothing"

        @catch(ServiceUnavailable)
        def stale(self) -> Response:
            return Response("as of yesterday", 200)

    def deny() -> None:
        raise Unauthorized(www_authenticate=WWWAuthenticate("basic"))

    def break_down() -> None:
        raise ServiceUnavailable(retry_after=7)

    with client_of(raising(deny), Errors) as client:
        hidden = client.get("/")
    with client_of(raising(break_down), Errors) as client:
        stale = client.get("/")

    assert (hidden.status_code, hidden.headers.get("WWW-Authenticate")) == (404, None)
    assert (stale.status_code, stale.headers.get("Retry-After")) == (200, None)


@pytest.mark.parametrize(
    "answer",
    [
        lambda: abort(redirect("/other")),
        lambda: abort(Response("own", 402)),
        lambda: moved_to("/other"),
    ],
)
def test_an_answer_that_is_raised_is_not_caught(answer: Callable[[], object]) -> None:
    """A raised answer is not an error, so it is sent unchanged."""
    with client_of(raising(answer), Everything) as client:
        response = client.get("/")

    assert response.status_code in (302, 308, 402)
    assert response.mimetype != "application/json"


def test_an_error_with_a_response_of_its_own_is_caught() -> None:
    """The error has a status code of 400 or more."""

    def fail() -> None:
        raise NotFound(response=Response("own", 404))

    with client_of(raising(fail), Everything) as client:
        response = client.get("/")

    assert (response.status_code, response.get_json()) == (404, {"error": "NotFound"})


def test_a_method_may_catch_errors_with_a_status_each() -> None:
    """A method has two decorators, one above the other."""

    @configuration
    class Errors:
        @catch(KeyError, status=404)
        @catch(ValueError, status=400)
        def failed(self, error: KeyError | ValueError) -> str:
            return type(error).__name__

    statuses = []
    for kind in (KeyError, ValueError):

        def fail(kind: type[Exception] = kind) -> None:
            raise kind

        with client_of(raising(fail), Errors) as client:
            statuses.append(client.get("/").status_code)

    assert statuses == [404, 400]
