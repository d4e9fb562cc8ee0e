"""The same small applications, written for each peer the way its own documentation does it.

`/hello/<name>` greets; `/write` counts in the session and answers the count; `/read` answers it.
A peer is imported where it is used: its dependency group may be absent.
"""

import secrets
from collections.abc import Iterable
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment


def bare(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Answer with no framework at all."""
    name = environ["PATH_INFO"].rpartition("/")[2]
    body = f"Hello, {name}!".encode()
    headers = [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))]
    start_response("200 OK", headers)
    return [body]


def falcon_hello() -> WSGIApplication:
    """Greet with Falcon."""
    import falcon

    class Hello:
        def on_get(self, request: Any, response: Any, name: str) -> None:
            response.text = f"Hello, {name}!"

    application = falcon.App()
    application.add_route("/hello/{name}", Hello())
    return application  # type: ignore[no-any-return]


def bottle_hello() -> WSGIApplication:
    """Greet with Bottle."""
    import bottle

    def hello(name: str) -> str:
        return f"Hello, {name}!"

    application = bottle.Bottle()
    application.get("/hello/<name>")(hello)
    return application  # type: ignore[no-any-return]


def flask_hello() -> WSGIApplication:
    """Greet with Flask."""
    import flask

    def hello(name: str) -> str:
        return f"Hello, {name}!"

    application = flask.Flask(__name__)
    application.get("/hello/<name>")(hello)
    return application  # type: ignore[no-any-return]


def falcon_with_beaker() -> WSGIApplication:
    """Count with Falcon and Beaker, which keeps its sessions in memory."""
    import falcon
    from beaker.middleware import SessionMiddleware

    class Read:
        def on_get(self, request: Any, response: Any) -> None:
            response.text = str(request.env["beaker.session"]["count"])

    class Write:
        def on_get(self, request: Any, response: Any) -> None:
            session = request.env["beaker.session"]
            session["count"] = session.get("count", 0) + 1
            session.save()
            response.text = str(session["count"])

    application = falcon.App()
    application.add_route("/read", Read())
    application.add_route("/write", Write())
    settings = {"session.type": "memory", "session.key": "session"}
    return SessionMiddleware(application, settings)  # type: ignore[no-any-return]


def flask_with_signed_cookie() -> WSGIApplication:
    """Count with Flask and its own session, a signed cookie."""
    import flask

    def read() -> str:
        return str(flask.session["count"])

    def write() -> str:
        flask.session["count"] = flask.session.get("count", 0) + 1
        return str(flask.session["count"])

    application = flask.Flask(__name__)
    application.secret_key = secrets.token_hex(32)
    application.get("/read")(read)
    application.get("/write")(write)
    return application  # type: ignore[no-any-return]
