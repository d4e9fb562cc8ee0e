"""The same pages in Flask, Django and Bottle, as their users write them."""

from collections.abc import Callable, Iterable, Iterator
from threading import Barrier
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import pytest

from sessions import Session, SessionClosed
from tests.support import django_views

View = Callable[[Session], str | Iterator[bytes]]

MEETING = Barrier(2, timeout=20)
"""Where two requests wait for each other, each with its session loaded."""


def visit(session: Session) -> str:
    """Count the visits."""
    session["visits"] = session.get("visits", 0) + 1
    return f"{session['visits']}"


def show(session: Session) -> str:
    """Return the values and the user."""
    return f"{session.user_id} {sorted(session.items())}"


def login(session: Session) -> str:
    """Sign Ada in."""
    session.set_user("ada")
    return "welcome"


def logout(session: Session) -> str:
    """End the session."""
    session.destroy()
    return "goodbye"


def fail_after_logout(session: Session) -> str:
    """End the session, write to the next one, and fail."""
    session.destroy()
    session["a"] = 1
    raise LookupError("of the application")


def set_left(session: Session) -> str:
    """Write one key beside another request."""
    return _meet_and_set(session, "left")


def set_right(session: Session) -> str:
    """Write another key beside it."""
    return _meet_and_set(session, "right")


def _meet_and_set(session: Session, key: str) -> str:
    session.get(key)
    MEETING.wait()
    session[key] = True
    return key


def stream(session: Session) -> Iterator[bytes]:
    """Write before the first byte, and again after it."""
    session["streamed"] = True
    yield b"first "
    try:
        session["late"] = True
    except SessionClosed:
        yield b"closed"


VIEWS: dict[str, View] = {
    "/visit": visit,
    "/show": show,
    "/login": login,
    "/logout": logout,
    "/fail": fail_after_logout,
    "/left": set_left,
    "/right": set_right,
    "/stream": stream,
    "/untouched": lambda session: "hello",
}


def flask_application() -> WSGIApplication:
    """Return an application of Flask."""
    flask = pytest.importorskip("flask", reason="flask is not installed")
    app = flask.Flask(__name__)

    def answer(path: str) -> object:
        view = VIEWS[f"/{path}"]
        return flask.Response(
            view(flask.request.environ["sessions.session"]), mimetype="text/plain"
        )

    app.add_url_rule("/<path>", "answer", answer)
    application: WSGIApplication = app.wsgi_app
    return application


def bottle_application() -> WSGIApplication:
    """Return an application of Bottle."""
    bottle = pytest.importorskip("bottle", reason="bottle is not installed")
    app: WSGIApplication = bottle.Bottle()

    def answer(path: str) -> object:
        return VIEWS[f"/{path}"](bottle.request.environ["sessions.session"])

    app.route("/<path>", callback=answer)  # type: ignore[attr-defined]
    return app


def django_application() -> WSGIApplication:
    """Return an application of Django."""
    django_views.configured()
    from django.core.wsgi import get_wsgi_application

    inner: WSGIApplication = get_wsgi_application()

    def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        environ["tests.view"] = VIEWS[environ["PATH_INFO"]]
        return inner(environ, start_response)

    return application


APPLICATIONS: dict[str, Callable[[], WSGIApplication]] = {
    "flask": flask_application,
    "bottle": bottle_application,
    "django": django_application,
}
