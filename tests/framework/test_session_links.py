"""Sessions in links and forms in the framework: parameters, `url_for`, templates, OpenAPI."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import pytest
from werkzeug.test import Client as WsgiClient

from framework import (
    Application,
    Form,
    Request,
    StartupError,
    component,
    configuration,
    controller,
    form,
    get,
    post,
    session,
)
from framework.openapi import OpenAPI
from framework.templates import Templates
from sessions import CookieTransport, SessionContainer, Transport, URLTransport
from tests.support.apps import KEY

TOKEN = re.compile(r"wSession=([\w.-]+)")


@controller("/")
class Shop:
    def __init__(self, app: Application) -> None:
        self._app = app

    @get("/")
    def enter(self, session: session) -> str:
        session["n"] = session.get("n", 0) + 1
        return session.rewrite(f"/seen?n={session['n']}#top")

    @get("/seen")
    def seen(self, request: Request, session: session, n: int = 0, x: list[str] = []) -> Any:  # noqa: B006
        return {
            "n": n,
            "x": x,
            "held": session.get("n"),
            "args": request.args.to_dict(),
            "url": request.url,
        }

    @post("/sent")
    def sent(self, request: Request, session: session, name: Form[str]) -> Any:
        form = request.form.to_dict()
        return {"name": name, "held": session.get("n"), "form": form, "length": len(form)}

    @post("/raw")
    def raw(self, request: Request, session: session) -> Any:
        return {"data": request.get_data(as_text=True), "length": request.content_length}

    @get("/untouched")
    def untouched(self, n: int = 0) -> int:
        return n

    @get("/links/<int:item>")
    def links(self, item: int, request: Request, session: session) -> list[str]:
        session["n"] = 1
        names = ("Shop.links", "Shop.seen")
        here = self._app.url_for(names[0], request, item=item, page=2, session=session)
        whole = self._app.url_for(names[1], request, _external=True, session=session)
        return [here, whole, self._app.url_for(names[1], session="text")]


@configuration
class Links:
    @component
    def session_container(self) -> SessionContainer:
        return SessionContainer(keys=[KEY], transports=[CookieTransport(), URLTransport()])

    @component
    def openapi(self) -> OpenAPI:
        return OpenAPI(title="Shop", version="1")


@pytest.fixture
def client() -> Iterator[WsgiClient]:
    """Return a client that refuses cookies."""
    with Application(Shop, Links).test() as client:
        yield WsgiClient(client.app, use_cookies=False)


def _open(client: WsgiClient, path: str, **options: Any) -> Any:
    response = client.open(path, buffered=True, **options)
    return response.json if response.is_json else response.text


def _token(client: WsgiClient) -> str:
    found = TOKEN.search(_open(client, "/"))
    assert found is not None
    return found[1]


def test_the_query_of_a_handler_has_no_token(client: WsgiClient) -> None:
    """Neither its parameters nor the request object show it."""
    token = _token(client)
    seen = _open(client, f"/seen?x=1&wSession={token}&n=7&x=2")

    assert seen == {
        "n": 7,
        "x": ["1", "2"],
        "held": 1,
        "args": {"x": "1", "n": "7"},
        "url": "http://localhost/seen?x=1&n=7&x=2",
    }


def test_a_form_has_no_token(client: WsgiClient) -> None:
    """The handler sees the form as if it had no token field."""
    data = {"wSession": _token(client), "name": "Ada"}
    sent = _open(client, "/sent", method="POST", data=data)
    raw = _open(client, "/raw", method="POST", data=data)

    assert sent == {"name": "Ada", "held": 1, "form": {"name": "Ada"}, "length": 1}
    assert raw == {"data": "name=Ada", "length": len("name=Ada")}


@pytest.mark.parametrize("method", ["query", "form", "member"])
def test_a_parameter_of_this_name_is_a_mistake(method: str) -> None:
    """It would never get a value; start-up names the handler and both remedies."""

    @dataclass
    class Fields:
        wSession: str = ""  # noqa: N815

    @controller("/declared")
    class Declared:
        if method == "query":

            @get("/")
            def read(self, session: session, wSession: str = "") -> str:  # noqa: N803
                return wSession

        elif method == "form":

            @post("/")
            def read_form(self, session: session, other: Annotated[str, form("wSession")]) -> str:
                return other

        else:

            @post("/")
            def read_fields(self, session: session, fields: Form[Fields]) -> str:
                return fields.wSession

    with pytest.raises(StartupError) as caught:
        Application(Declared, Links)

    (mistake,) = caught.value.mistakes
    assert "never gets a value: URLTransport(parameter='wSession') takes" in mistake.what
    assert "Give the parameter another name" in mistake.remedy
    assert "Declared.read" in mistake.where


def test_without_links_the_name_is_free() -> None:
    """A container with cookies alone takes no parameter."""

    @controller("/declared")
    class Declared:
        @get("/")
        def read(self, session: session, wSession: str = "none") -> str:  # noqa: N803
            return wSession

    with Application(Declared).test() as client:
        assert client.get("/declared?wSession=text").text == "text"


def test_the_document_does_not_name_it(client: WsgiClient) -> None:
    """A client of the API needs no such parameter."""
    document = _open(client, "/docs/openapi.json")

    named = {
        (path, parameter["name"])
        for path, operations in document["paths"].items()
        for operation in operations.values()
        for parameter in operation.get("parameters", ())
    }
    assert ("/seen", "n") in named
    assert {name for _, name in named}.isdisjoint({"wSession"})


@pytest.mark.parametrize("path", ["/untouched?n=1&", "/missing?", "/seen?n=x&", "/sent?"])
def test_every_answer_to_such_a_url_is_protected(client: WsgiClient, path: str) -> None:
    """This holds for pages without a session, and for 404, 422 and 405."""
    answer = client.get(f"{path}wSession={_token(client)}", buffered=True)

    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["Cache-Control"] == "no-store"


def test_url_for_puts_the_token_into_a_url(client: WsgiClient) -> None:
    """The URL may have a mount point, scheme and host, and another value named `session`."""
    environ = {"SCRIPT_NAME": "/shop"}
    here, whole, text = _open(client, "/links/3", environ_overrides=environ)
    token = TOKEN.search(here)

    assert token is not None
    assert here == f"/shop/links/3?page=2&wSession={token[1]}"
    assert whole == f"http://localhost/shop/seen?wSession={token[1]}"
    assert text == "/seen?session=text"


TEMPLATE = """
{{ url_for("Pages.show", session=session) }}
{{ session.rewrite("/a?b=1#c") }}
{{ session.hidden_input() }}
"""


@controller("/")
class Pages:
    def __init__(self, templates: Templates) -> None:
        self._templates = templates

    @get("/")
    def show(self, request: Request) -> Any:
        return self._templates.render("page.html", request)

    @get("/set")
    def set(self, request: Request, session: session) -> Any:
        session["a"] = 1
        return self._templates.render("page.html", request)


def _configured(folder: Path, *transports: Transport) -> type:
    (folder / "page.html").write_text(TEMPLATE)

    @configuration
    class Configured:
        @component
        def templates(self, application: Application) -> Templates:
            return Templates(application, folder)

        @component
        def session_container(self) -> SessionContainer:
            return SessionContainer(keys=[KEY], transports=transports)

    return Configured


def test_a_template_has_links_and_fields(tmp_path: Path) -> None:
    """The links and fields are escaped as HTML once."""
    configured = _configured(tmp_path, URLTransport())
    with Application(Pages, configured).test() as client:
        link, other, field = client.get("/set").text.split("\n")[1:4]
        nothing = client.get("/").text.split("\n")[1:4]

    token = TOKEN.search(link)
    assert token is not None
    assert link == f"/?wSession={token[1]}"
    assert other == f"/a?b=1&amp;wSession={token[1]}#c"
    assert field == f'<input type="hidden" name="wSession" value="{token[1]}">'
    assert nothing == ["/", "/a?b=1#c", ""]


def test_without_the_transport_a_template_has_plain_links(tmp_path: Path) -> None:
    """The same template serves an application with cookies alone, and touches no session."""
    with Application(Pages, _configured(tmp_path, CookieTransport())).test() as client:
        answer = client.get("/")

    assert answer.text.split("\n")[1:4] == ["/", "/a?b=1#c", ""]
    assert "Vary" not in answer.headers
