"""Sessions in servers: the cost of the bare call, of this package, and of other packages."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Any
from wsgiref.types import WSGIApplication, WSGIEnvironment

from sessions.stores.urls import store_from_url
from tests.benchmarks import ours
from tests.benchmarks.contenders import OURS
from tests.benchmarks.measuring import SLICE_SECONDS, Contender, Piece, Timed, respond
from tests.benchmarks.visitor import Visitor, WrongAnswerError, counted

VALKEY_READ, VALKEY_WRITE, VALKEY_LOGIN = "Valkey, read", "Valkey, write", "Valkey, login"
POSTGRESQL_READ, POSTGRESQL_WRITE = "PostgreSQL, read", "PostgreSQL, write"
SQLITE_READ, SQLITE_WRITE = "SQLite, read", "SQLite, write"

GET = "the floor: one GET of redis-py"
QUERY, UPDATE = "the floor: one query of psycopg", "the floor: one UPDATE in a transaction"
FLASK_SESSION, DJANGO_CACHE, DJANGO = "Flask-Session", "Django, cache", "Django, db"
DJANGO_WAL = "Django, db, journal_mode=WAL"

TITLES = {
    VALKEY_READ: "A session in Valkey, read",
    VALKEY_WRITE: "A session in Valkey, written",
    VALKEY_LOGIN: "A login in Valkey: the session is read, and written with a new id",
    POSTGRESQL_READ: "A session in PostgreSQL, read",
    POSTGRESQL_WRITE: "A session in PostgreSQL, written",
    SQLITE_READ: "A session in SQLite beside Django's, read",
    SQLITE_WRITE: "A session in SQLite beside Django's, written",
}


class NoServerError(Exception):
    """Say why sessions in servers are not measured."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Login:
    """Sign in again and again, each time with the cookie of the last login."""

    group: str
    name: str
    application: WSGIApplication
    environ: WSGIEnvironment
    slice_seconds: float = SLICE_SECONDS
    cookie: list[str] = field(default_factory=list)

    def seconds(self, calls: int) -> float:
        """Return the mean seconds of one login."""
        self._send(calls // 2)
        start = perf_counter()
        self._send(calls)
        return (perf_counter() - start) / calls

    def _send(self, calls: int) -> None:
        application, cookie = self.application, self.cookie
        environ = self.environ.copy()

        def start_response(status: str, headers: Any, exc_info: object = None) -> Any:
            for name, value in headers:
                if name == "Set-Cookie":
                    cookie[:] = [value.partition(";")[0]]

        for _ in range(calls):
            request = environ.copy()
            request["HTTP_COOKIE"] = cookie[0]
            chunks = application(request, start_response)
            b"".join(chunks)
            if hasattr(chunks, "close"):
                chunks.close()


@contextmanager
def in_servers(folder: Path) -> Iterator[list[Timed]]:
    """Start the servers and yield what to measure; raise NoServerError without servers."""
    try:
        from tests.benchmarks import server_peers as peers
        from tests.support import redis_servers, sql_servers
    except ImportError as error:
        raise NoServerError(f"a package is missing: {error}") from error
    if redis_servers.server_binary() is None:
        raise NoServerError(redis_servers.WHY_NOT)
    if sql_servers.postgresql_folder() is None:
        raise NoServerError(sql_servers.NO_POSTGRESQL)
    with ExitStack() as stack:
        with _another_processor(stack):
            valkey = stack.enter_context(redis_servers.redis_server(folder))
            postgresql = stack.enter_context(sql_servers.postgresql())
        store: Any = store_from_url(postgresql.url)
        store.create_schema()
        django = peers.Django(valkey.url.replace("/0", "/2"), postgresql.port, folder)
        in_postgresql, file = ours.with_sessions(store), store_from_url(f"sqlite:///{folder}/o.db")
        yield [
            *_in_valkey(valkey.url, peers, django),
            *_floor_of_postgresql(postgresql.url, stack),
            *_reads_and_writes(POSTGRESQL_READ, POSTGRESQL_WRITE, OURS, in_postgresql),
            *_reads_and_writes(POSTGRESQL_READ, POSTGRESQL_WRITE, DJANGO, django.in_postgresql),
            *_reads_and_writes(SQLITE_READ, SQLITE_WRITE, OURS, ours.with_sessions(file)),
            *_reads_and_writes(SQLITE_READ, SQLITE_WRITE, DJANGO, django.in_sqlite),
            *_reads_and_writes(SQLITE_READ, SQLITE_WRITE, DJANGO_WAL, django.in_sqlite_wal),
        ]


@contextmanager
def _another_processor(stack: ExitStack) -> Iterator[None]:
    """Start what the block starts on another processor than this process, if there are two.

    Otherwise the system moves the processes back and forth, and a call takes half the time or twice
    the time, by chance.
    """
    allowed = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    if len(allowed) < 2:
        yield
        return
    stack.callback(os.sched_setaffinity, 0, allowed)
    os.sched_setaffinity(0, allowed[1:])
    yield
    os.sched_setaffinity(0, allowed[:1])


def _in_valkey(url: str, peers: Any, django: Any) -> Iterator[Timed]:
    applications = {
        OURS: ours.with_sessions(store_from_url(url)),
        FLASK_SESSION: peers.flask_session(url.replace("/0", "/1")),
        DJANGO_CACHE: django.in_cache,
    }
    get = _get_of(url)
    for group in (VALKEY_READ, VALKEY_WRITE, VALKEY_LOGIN):
        yield Piece(group=group, name=GET, call=get, slice_seconds=SLICE_SECONDS)
    for name, application in applications.items():
        yield from _reads_and_writes(VALKEY_READ, VALKEY_WRITE, name, application)
        yield _login(name, application)


def _reads_and_writes(
    read: str, write: str, name: str, application: WSGIApplication
) -> Iterator[Timed]:
    for group, environ in zip((read, write), counted(application), strict=True):
        yield Contender(group=group, name=name, application=application, environ=environ)


def _login(name: str, application: WSGIApplication) -> Login:
    """Return the login of an application, after a check that it changes the id."""
    visitor = Visitor(application)
    visitor.expect("/write", "1")
    before = visitor.environ("/write")
    visitor.expect("/login", "ada")
    visitor.expect("/read", "1")
    if respond(application, before)[2] != "1":
        raise WrongAnswerError(f"{name} still knows the id of before the login")
    environ = visitor.environ("/login")
    return Login(
        group=VALKEY_LOGIN,
        name=name,
        application=application,
        environ=environ,
        cookie=[environ["HTTP_COOKIE"]],
    )


def _get_of(url: str) -> Callable[[], object]:
    import redis

    client = redis.Redis.from_url(url, protocol=2)
    client.set("floor", b"x" * 100)
    return lambda: client.get("floor")


def _floor_of_postgresql(url: str, stack: ExitStack) -> Iterator[Timed]:
    import psycopg

    place = url.replace("postgresql+psycopg", "postgresql")
    connection: Any = stack.enter_context(psycopg.connect(place, autocommit=True))
    connection.execute("CREATE TABLE floor (key text PRIMARY KEY, data text, at float8)")
    connection.execute("INSERT INTO floor VALUES ('key', %s, 0)", ("x" * 100,))

    def query() -> object:
        text = "SELECT data FROM floor WHERE key = %s"
        return connection.execute(text, ("key",), prepare=True).fetchone()

    def update() -> None:
        with connection.transaction():
            connection.execute("UPDATE floor SET at = at + 1 WHERE key = %s", ("key",))

    for group, name, call in ((POSTGRESQL_READ, QUERY, query), (POSTGRESQL_WRITE, UPDATE, update)):
        yield Piece(group=group, name=name, call=call, slice_seconds=SLICE_SECONDS)
