"""Peers that keep sessions in servers, each written the way its own documentation does it.

`/write` counts in the session and answers the count; `/read` answers it; `/login` signs in.
"""

import secrets
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import django
import flask
import redis
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.core.management import call_command
from django.http import HttpRequest, HttpResponse
from django.test import override_settings
from django.urls import path
from flask_session import Session


def flask_session(url: str) -> WSGIApplication:
    """Count with Flask and Flask-Session on Redis."""

    def read() -> str:
        return str(flask.session["count"])

    def write() -> str:
        flask.session["count"] = flask.session.get("count", 0) + 1
        return str(flask.session["count"])

    def login() -> str:
        interface: Any = application.session_interface
        interface.regenerate(flask.session)
        flask.session["user"] = "ada"
        return "ada"

    application = flask.Flask(__name__)
    application.secret_key = secrets.token_hex(32)
    application.config.update(SESSION_TYPE="redis", SESSION_REDIS=redis.Redis.from_url(url))
    Session(application)
    for name, view in (("read", read), ("write", write), ("login", login)):
        application.get(f"/{name}")(view)
    return application  # type: ignore[no-any-return]


class Django:
    """Count with Django: one set of settings, and a handler for each place of the sessions."""

    def __init__(self, redis_url: str, postgresql_port: int, folder: Path) -> None:
        sqlite: dict[str, Any] = {"ENGINE": "django.db.backends.sqlite3", "CONN_MAX_AGE": None}
        wal = {"init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL"}
        databases = {
            "default": {**sqlite, "NAME": folder / "django.db"},
            "wal": {**sqlite, "NAME": folder / "django-wal.db", "OPTIONS": wal},
            "postgresql": {
                "ENGINE": "django.db.backends.postgresql",
                "HOST": "127.0.0.1",
                "PORT": postgresql_port,
                "USER": "postgres",
                "NAME": "postgres",
                "CONN_MAX_AGE": None,
            },
        }
        _configure(redis_url, databases)
        for alias in databases:
            Router.database = alias
            call_command("migrate", "sessions", database=alias, verbosity=0)
        self.in_cache = _handler("cache", "default")
        self.in_sqlite = _handler("db", "default")
        self.in_sqlite_wal = _handler("db", "wal")
        self.in_postgresql = _handler("db", "postgresql")


class Router:
    """Send all models to the database of the current handler."""

    database = "default"

    def db_for_read(self, model: object, **hints: object) -> str:
        """Return the database to read from."""
        return self.database

    db_for_write = db_for_read


def _configure(redis_url: str, databases: dict[str, dict[str, Any]]) -> None:
    cache = {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": redis_url}
    if settings.configured:
        raise RuntimeError("Django knows one set of settings in a process")
    settings.configure(
        SECRET_KEY=secrets.token_hex(32),
        ALLOWED_HOSTS=["*"],
        INSTALLED_APPS=["django.contrib.sessions"],
        MIDDLEWARE=["django.contrib.sessions.middleware.SessionMiddleware"],
        ROOT_URLCONF=__name__,
        DATABASES=databases,
        DATABASE_ROUTERS=[f"{__name__}.Router"],
        CACHES={"default": cache},
        LOGGING_CONFIG=None,
    )
    django.setup()


def _handler(engine: str, database: str) -> WSGIApplication:
    with override_settings(SESSION_ENGINE=f"django.contrib.sessions.backends.{engine}"):
        handler: Any = WSGIHandler()

    def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        Router.database = database
        answer: Iterable[bytes] = handler(environ, start_response)
        return answer

    return application


def _read(request: HttpRequest) -> HttpResponse:
    return HttpResponse(str(request.session["count"]))


def _write(request: HttpRequest) -> HttpResponse:
    request.session["count"] = request.session.get("count", 0) + 1
    return HttpResponse(str(request.session["count"]))


def _login(request: HttpRequest) -> HttpResponse:
    request.session.cycle_key()
    request.session["user"] = "ada"
    return HttpResponse("ada")


urlpatterns = [path("read", _read), path("write", _write), path("login", _login)]
