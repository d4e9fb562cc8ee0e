"""A small WSGI server: it sends one request, and returns the response that a client sees."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from io import StringIO
from typing import Any
from wsgiref.types import WSGIApplication
from wsgiref.util import setup_testing_defaults

Headers = list[tuple[str, str]]


@dataclass(frozen=True)
class Reply:
    """What a client sees of a response."""

    status: str
    headers: Headers
    body: bytes

    def all(self, name: str) -> list[str]:
        """Return every header of that name."""
        return [value for given, value in self.headers if given.lower() == name.lower()]

    @property
    def set_cookie(self) -> str:
        """Return the one Set-Cookie header."""
        (text,) = self.all("Set-Cookie")
        return text

    @property
    def cookie(self) -> str:
        """Return the one cookie that was set, as a browser sends it back."""
        return self.set_cookie.partition(";")[0]


class Gateway:
    """Serve one request according to PEP 3333."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []
        self.head: tuple[str, Headers] | None = None

    def start_response(
        self, status: str, headers: Headers, exc_info: Any = None, /
    ) -> Callable[[bytes], object]:
        """Take the headers; they leave with the first byte of the body."""
        if exc_info and self.sent:
            raise exc_info[1].with_traceback(exc_info[2])
        if self.head is not None and not exc_info:
            raise RuntimeError("start_response was called twice")
        self.head = (status, [*headers])
        return self.send

    def send(self, data: bytes) -> None:
        """Send a part of the body."""
        if self.head is None:
            raise RuntimeError("a body without headers")
        if data:
            self.sent.append(data)

    def reply(self) -> Reply:
        """Return what was sent."""
        if self.head is None:
            raise RuntimeError("there were no headers")
        return Reply(*self.head, b"".join(self.sent))


def environment(path: str = "/", **more: Any) -> dict[str, Any]:
    """Make the environment of a request; `more` are further variables, such as HTTP_COOKIE."""
    environ: dict[str, Any] = {"SCRIPT_NAME": "", "PATH_INFO": path, "QUERY_STRING": ""}
    environ["wsgi.errors"] = StringIO()
    environ.update({name.replace("__", "."): value for name, value in more.items()})
    setup_testing_defaults(environ)
    return environ


def serve(app: WSGIApplication, path: str = "/", **more: Any) -> Reply:
    """Send a request, and the response to its end."""
    gateway = Gateway()
    body = app(environment(path, **more), gateway.start_response)
    try:
        for chunk in body:
            gateway.send(chunk)
    finally:
        close(body)
    return gateway.reply()


def close(body: Iterable[bytes]) -> None:
    """Close the body, as a server does at the end or after the client has left."""
    if hasattr(body, "close"):
        body.close()
