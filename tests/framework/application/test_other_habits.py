"""Habits from other frameworks: each ends in a message that says what to write here."""

import logging
from collections.abc import Callable
from typing import Any

import pytest
from werkzeug.exceptions import Unauthorized

from framework import (
    Application,
    HTTPSettings,
    Inject,
    Middleware,
    Request,
    Response,
    catch,
    component,
    configuration,
    controller,
    get,
    guard,
    post,
    replace,
    service,
)
from framework.cors import CORS
from framework.csrf import CSRF
from framework.explaining.explain import explain
from framework.openapi import OpenAPI
from sessions import ConfigurationError, CookieSettings, MemoryStore, SQLiteStore, Store
from sessions.asgi import SessionMiddleware as ASGIMiddleware
from sessions.wsgi import SessionMiddleware
from tests.support.small_applications import client_of, echo_of, only_problem_of, problems_of


@service
class Mailer:
    """A component."""


class RaisesUnauthorized:
    def check(self) -> bool:
        raise Unauthorized


class AroundWSGI:
    def __init__(self, app: Any) -> None: ...

    def __call__(self, environ: Any, start_response: Any) -> Any: ...


async def around_asgi(scope: Any, receive: Any, send: Any) -> None: ...


def guarded_by(returns: Any) -> type:
    class Wrong:
        def check(self) -> bool:
            return True

    Wrong.check.__annotations__["return"] = returns

    @controller("/")
    class Pages:
        @get("/")
        @guard(Wrong)
        def show(self) -> str:
            return "shown"

    return Pages


@pytest.mark.parametrize("returns", [str, None, dict[str, int], Response, "str"])
def test_a_check_that_can_never_be_true_is_a_mistake(returns: Any) -> None:
    """Such a guard would refuse every request."""
    (mistake,) = problems_of(guarded_by(returns))

    assert "is annotated to return" in mistake.what
    assert "Write -> bool" in mistake.remedy
    assert mistake.where.startswith("Wrong.check (tests/framework/application/test_other_habits.py")


@pytest.mark.parametrize("returns", [bool, int, object, Any, "bool", "Unknown", bool | None])
def test_a_check_that_may_be_true_starts(returns: Any) -> None:
    """An annotation that does not exclude True is fine."""
    with client_of(guarded_by(returns)) as client:
        assert client.get("/").text == "shown"


@pytest.mark.parametrize("returns", [str, dict[str, int], int, str | bytes])
@pytest.mark.parametrize("status", [204, 304])
def test_a_body_with_a_204_or_304_is_a_mistake(returns: Any, status: int) -> None:
    """RFC 9110: these responses have no content, so each request would be a 500."""

    @controller("/")
    class Pages:
        @post("/", status=status)
        def send(self) -> Any: ...

    Pages.send.__annotations__["return"] = returns

    assert f"its status {status} has no body" in only_problem_of(Pages).what


@pytest.mark.parametrize("returns", [None, Any, Response, str | None, object])
def test_a_handler_without_a_body_may_have_a_204_or_304(returns: Any) -> None:
    """A handler that may return None is fine."""

    @controller("/")
    class Pages:
        @post("/", status=204)
        def send(self) -> Any: ...

    Pages.send.__annotations__["return"] = returns

    assert problems_of(Pages) == ()


def test_an_injected_attribute_of_a_class_is_a_mistake() -> None:
    """Nothing reads the annotations in a class, so the attribute would be missing later."""

    @controller("/marked")
    class Marked:
        mailer: Inject[Mailer]

        @get("/")
        def show(self) -> None: ...

    @controller("/plain")
    class Plain:
        mailer: "Mailer"

        @get("/")
        def show(self) -> None: ...

    for pages in (Marked, Plain):
        mistake = only_problem_of(pages)
        assert f"{pages.__name__}.mailer" in mistake.what
        assert "def __init__(self, mailer: ...)" in mistake.remedy


def test_an_attribute_that_the_program_sets_is_not_a_mistake() -> None:
    """The constructor, the class, a start hook or nobody may fill an attribute of another type."""

    @controller("/")
    class Pages:
        mailer: Mailer
        name: str
        limit: int = 5

        def __init__(self, mailer: Mailer) -> None:
            self.mailer = mailer

        @get("/")
        def show(self) -> None: ...

    @configuration
    class Starting:
        mailer: Mailer

        def on_start(self, mailer: Mailer) -> None:
            self.mailer = mailer

    assert problems_of(Pages, Starting) == ()


@pytest.mark.parametrize(("layer", "kind"), [(AroundWSGI, "WSGI"), (around_asgi, "ASGI")])
def test_middleware_of_a_gateway_is_a_mistake(layer: Any, kind: str) -> None:
    """Middleware of WSGI or ASGI goes around the whole application."""

    @configuration
    class Around:
        @component
        def middleware(self) -> list[Middleware]:
            return [layer]

    (mistake,) = problems_of(echo_of(int), Around)
    assert f"is middleware for {kind}" in mistake.what
    assert "(request: Request, next: Next) -> Response" in mistake.remedy
    assert ("(app)" in mistake.remedy) == (kind == "WSGI")


@pytest.mark.parametrize(
    ("kind", "make", "argument"),
    [(CookieSettings, CookieSettings, "cookie"), (Store, MemoryStore, "store")],
)
def test_a_component_of_session_settings_outside_the_container_is_a_mistake(
    kind: Any, make: Callable[[], object], argument: str
) -> None:
    """Nothing uses the component, so the sessions would keep their defaults."""

    @configuration
    class Settings:
        @component
        def part(self) -> Any:
            return make()

    Settings.part.__annotations__["return"] = kind

    mistake = only_problem_of(echo_of(int), Settings)
    assert f"nothing asks for {kind.__name__}" in mistake.what
    assert f"SessionContainer(keys=..., {argument}=...)" in mistake.remedy


def test_a_store_that_the_program_uses_itself_is_not_a_mistake() -> None:
    """A program may have a store of its own for something else."""

    @configuration
    class Settings:
        @component
        def store(self) -> SQLiteStore:
            return SQLiteStore(":memory:")

    @controller("/")
    class Pages:
        def __init__(self, store: SQLiteStore) -> None: ...

        @get("/")
        def show(self) -> None: ...

    assert all("nothing asks" not in mistake.what for mistake in problems_of(Pages, Settings))


@pytest.mark.parametrize("name", ["request", "req"])
def test_a_request_without_an_annotation_is_the_request(name: str) -> None:
    """The remedy is the annotation of a request, in a handler and in an exception handler."""
    made: dict[str, Any] = {}
    exec(f"def show(self, {name}): ...\ndef caught(self, {name}): ...", made)  # noqa: S102
    pages = type("Pages", (), {"show": get("/")(made["show"])})
    failing = type("Failing", (), {"caught": catch(LookupError)(made["caught"])})

    (first,) = problems_of(controller("/")(pages))
    second = problems_of(controller("/x")(failing))

    assert f"{name}: Request" in first.remedy
    assert any(f"{name}: Request" in mistake.remedy for mistake in second)


@pytest.mark.parametrize("path", [r"/^(?P<pk>\d+)/$", "/users/$", r"/(?:a|b)"])
def test_a_regular_expression_is_not_a_path(path: str) -> None:
    """A path has variables with converters."""

    @controller("/")
    class Pages:
        @get(path)
        def show(self) -> None: ...

    assert any("is a regular expression" in mistake.what for mistake in problems_of(Pages))


def bare_marker() -> None:
    @controller("/")
    class Pages:
        def __init__(self, mailer: Inject) -> None: ...  # type: ignore[type-arg]

        @get("/")
        def show(self) -> None: ...

    Application(Pages)


def url_by_position() -> None:
    Application(echo_of(int)).url_for("Echo.echo", 5)  # type: ignore[arg-type]


def asked_of_the_client(ask: Callable[[Any], object]) -> Callable[[], None]:
    def asked() -> None:
        with client_of(echo_of(int)) as client:
            ask(client)

    return asked


def any_of(function: Any) -> Any:
    return function


CALLS: list[tuple[Callable[[], object], str]] = [
    (bare_marker, "Write the type in brackets, as in Inject["),
    (url_by_position, "url_for('Echo.echo', user_id=5)"),
    (lambda: any_of(component)("prototype"), "write @component alone"),
    (lambda: any_of(configuration)("/x"), "write @configuration alone"),
    (lambda: any_of(configuration)(), "@configuration alone, without parentheses"),
    (lambda: any_of(get)(["/a", "/b"]), "one decorator for each: @get('/a') @get('/b')"),
    (lambda: any_of(replace)(Mailer, Mailer()), "write replace(Mailer).to(fake)"),
    (lambda: any_of(replace)(Mailer, to=Mailer()), "write replace(Mailer).to(fake)"),
    (lambda: any_of(Application(echo_of(int)).run)(port="8000"), "Fix: write port=8000"),
    (lambda: any_of(Application(echo_of(int)).run)(workers=4), "has workers"),
    (lambda: any_of(Application(echo_of(int)).run)(use_reloader=True), "is called reload"),
    (lambda: any_of(Application(echo_of(int)).test)({Mailer: 1}), "replace(Mailer).to(fake)"),
    (lambda: any_of(SessionMiddleware)(print), "SessionContainer(keys=[...])"),
    (lambda: any_of(SessionMiddleware)(print, https_only=True), "not https_only. Fix: write"),
    (lambda: any_of(ASGIMiddleware)(print), "SessionContainer(keys=[...])"),
    (lambda: any_of(ASGIMiddleware)(print, max_age=1), "not max_age. Fix: write"),
    (asked_of_the_client(lambda c: c.get("/", params={})), "is called query_string"),
    (asked_of_the_client(lambda c: c.post("/", body="")), "is called data, or json"),
    (asked_of_the_client(lambda c: c.session_transaction()), "with client.session() as session"),
    (asked_of_the_client(lambda c: c.cookies), "client.get_cookie(name)"),
    (asked_of_the_client(lambda c: c.get("/").content), "write response.data"),
    (asked_of_the_client(lambda c: c.get("/").raise_for_status()), "response.status_code == 200"),
]


@pytest.mark.parametrize(("call", "remedy"), CALLS)
def test_a_wrong_call_says_what_to_write(call: Callable[[], object], remedy: str) -> None:
    """The message has the right spelling, and never the value of a key."""
    with pytest.raises(Exception, match=r"\S") as caught:
        call()

    assert remedy in str(caught.value)


def test_a_chunk_of_data_says_what_to_yield(caplog: pytest.LogCaptureFixture) -> None:
    """A stream is made of texts."""

    @controller("/")
    class Pages:
        @get("/")
        def show(self, request: Request) -> Any:
            yield {"a": 1}

    with client_of(Pages) as client, caplog.at_level(logging.ERROR):
        client.get("/")

    assert caplog.records[0].exc_info
    assert "such as json.dumps(value)" in str(caplog.records[0].exc_info[1])


def test_explain_tells_what_a_guard_raises() -> None:
    """A guard that raises 401 has two refusals."""

    @controller("/")
    class Pages:
        @get("/")
        @guard(RaisesUnauthorized)
        def show(self) -> None: ...

    answers = explain(Application(Pages), "GET", "/").answers

    found = {answer.status: answer.why for answer in answers}
    assert found[401] == "a guard raises Unauthorized"
    assert found[403] == "a guard refuses"


@pytest.mark.parametrize("path", ["notes", "notes/1?page=2"])
def test_a_client_refuses_a_path_without_its_first_slash(path: str) -> None:
    """The 404 would not say why."""
    with client_of(echo_of(int, 1)) as client:
        with pytest.raises(ValueError, match=r"does not begin with a slash. Fix: write '/notes"):
            client.get(path)
        for right in ("/", "", "?x=2", "http://localhost/"):
            assert client.get(right).status_code == 200


def test_middleware_as_a_decorator_is_explained() -> None:
    """In other frameworks, the application has a decorator of this name."""
    app: Any = Application(echo_of(int, 1))

    with pytest.raises(TypeError, match="annotated `-> list"):
        app.middleware("http")

    assert app.middleware == ()


@pytest.mark.parametrize(
    ("kind", "name", "remedy"),
    [
        (HTTPSettings, "max_content_length", "the setting is called body_limit"),
        (CORS, "allow_origins", "the setting is called origins"),
        (CSRF, "secret", "so no secret is needed"),
        (OpenAPI, "docs_url", "the setting is called path"),
    ],
)
def test_a_setting_of_another_framework_is_answered_with_its_name_here(
    kind: Any, name: str, remedy: str
) -> None:
    """The error itself has the remedy, also outside of the commands."""
    with pytest.raises(ConfigurationError, match=f"{kind.__name__} has no setting") as caught:
        kind(**{name: 1})

    assert remedy in str(caught.value)
