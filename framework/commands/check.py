"""`framework check`: why an application cannot start; with --deploy, also unsafe settings."""

import sys
from collections.abc import Iterator, Sized
from contextlib import nullcontext

import click

from framework.application import Application
from framework.commands.finding import Target, application_argument, find, load, report
from framework.commands.other_names import Command
from framework.defaults import KEYS_VARIABLE
from framework.explaining.left_out import left_out
from framework.explaining.reachable import store_failure
from framework.injection.graph import Graph
from framework.report import Mistake, numbered, short_repr
from framework.settings import HTTPSettings
from sessions.container import SessionContainer
from sessions.core.transport_checks import without_warnings
from sessions.stores.memory import MemoryStore
from sessions.transports.cookie import CookieTransport
from sessions.transports.url import URLTransport


@click.command(cls=Command)
@application_argument
@click.option("--deploy", is_flag=True, help="Also warn of settings that are only for development.")
def check(app: str | None, *, deploy: bool) -> None:
    """Report every mistake that keeps the application from starting.

    The exit status is 1 if there is a mistake. Warnings do not change the exit status.
    """
    target = find(app)
    try:
        # With --deploy, the warnings are below.
        with without_warnings() if deploy else nullcontext():
            application = load(target)
    # The user's modules may raise anything; the report shows any error without our own frames.
    except (Exception, SystemExit) as error:  # noqa: BLE001
        click.echo(report(target, error))
        sys.exit(1)
    click.echo(_summary(target, application))
    for controller in left_out(application):
        click.echo(f"Not served: {controller}. Fix: pass the controller to the Application.")
    if (failure := store_failure(application)) is not None:
        click.echo(f"Warning: {failure}.")
    if deploy:
        click.echo(_warnings(application))


def _summary(target: Target, application: Application) -> str:
    controllers = {route.controller for route in application.routes}
    counts = f"{_count(application.routes, 'route')} in {_count(controllers, 'controller')}"
    sessions = "no sessions"
    if application.sessions is not None:
        sessions = f"sessions in {short_repr(application.sessions.container.store)}"
    return f"{target} starts: {counts}, {sessions}."


def _warnings(application: Application) -> str:
    found = _deployment_warnings(application)
    if not found:
        return "Nothing to warn of."
    return f"{_count(found, 'warning')} for a deployment:\n\n{numbered(found)}"


def _count(things: Sized, name: str) -> str:
    return f"{len(things)} {name}" if len(things) == 1 else f"{len(things)} {name}s"


def _deployment_warnings(application: Application) -> list[Mistake]:
    """Return a warning for every setting that is good for development only."""
    found = [*_debug(application), *_hosts(application.graph)]
    if application.sessions is not None:
        container = application.sessions.container
        where = application.graph.provider_of(SessionContainer) or ""
        found += [*_key(application), *_store(container, where)]
        found += _urls(container, where)
        for cookie in application.sessions.tokens.cookies:
            found += _cookie(cookie, where, application.graph.get(HTTPSettings))
    return found


def _debug(application: Application) -> Iterator[Mistake]:
    if application.debug:
        yield Mistake(
            "debug is on: an unhandled exception goes on to the server, and the server may show all"
            " details of the exception",
            "Leave debug out. `framework run` turns it on where it is safe.",
            where="Application(…, debug=True)",
        )


def _hosts(graph: Graph) -> Iterator[Mistake]:
    if not graph.get(HTTPSettings).trusted_hosts:
        yield Mistake(
            "trusted_hosts is empty, so a client can choose the host name in the URLs that the"
            " application builds",
            "Provide HTTPSettings(trusted_hosts=['shop.example']), with your own hosts.",
            where=graph.provider_of(HTTPSettings) or "",
        )


def _key(application: Application) -> Iterator[Mistake]:
    if application.key_file is not None:
        yield Mistake(
            "session ids are signed with the key in the project folder. Another machine makes"
            " another key, and anybody who copies the folder can sign ids",
            f"Put the key that `framework secret` prints into {KEYS_VARIABLE}.",
            where=str(application.key_file),
        )


def _store(container: SessionContainer, where: str) -> Iterator[Mistake]:
    if isinstance(container.store, MemoryStore):
        yield Mistake(
            "sessions are in a MemoryStore: each worker process has its own sessions, and a"
            " restart ends every session",
            "Give store=SQLiteStore(…) for one machine, or your own store for several machines.",
            where=where,
        )


def _urls(container: SessionContainer, where: str) -> Iterator[Mistake]:
    for transport in container.transports:
        if isinstance(transport, URLTransport):
            yield Mistake(
                f"{transport!r} puts the ids of sessions into URLs. Browsers and servers keep URLs"
                " in histories and logs, and people share URLs",
                "Leave the URLTransport out if all clients have cookies. If you need it, add"
                " sessions.logs.HideIds to the access log, and a similar rule to the log of each"
                " proxy. If all users who sign in have cookies, give the URLTransport"
                " refuse_users=True: then a URL never opens the session of a signed-in user.",
                where=where,
            )


def _cookie(cookie: CookieTransport, where: str, http: HTTPSettings) -> Iterator[Mistake]:
    secure = cookie.secure
    if secure is False:
        yield Mistake(
            "the session cookie has secure=False: a browser sends it over plain http, too",
            "Give CookieSettings(secure=True).",
            where=where,
        )
    if secure == "auto" and not http.proxies["x_proto"]:
        yield Mistake(
            'the session cookie has secure="auto", and no proxy is trusted. If https ends at a'
            " proxy, each request looks like plain http, and the cookie is not Secure",
            "Give CookieSettings(secure=True). Or, behind a proxy, give"
            " HTTPSettings(trusted_proxies=1).",
            where=where,
        )
