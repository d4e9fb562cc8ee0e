"""Sessions in links and headers under other frameworks, and in their servers' logs."""

import re
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl
from urllib.request import urlopen

import flask
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.testclient import TestClient
from werkzeug.test import Client

from sessions import CookieTransport, HeaderTransport, SessionContainer, URLTransport
from sessions.asgi import SessionMiddleware as AsgiMiddleware
from sessions.asgi import session_of
from sessions.wsgi import SessionMiddleware
from tests.support.apps import KEY
from tests.support.serving import FRAMEWORK, Program

TOKEN = re.compile(r"wSession=([\w.-]+)")


def _container(*transports: Any) -> SessionContainer:
    return SessionContainer(keys=[KEY], transports=transports)


async def _counts(request: Request) -> JSONResponse:
    session = session_of(request)
    session["n"] = session.get("n", 0) + 1
    # Its parser of forms needs another package; this is what the parser would get.
    form = dict(parse_qsl((await request.body()).decode()))
    return JSONResponse(
        {
            "n": session["n"],
            "form": form,
            "query": dict(request.query_params),
            "link": session.rewrite("/"),
        }
    )


def _starlette(*transports: Any) -> TestClient:
    site = Starlette(routes=[Route("/", _counts, methods=["GET", "POST"])])
    return TestClient(AsgiMiddleware(site, _container(*transports)))


def test_starlette_reads_a_form_without_the_token() -> None:
    """Its request has the other fields, in the body and in the query."""
    client = _starlette(CookieTransport(), URLTransport())
    token = TOKEN.findall(client.get("/").json()["link"])[0]
    client.cookies.clear()
    sent = client.post("/", data={"wSession": token, "name": "Ada"}).json()
    client.cookies.clear()
    asked = client.get(f"/?a=1&wSession={token}").json()

    assert (sent["n"], sent["form"]) == (2, {"name": "Ada"})
    assert (asked["n"], asked["query"]) == (3, {"a": "1"})


def test_starlette_answers_a_malformed_bearer_token() -> None:
    """The error of the session passes through its layers."""
    answer = _starlette(HeaderTransport.bearer()).get("/", headers={"Authorization": "Bearer x"})

    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer ")


def _flask(*transports: Any) -> Client:
    site = flask.Flask(__name__)

    def count() -> dict[str, Any]:
        session = flask.request.environ["sessions.session"]
        session["n"] = session.get("n", 0) + 1
        form, query = flask.request.form.to_dict(), flask.request.args.to_dict()
        return {"n": session["n"], "form": form, "query": query, "link": session.rewrite("/")}

    site.add_url_rule("/", view_func=count, methods=["GET", "POST"])
    site.wsgi_app = SessionMiddleware(site.wsgi_app, _container(*transports))
    return Client(site, use_cookies=False)


def test_flask_reads_a_form_without_the_token() -> None:
    """Its own parser of forms and queries sees the other fields."""
    client = _flask(CookieTransport(), URLTransport())
    token = TOKEN.findall(client.get("/").get_json()["link"])[0]
    sent = client.post("/", data={"wSession": token, "name": "Ada"}).get_json()
    asked = client.get(f"/?a=1&wSession={token}").get_json()

    assert (sent["n"], sent["form"]) == (2, {"name": "Ada"})
    assert (asked["n"], asked["query"]) == (3, {"a": "1"})


def test_flask_answers_a_malformed_bearer_token_with_its_own_500() -> None:
    """Flask catches the error first; the middleware puts the 401 in place of Flask's answer."""
    answer = _flask(HeaderTransport.bearer()).get("/", headers={"Authorization": "Bearer x"})

    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer ")


SITE = """
from framework import Application, component, configuration, controller, get, session
from sessions import URLTransport

@controller("/")
class Visits:
    @get("/")
    def show(self, session: session) -> str:
        session["n"] = session.get("n", 0) + 1
        return session.rewrite("/")

@configuration
class Web:
    @component
    def session_container(self) -> dict[str, object]:
        return {"transports": [URLTransport()]}

app = Application(Visits, Web)
"""


def _read(url: str) -> str:
    with urlopen(url) as answer:  # noqa: S310
        text: str = answer.read().decode()
        return text


def test_the_development_server_logs_no_id(tmp_path: Path) -> None:
    """Its lines about requests have a word in place of the id."""
    (tmp_path / "shop.py").write_text(SITE)
    with Program(FRAMEWORK, "run", "shop:app", "--port", "0", folder=tmp_path) as program:
        url = program.url()
        link = _read(url)
        _read(f"{url}{link}")
        program.wait_for("wSession=hidden")
        program.stop()

    assert TOKEN.findall("".join(program.output)) == ["hidden"]
