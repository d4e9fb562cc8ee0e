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
    """A farther handler of the very type wins over a nearer one of its base."""
    assert answer(path) == expected


def test_what_nobody_catches_is_answered_as_ever() -> None:
    """A bug is a 500, an HTTP error is itself."""
    assert answer("/value")[0] == 500
    assert answer("/conflict")[0] == 409


@pytest.mark.parametrize(("path", "text"), [("/forbidden", "application: 403")])
def test_http_errors_can_be_caught(path: str, text: str) -> None:
    """They are exceptions as any other."""
    assert answer(path) == (404, text)


def test_a_configuration_catches_that_there_is_no_handler() -> None:
    """A 404 page of the application's own."""
    assert answer("/no/such/page") == (404, "application: 404")


def test_an_automatic_options_is_no_error() -> None:
    """Nothing catches it."""

    @configuration
    class Everything:
        @catch(Exception)
        def caught(self) -> str:
            return "caught"

    with client_of(Pages, Everything) as client:
        assert client.options("/user").status_code == 204
        assert client.delete("/user").text == "caught"


def test_a_refusal_of_a_guard_can_be_caught() -> None:
    """Also what is wrong with parameters."""

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
    """A caught error that becomes a 4xx keeps what the handler wrote, a 5xx discards it."""

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
    """Nothing catches a second time: the answer is a 500, and the log has it."""

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


def test_what_is_caught_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    """Somebody has thought of it."""
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
    """It is answered as the handler's would be."""

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
    """The debugger gets only what nobody has thought of."""
    application = Application(Pages, Errors, debug=True)
    client = Client(application)

    assert client.get("/user").status_code == 404
    with pytest.raises(ValueError):
        client.get("/value")


def test_an_exception_handler_may_have_a_default_where_others_have_a_variable() -> None:
    """It says what to do for requests without a language in their path."""

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
