"""`Application`: collects, checks and builds everything at start-up, and answers WSGI requests."""

import gc
import logging
import os
import weakref
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from werkzeug.wrappers import Request

from framework.advice.arguments import (
    OF_APPLICATIONS,
    OF_RUN,
    explains_arguments,
    refuse_class,
)
from framework.advice.other_frameworks import advice_on_attribute, is_of_another_framework
from framework.around.exception_handlers import Catcher
from framework.around.middleware import AllMiddleware, read_middleware
from framework.decorators import is_configuration
from framework.defaults import ABSENT, SessionDefaults, session_components
from framework.dispatch.handlers import Handler, HandlerReader, added_controllers, tell_handlers
from framework.dispatch.other_gateways import refuse_asgi, refuse_rsgi
from framework.dispatch.steps import Everywhere
from framework.dispatch.wsgi import Dispatcher
from framework.hooks import read_hooks
from framework.http.errors import refusing
from framework.http.routes import Route
from framework.http.security import surround
from framework.injection.discovery import find_classes
from framework.injection.graph import Graph
from framework.injection.providers import Known
from framework.lints import check_program
from framework.lints.program import Program
from framework.middleware import Middleware, uses_session
from framework.report import Mistake, Report, numbered
from framework.settings import HTTPSettings
from sessions.manager import SessionManager

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

    from framework.testing import Client, Replacement

logger = logging.getLogger("framework")


class Application:
    """Serve controllers with the given components and configurations.

    A module stands for the decorated classes that the module defines; a package stands for the
    decorated classes of all its modules. Raises StartupError with every mistake at once.
    """

    @explains_arguments("Application", "Application(Users, Orders)", OF_APPLICATIONS)
    def __init__(
        self,
        *parts: type | ModuleType,
        debug: bool = False,
        replacements: Mapping[object, object] | None = None,
        defaults: SessionDefaults | None = None,
    ) -> None:
        self._parts = parts
        with _without_collections():
            self._build(replacements or {}, defaults or SessionDefaults(), debug=debug)

    def __call__(
        self,
        environ: "WSGIEnvironment",
        start_response: "StartResponse | None" = None,
        send: object = None,
    ) -> Iterable[bytes]:
        """Answer a WSGI request; raise an error for a call by an ASGI server.

        The calls of ASGI servers have one or three arguments.
        """
        if start_response is None or send is not None:
            refused: Iterable[bytes] = refuse_asgi(environ, start_response, send)
            return refused
        return self._wsgi(environ, start_response)

    def __rsgi_init__(self, _: object) -> None:
        """Raise an error when a server that speaks RSGI starts the application."""
        refuse_rsgi()

    # Type checkers report unknown attributes themselves.
    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> object:
            """Raise AttributeError for an unknown attribute, and say what to write instead."""
            # Python itself asks for names with underscores, such as __deepcopy__.
            public = [] if name.startswith("_") else [*dir(type(self)), *vars(self)]
            raise AttributeError(advice_on_attribute(name, public))

        def __setattr__(self, name: str, value: object) -> None:
            """Refuse a setting that other frameworks keep in attributes of the application."""
            if is_of_another_framework(name):
                raise AttributeError(advice_on_attribute(name, ()))
            super().__setattr__(name, value)

    def start(self) -> None:
        """Run the on_start hooks once; without this call, the first request runs the hooks."""
        self._hooks.start()
        self._wsgi = self._served
        if self._hooks.are_needed:
            _started.add(self)

    def stop(self) -> None:
        """Run the on_stop hooks in reverse order; at the latest, they run when the process ends."""
        self._hooks.stop()
        self._wait_for_a_request()

    @property
    def start_mistake(self) -> Mistake | None:
        """Return the last error of a start hook, as a `Mistake`; None if no start hook failed."""
        return self._hooks.mistake

    @property
    def debug(self) -> bool:
        """Return whether the server gets unhandled exceptions, so that its debugger shows them."""
        return self.dispatcher.debug

    @debug.setter
    def debug(self, debug: bool) -> None:
        self.dispatcher.debug = debug

    def url_for(
        self,
        endpoint: str,
        request: Request | None = None,
        /,
        *,
        _external: bool = False,
        **values: object,
    ) -> str:
        """Build the URL of a handler, such as `url_for("Users.show", user_id=1)`.

        With a request, the URL is below the mount point at which the request arrived; `_external`
        adds the scheme and host of the request. A value for which the path has no variable becomes
        a part of the query. With `session=session`, the URL has the token of the session if the
        client sends no cookies.
        """
        if not (request is None or isinstance(request, Request)):
            raise TypeError(
                f"url_for({endpoint!r}, {request!r}) has a second value that is not a request. Fix:"
                f" give the variables of the path by name, as in"
                f" url_for({endpoint!r}, user_id={request!r})"
            )
        if _external and request is None:
            raise TypeError(
                f"the URL of {endpoint!r} with scheme and host needs a request:"
                f" write url_for({endpoint!r}, request, _external=True)"
            )
        environ = None if request is None else request.environ
        rewrite = getattr(values.get("session"), "rewrite", None)
        given = {**values, "session": None} if rewrite else values
        url = self.dispatcher.router.url(endpoint, given, environ, external=_external)
        return str(rewrite(url)) if rewrite else url

    def test(self, *replacements: "Replacement") -> "AbstractContextManager[Client]":
        """Build the application again with the replacements, and return a client for it."""
        # The modules of the test client and of the server import this module, so this method
        # imports them late.
        from framework.testing import open_client

        refuse_class(self, Application, "test")
        return open_client(self._parts, replacements, debug=self.debug)

    @explains_arguments("app.run", "app.run(host, port, reload=True)", OF_RUN)
    def run(
        self,
        host: str = "127.0.0.1",
        port: int = 8000,
        *,
        reload: bool = True,
        debug: bool | None = None,
    ) -> None:
        """Serve the application for development until Ctrl-C."""
        # A user without a type checker may give any type.
        given: tuple[object, object] = host, port
        if not isinstance(given[0], str):
            raise TypeError(f"the host {host!r} is not a text. Fix: write app.run(port={host!r})")
        if not isinstance(given[1], int):
            raise TypeError(f"port={port!r} is not a number. Fix: write port=8000")
        from framework.serving.server import serve

        serve(lambda: self, host=host, port=port, reload=reload, debug=debug)

    def _build(
        self, replacements: Mapping[object, object], defaults: SessionDefaults, *, debug: bool
    ) -> None:
        report = Report()
        classes = list(dict.fromkeys(find_classes(self._parts, report)))
        known = [*self._known(), *session_components(defaults)]
        self.graph = Graph(
            classes, replacements=replacements, known=known, absent=ABSENT, report=report
        )
        """The components of the application, each built once."""
        classes += added_controllers(self.graph, report)
        settings = self._read(classes, report)
        report.raise_mistakes()
        self.key_file: Path | None = defaults.key_file
        """The file of the session key; None if the framework did not make the key."""
        self._serve(settings, debug=debug)

    def _read(self, classes: Sequence[type], report: Report) -> HTTPSettings:
        """Read and check the routes, hooks, exception handlers, middleware and settings."""
        reader = HandlerReader(classes, self.graph, report)
        self.handlers: tuple[Handler, ...] = tuple(reader.read())
        """The handlers: each has its route, and the sources of its arguments."""
        self._hooks = read_hooks(filter(is_configuration, classes), self.graph, report)
        self.catchers: tuple[Catcher, ...] = tuple(reader.catchers)
        """The exception handlers of the whole application; the nearest is first."""
        self.middleware: tuple[Middleware, ...] = AllMiddleware(read_middleware(self.graph, report))
        """The middleware around every answer; the outermost is first."""
        self.sessions: SessionManager | None = self._sessions(report)
        """The manager of the application's sessions; None if nothing uses sessions."""
        settings = self._settings(report)
        program = Program(classes, self.graph, self.handlers, self.middleware, self.sessions)
        check_program(program, report)
        if not report.mistakes:
            tell_handlers(self.handlers, self.graph, report)
        return settings

    def _serve(self, settings: HTTPSettings, *, debug: bool) -> None:
        """Build the dispatcher that answers requests."""
        self.routes: tuple[Route, ...] = tuple(handler.route for handler in self.handlers)
        self.everywhere = Everywhere(
            settings=settings,
            manager=self.sessions,
            middleware=self.middleware,
            catchers=self.catchers,
            per_request=self.graph.per_request,
        )
        """The settings, middleware and other objects that all requests share."""
        self.dispatcher = Dispatcher(self.handlers, self.everywhere, debug=debug)
        """The dispatcher, which finds the handler of a request and answers."""
        # To call the method directly is faster than to call the object.
        self._served: WSGIApplication = surround(self.dispatcher.__call__, settings)
        self._wait_for_a_request()

    def _wait_for_a_request(self) -> None:
        self._wsgi = self._start_and_serve if self._hooks.are_needed else self._served

    def _start_again_after_fork(self) -> None:
        self._hooks.leave_to_parent()
        self._wait_for_a_request()

    def _start_and_serve(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        try:
            self.start()
        # A start hook is the user's own code and may raise any error. The client must get our 500.
        except Exception as error:
            if self.debug:
                raise
            # Another request that tries to start resets the mistake, so it is read only once.
            mistake = self.start_mistake
            told = str(error) if mistake is None else numbered([mistake])
            logger.exception(
                "the application cannot start, so this request gets an error: %s", told
            )
            refuse = surround(refusing(error), self.everywhere.settings)
            return refuse(environ, start_response)
        return self._wsgi(environ, start_response)

    def _known(self) -> Sequence[Known]:
        """List the components, other than sessions, that the framework provides by default."""
        return [
            Known(key=Application, make=lambda: self),
            Known(key=HTTPSettings, make=HTTPSettings, is_for_users=True),
        ]

    def _settings(self, report: Report) -> HTTPSettings:
        with report.at("the settings of HTTP"):
            return self.graph.get(HTTPSettings)
        return HTTPSettings()

    def _sessions(self, report: Report) -> SessionManager | None:
        """Return the manager of sessions if something uses sessions."""
        is_used = (
            self.graph.asks_for(SessionManager)
            or any(map(uses_session, self.middleware))
            or any(handler.uses_session for handler in self.handlers)
        )
        if is_used:
            with report.at("the sessions of the application"):
                return self.graph.get(SessionManager)
        return None


def _after_fork() -> None:
    for application in tuple(_started):
        application._start_again_after_fork()


_started: weakref.WeakSet[Application] = weakref.WeakSet()
# Windows has no forks.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


@contextmanager
def _without_collections() -> Iterator[None]:
    """Switch Python's garbage collector off while the block runs.

    Start-up makes many objects that stay. The collector would search all of them again and again
    and free nothing. These searches take half of the start-up time of a large application.
    """
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
