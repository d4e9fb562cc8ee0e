"""Exception handlers: the most specific type decides, then the nearest layer."""

import pytest
from werkzeug.exceptions import Forbidden

from framework import (
    Application,
    Middleware,
    Next,
    Request,
    Response,
    Session,
    catch,
    component,
    configuration,
    controller,
    get,
    guard,
)
from framework.testing import Client
from tests.support.raising_controllers import Errors, Pages, Plain, UnknownUser, answer
from tests.support.small_applications import client_of


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/user", (404, "controller: UnknownUser")),
        ("/key", (410, "controller: gone")),
        ("/admin", (200, "application: admin")),
        ("/plain/user", (200, '{"application":"UnknownUser"}')),
        ("/plain/admin", (200, "application: admin")),
    ],
    ids=["exact", "base", "more specific", "farther layer", "only layer"],
)
def test_the_most_specific_type_decides_then_the_nearest_layer(
    path: str, expected: tuple[int, str]
) -> None:
    """A farther handler of the exact type wins over a nearer one of a base type."""
    assert answer(path) == expected


def test_an_error_without_an_exception_handler_is_answered_as_usual() -> None:
    """A bug is a 500, and an HTTP error is answered with its own status."""
    assert answer("/value")[0] == 500
    assert answer("/conflict")[0] == 409


@pytest.mark.parametrize(("path", "text"), [("/forbidden", "application: 403")])
def test_http_errors_can_be_caught(path: str, text: str) -> None:
    """HTTP errors are exceptions like any other."""
    assert answer(path) == (404, text)


def test_a_configuration_catches_404_of_unknown_paths() -> None:
    """An application can have its own 404 page."""
    assert answer("/no/such/page") == (404, "application: 404")


def test_an_automatic_options_answer_is_not_an_error() -> None:
    """No exception handler catches it."""

    @configuration
    class Everything:
        @catch(Exception)
        def caught(self) -> str:
            return "caught"

    with client_of(Pages, Everything) as client:
        assert client.options("/user").status_code == 204
        assert client.delete("/user").text == "caught"


def test_a_refusal_of_a_guard_can_be_caught() -> None:
    """Invalid parameters of a guard can be caught, too."""

    class Nobody:
        def check(self) -> bool:
            return False

    @controller("/")
    class Page:
        @get("/guarded")
        @guard(Nobody)
        def guarded(self) -> str:
            return "shown"

        @catch(Forbidden, status=401)
        def log_in(self) -> str:
            return "log in"

    with client_of(Page) as client:
        response = client.get("/guarded")

    assert (response.status_code, response.text) == (401, "log in")


def test_the_answer_decides_about_the_session() -> None:
    """A caught error with a 4xx keeps the handler's changes; with a 5xx it discards them."""

    @controller("/")
    class Page:
        @get("/<int:status>")
        def show(self, status: int, session: Session) -> str:
            session["status"] = status
            raise LookupError(status)

        @catch(LookupError)
        def caught(self, error: LookupError) -> Response:
            return Response("caught", error.args[0])

    with client_of(Page) as client:
        client.get("/404")
        client.get("/503")
        with client.session() as session:
            assert session["status"] == 404


def test_an_exception_handler_that_fails_is_answered(caplog: pytest.LogCaptureFixture) -> None:
    """Nothing catches its error: the answer is a 500, and the log has the error."""

    @controller("/")
    class Page:
        @get("/")
        def show(self) -> str:
            raise KeyError("first")

        @catch(Exception)
        def caught(self) -> str:
            raise ValueError("second")

    with client_of(Page) as client:
        assert client.get("/").status_code == 500

    assert "second" in caplog.text


def test_an_error_that_is_caught_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    """The program has handled the error."""
    answer("/user")

    assert caplog.records == []


def test_an_exception_handler_is_inherited() -> None:
    """A subclass may replace it by overriding the method."""

    @controller("/first")
    class First(Pages): ...

    @controller("/second")
    class Second(Pages):
        def unknown(self, error: UnknownUser) -> Response:
            return Response("second")

    with client_of(First, Second) as client:
        assert client.get("/first/user").text == "controller: UnknownUser"
        assert client.get("/second/user").text == "second"


def test_an_exception_in_middleware_is_caught_by_a_configuration() -> None:
    """The answer is the same as for an exception of the handler."""

    def failing(request: Request, next: Next) -> Response:
        raise KeyError("x")

    @configuration
    class Around:
        @component
        def middleware(self) -> list[Middleware]:
            return [failing]

    with client_of(Plain, Errors, Around) as client:
        assert client.get("/plain/user").get_json() == {"application": "KeyError"}


def test_debug_leaves_caught_errors_alone() -> None:
    """The debugger gets only errors that nothing catches."""
    application = Application(Pages, Errors, debug=True)
    client = Client(application)

    assert client.get("/user").status_code == 404
    with pytest.raises(ValueError):
        client.get("/value")


def test_an_exception_handler_may_have_a_default_where_others_have_a_variable() -> None:
    """The default serves requests whose path has no language."""

    @controller("/")
    class Page:
        @get("/<lang>")
        def show(self, lang: str) -> str:
            raise LookupError(lang)

    @configuration
    class Errors:
        @catch(LookupError)
        def missing(self, lang: str = "en") -> str:
            return f"missing ({lang})"

    with client_of(Page, Errors) as client:
        assert client.get("/fr").text == "missing (en)"
