"""The same small applications, written for this framework."""

import secrets
from wsgiref.types import WSGIApplication

from framework import Application, component, configuration, controller, get, session
from sessions import MemoryStore, SessionContainer, SQLiteStore, Store


@controller("/hello")
class Hello:
    """Greet; no session."""

    @get("/<name>")
    def show(self, name: str) -> str:
        """Greet by name."""
        return f"Hello, {name}!"


@controller("/")
class Count:
    """Count in the session."""

    @get("/read")
    def read(self, session: session) -> str:
        """Answer the count."""
        return str(session["count"])

    @get("/write")
    def write(self, session: session) -> str:
        """Count one more and answer the count."""
        session["count"] = session.get("count", 0) + 1
        return str(session["count"])

    @get("/login")
    def login(self, session: session) -> str:
        """Sign in and answer who it is."""
        session.set_user("ada")
        return "ada"


def hello() -> WSGIApplication:
    """Greet, in an application that has no sessions."""
    return Application(Hello)


def with_sessions(store: Store) -> WSGIApplication:
    """Greet and count, with sessions in the given store."""

    @configuration
    class Sessions:
        @component
        def session_container(self) -> SessionContainer:
            return SessionContainer(keys=[secrets.token_hex(32)], store=store)

    return Application(Hello, Count, Sessions)


def in_memory() -> WSGIApplication:
    """Greet and count, with sessions in memory."""
    return with_sessions(MemoryStore())


def in_sqlite(path: str) -> WSGIApplication:
    """Greet and count, with sessions in an SQLite file."""
    return with_sessions(SQLiteStore(path))
