"""A visitor that checks the work of each contender before it is timed."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from wsgiref.types import WSGIApplication, WSGIEnvironment

from werkzeug.test import create_environ

from tests.benchmarks.measuring import respond


class WrongAnswerError(Exception):
    """A contender does not do the work that it would be timed for."""


@dataclass
class Visitor:
    """A browser of a few lines: it keeps the cookies that an application sets."""

    application: WSGIApplication
    cookies: SimpleCookie = field(default_factory=SimpleCookie)

    def environ(self, path: str) -> WSGIEnvironment:
        """Return the request that this visitor would send now."""
        cookie = "; ".join(f"{name}={morsel.coded_value}" for name, morsel in self.cookies.items())
        headers = {"User-Agent": "Mozilla/5.0", "Accept": "*/*"}
        return create_environ(path, headers=headers | ({"Cookie": cookie} if cookie else {}))

    def get(self, path: str) -> str:
        """Send a request and return the body."""
        status, headers, body = respond(self.application, self.environ(path))
        if not status.startswith("200 "):
            raise WrongAnswerError(f"{path} answered {status!r} {body!r}, not 200")
        for name, value in headers:
            if name.lower() == "set-cookie":
                self.cookies.load(value)
        return body

    def expect(self, path: str, body: str) -> None:
        """Send a request, and require an answer."""
        if (answer := self.get(path)) != body:
            raise WrongAnswerError(f"{path} answered {answer!r}, not {body!r}")


def greeted(application: WSGIApplication) -> WSGIEnvironment:
    """Return the request of an application that has shown that it greets by name."""
    visitor = Visitor(application)
    visitor.expect("/hello/ada", "Hello, ada!")
    visitor.expect("/hello/grace", "Hello, grace!")
    return visitor.environ("/hello/ada")


def counted(application: WSGIApplication) -> Iterator[WSGIEnvironment]:
    """Yield the requests of a reader and a writer, each with a session that already counts two."""
    for path in ("/read", "/write"):
        visitor = Visitor(application)
        visitor.expect("/write", "1")
        visitor.expect("/write", "2")
        visitor.expect("/read", "2")
        yield visitor.environ(path)


def count_of(application: WSGIApplication, environ: WSGIEnvironment) -> int:
    """Return the count in the session of a request."""
    return int(respond(application, environ | {"PATH_INFO": "/read"})[2])
