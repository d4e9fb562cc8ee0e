"""What is fine for development and unfit to be deployed."""

from collections.abc import Iterator

from framework.application import Application
from framework.defaults import KEYS_VARIABLE
from framework.injection import Graph
from framework.settings import HTTPSettings
from framework.startup import Problem
from sessions.container import SessionContainer
from sessions.stores.memory import MemoryStore


def deployment_warnings(application: Application) -> list[Problem]:
    """Warn of every setting that is known to be unfit outside of development."""
    found = [*_debug(application), *_hosts(application.graph)]
    if application.sessions is not None:
        container = application.sessions.container
        where = application.graph.provider_of(SessionContainer) or ""
        found += [*_key(application), *_store(container, where)]
        found += _cookie(container, where, application.graph.get(HTTPSettings))
    return found


def _debug(application: Application) -> Iterator[Problem]:
    if application.debug:
        yield Problem(
            "Application(…, debug=True)",
            "debug is on: an unhandled exception goes to the server, with all that it tells",
            "Leave debug out; `framework run` turns it on where it is safe.",
        )


def _hosts(graph: Graph) -> Iterator[Problem]:
    if not graph.get(HTTPSettings).trusted_hosts:
        yield Problem(
            graph.provider_of(HTTPSettings) or "",
            "trusted_hosts is empty: a request may ask for any host, and the URLs built for it have"
            " that host",
            "Provide HTTPSettings(trusted_hosts=['shop.example']), with the hosts of your own.",
        )


def _key(application: Application) -> Iterator[Problem]:
    if application.key_file is not None:
        yield Problem(
            str(application.key_file),
            "sessions are signed with the key made for development: another machine makes another,"
            " and who copies the folder can sign, too",
            f"Put the key that `framework secret` prints into {KEYS_VARIABLE}.",
        )


def _store(container: SessionContainer, where: str) -> Iterator[Problem]:
    if isinstance(container.store, MemoryStore):
        yield Problem(
            where,
            "sessions are in a MemoryStore: several workers do not share it, and a restart ends"
            " every session",
            "Give store=SQLiteStore(…) for one machine, or a store that machines share.",
        )


def _cookie(container: SessionContainer, where: str, http: HTTPSettings) -> Iterator[Problem]:
    secure = container.cookie.secure
    if secure is False:
        yield Problem(
            where,
            "the session cookie has secure=False: a browser sends it over plain http, too",
            "Give CookieSettings(secure=True).",
        )
    if secure == "auto" and not http.proxies["x_proto"]:
        yield Problem(
            where,
            'the session cookie has secure="auto", and no proxy is trusted: behind one that ends'
            " https, each request looks like plain http, and the cookie is not Secure",
            "Give CookieSettings(secure=True), or HTTPSettings(trusted_proxies=1) if there is one.",
        )
