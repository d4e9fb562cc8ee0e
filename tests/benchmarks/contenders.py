"""Who is measured, at what, after each has shown that it does the work."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from wsgiref.types import WSGIApplication, WSGIEnvironment

from werkzeug.test import create_environ

from tests.benchmarks import ours, peers
from tests.benchmarks.measuring import Contender, respond

HELLO, READ, WRITE, BESIDE = "hello", "session read", "session write", "no session"

BARE, FALCON, BOTTLE, FLASK = "bare WSGI callable", "Falcon", "Bottle", "Flask"
BEAKER, SIGNED = "Falcon + Beaker, memory", "Flask, signed cookie"
OURS, MEMORY, SQLITE = "Satsuma", "Satsuma, memory", "Satsuma, SQLite"
WITHOUT, WITH = "none has a session", "others have a session"
ALL_OURS = (OURS, MEMORY, SQLITE, WITH)


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
        """Send a request and insist on the answer."""
        if (answer := self.get(path)) != body:
            raise WrongAnswerError(f"{path} answered {answer!r}, not {body!r}")


def contenders(sqlite_path: str) -> Iterator[Contender]:
    """Yield every contender, each verified."""
    yield from _greeting(HELLO, BARE, peers.bare)
    yield from _greeting(HELLO, OURS, ours.hello())
    yield from _greeting(HELLO, FALCON, peers.falcon_hello())
    yield from _greeting(HELLO, BOTTLE, peers.bottle_hello())
    yield from _greeting(HELLO, FLASK, peers.flask_hello())
    yield from _counting(MEMORY, ours.in_memory())
    yield from _counting(SQLITE, ours.in_sqlite(sqlite_path))
    yield from _counting(BEAKER, peers.falcon_with_beaker())
    yield from _counting(SIGNED, peers.flask_with_signed_cookie())
    yield from _greeting(BESIDE, WITHOUT, ours.hello())
    yield from _greeting(BESIDE, WITH, ours.in_memory())


def verify_persisted(contender: Contender, at_least: int) -> None:
    """Check after the timing that the timed writes reached the store, where there is one."""
    _, _, count = respond(contender.application, contender.environ | {"PATH_INFO": "/read"})
    if contender.name != SIGNED and int(count) < at_least:
        raise WrongAnswerError(f"{contender.name} kept {count} of {at_least} writes")


def _greeting(group: str, name: str, application: WSGIApplication) -> Iterator[Contender]:
    visitor = Visitor(application)
    visitor.expect("/hello/ada", "Hello, ada!")
    visitor.expect("/hello/grace", "Hello, grace!")
    environ = visitor.environ("/hello/ada")
    yield Contender(group=group, name=name, application=application, environ=environ)


def _counting(name: str, application: WSGIApplication) -> Iterator[Contender]:
    """Yield a reader and a writer, each with a session of its own that already counts two."""
    for group, path in ((READ, "/read"), (WRITE, "/write")):
        visitor = Visitor(application)
        visitor.expect("/write", "1")
        visitor.expect("/write", "2")
        visitor.expect("/read", "2")
        environ = visitor.environ(path)
        yield Contender(group=group, name=name, application=application, environ=environ)
