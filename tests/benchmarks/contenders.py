"""The contenders of the benchmarks, and the check that each does its work."""

from collections.abc import Iterator
from wsgiref.types import WSGIApplication

from tests.benchmarks import ours, peers
from tests.benchmarks.floor import Floor
from tests.benchmarks.measuring import Contender
from tests.benchmarks.visitor import WrongAnswerError, count_of, counted, greeted

HELLO, READ, WRITE, BESIDE = "hello", "session read", "session write", "no session"

BARE, FALCON, BOTTLE, FLASK = "bare WSGI callable", "Falcon", "Bottle", "Flask"
BEAKER, SIGNED = "Falcon + Beaker, memory", "Flask, signed cookie"
OURS, MEMORY, SQLITE = "Satsuma", "Satsuma, memory", "Satsuma, SQLite"
FLOOR = "the floor, memory"
WITHOUT, WITH = "none has a session", "others have a session"
ALL_OURS = (OURS, MEMORY, SQLITE, WITH)


def contenders(sqlite_path: str) -> Iterator[Contender]:
    """Yield every contender, each verified."""
    yield _greeting(HELLO, BARE, peers.bare)
    yield _greeting(HELLO, OURS, ours.hello())
    yield _greeting(HELLO, FALCON, peers.falcon_hello())
    yield _greeting(HELLO, BOTTLE, peers.bottle_hello())
    yield _greeting(HELLO, FLASK, peers.flask_hello())
    yield from _counting(FLOOR, Floor())
    yield from _counting(MEMORY, ours.in_memory())
    yield from _counting(SQLITE, ours.in_sqlite(sqlite_path))
    yield from _counting(BEAKER, peers.falcon_with_beaker())
    yield from _counting(SIGNED, peers.flask_with_signed_cookie())
    yield _greeting(BESIDE, WITHOUT, ours.hello())
    yield _greeting(BESIDE, WITH, ours.in_memory())


def verify_persisted(contender: Contender, at_least: int) -> None:
    """Check after the timing that the store has the timed writes, if there is a store."""
    count = count_of(contender.application, contender.environ)
    if contender.name != SIGNED and count < at_least:
        raise WrongAnswerError(f"{contender.name} kept {count} of {at_least} writes")


def _greeting(group: str, name: str, application: WSGIApplication) -> Contender:
    environ = greeted(application)
    return Contender(group=group, name=name, application=application, environ=environ)


def _counting(name: str, application: WSGIApplication) -> Iterator[Contender]:
    for group, environ in zip((READ, WRITE), counted(application), strict=True):
        yield Contender(group=group, name=name, application=application, environ=environ)
