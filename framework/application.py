"""The application: collects, checks and builds once, at start-up; then it is a WSGI callable."""

import os
import weakref
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from werkzeug.wrappers import Request

from framework.annotations.signatures import describe
from framework.catching import Catcher
from framework.components import is_component, is_configuration
from framework.controllers import Route, is_controller
from framework.defaults import SessionDefaults
from framework.dispatch import Dispatcher, Surroundings
from framework.edge import surround
from framework.handlers import Handler, HandlerReader
from framework.hooks import read_hooks
from framework.injection import Graph
from framework.middleware import Middleware, lost_middleware, read_middleware, uses_session
from framework.settings import HTTPSettings
from framework.startup import Problem, StartupError
from framework.static import static_problems
from framework.wiring.additions import Addition
from framework.wiring.discovery import find_classes
from sessions.container import SessionContainer
from sessions.manager import SessionManager

_NEW_CONTROLLER = "Return a new class each time, decorated with @component and @controller."

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

    from framework.testing import Client, Replacement


class Application:
    """Serve controllers, with the components and configurations that are given along with them.

    A module stands for the decorated classes that it defines, a package for those of all its
    modules. Raises StartupError with every mistake at once.
    """

    def __init__(
        self,
        *parts: type | ModuleType,
        debug: bool = False,
        replacements: Mapping[object, object] | None = None,
        defaults: SessionDefaults | None = None,
    ) -> None:
        self._parts = parts
        defaults = defaults or SessionDefaults()
        problems: list[Problem] = []
        classes = list(dict.fromkeys(find_classes(parts, problems)))
        known = self._known(defaults)
        self.graph = Graph(classes, replacements=replacements or {}, known=known, problems=problems)
        """The components of the application, each built once."""
        reader = HandlerReader([*classes, *_added(self.graph, problems)], self.graph, problems)
        self.handlers: tuple[Handler, ...] = tuple(reader.read())
        """What start-up knows about each handler: its route, and where its arguments come from."""
        self._hooks = read_hooks(filter(is_configuration, classes), self.graph, problems)
        surroundings = _surroundings(self.handlers, tuple(reader.catchers), self.graph, problems)
        self.graph.report_unused()
        if problems:
            raise StartupError(problems)
        self.key_file: Path | None = defaults.key_file
        """The file of the session key, if the framework made it, now or at an earlier start."""
        self._serve(surroundings, debug=debug)

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        """Answer one request."""
        return self._wsgi(environ, start_response)

    def start(self) -> None:
        """Run the hooks on_start, unless they have been run; the first request does so, too."""
        self._hooks.start()
        self._wsgi = self._served
        if self._hooks.are_needed:
            _started.add(self)

    def stop(self) -> None:
        """Run the hooks on_stop in reverse order; the end of the process does so, too."""
        self._hooks.stop()
        self._wait_for_a_request()

    @property
    def debug(self) -> bool:
        """Tell whether an unhandled exception is raised, for a debugger around the application."""
        return self._dispatch.debug

    @debug.setter
    def debug(self, debug: bool) -> None:
        self._dispatch.debug = debug

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
        adds its scheme and host. Values that the path does not have go to the query.
        """
        if _external and request is None:
            raise TypeError(
                f"the URL of {endpoint!r} with scheme and host needs a request:"
                f" url_for({endpoint!r}, request, _external=True)"
            )
        environ = None if request is None else request.environ
        return self._dispatch.router.url(endpoint, values, environ, external=_external)

    def test(self, *replacements: "Replacement") -> "AbstractContextManager[Client]":
        """Build the application once more, with the replacements, and give a client of it."""
        # The test client and the server know the application, so it can know them only here.
        from framework.testing import open_client

        return open_client(self._parts, replacements, debug=self.debug)

    def run(
        self,
        host: str = "127.0.0.1",
        port: int = 8000,
        *,
        reload: bool = True,
        debug: bool | None = None,
    ) -> None:
        """Serve for development, until Ctrl-C."""
        from framework.server import serve

        serve(lambda: self, host=host, port=port, reload=reload, debug=debug)

    def _serve(self, surroundings: Surroundings, *, debug: bool) -> None:
        """Compile what answers requests."""
        self.routes: tuple[Route, ...] = tuple(handler.route for handler in self.handlers)
        self.sessions: SessionManager | None = surroundings.manager
        """The application's sessions; None if nothing uses them."""
        self.middleware: tuple[Middleware, ...] = surroundings.middleware
        """What goes around every answer, outermost first."""
        self.catchers: tuple[Catcher, ...] = surroundings.catchers
        """The exception handlers of the whole application, the nearest first."""
        self._dispatch = Dispatcher(self.handlers, surroundings, debug=debug)
        # The method costs each request less than the object that has it.
        self._served: WSGIApplication = surround(self._dispatch.__call__, surroundings.settings)
        self._wait_for_a_request()

    def _wait_for_a_request(self) -> None:
        self._wsgi = self._start_and_serve if self._hooks.are_needed else self._served

    def _start_again_after_fork(self) -> None:
        self._hooks.leave_to_parent()
        self._wait_for_a_request()

    def _start_and_serve(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        self.start()
        return self._wsgi(environ, start_response)

    def _known(self, defaults: SessionDefaults) -> dict[object, Callable[[], object]]:
        """Say what the framework provides where the user does not."""
        return {
            Application: lambda: self,
            HTTPSettings: HTTPSettings,
            SessionContainer: defaults.container,
        }


def _added(graph: Graph, problems: list[Problem]) -> Iterator[type]:
    """Yield the controllers that components add."""
    for where, addition in graph.all_of(Addition):
        name = describe(type(addition))
        try:
            added: object = addition.controller()
        # It is made of what the user has given it.
        except Exception as error:  # noqa: BLE001
            what = f"{name} cannot add its controller: {type(error).__name__}: {error}"
            problems.append(Problem(where, what, f"Correct what {name} is given."))
            continue
        if isinstance(added, type) and is_controller(added) and is_component(added):
            yield added
        else:
            what = f"{name}.controller() returned {added!r}, which is not a controller to add"
            problems.append(Problem(where, what, _NEW_CONTROLLER))


def _surroundings(
    handlers: Collection[Handler],
    catchers: tuple[Catcher, ...],
    graph: Graph,
    problems: list[Problem],
) -> Surroundings:
    """Find what holds for all requests, sessions only if something uses them."""
    middleware = tuple(read_middleware(graph, problems))
    problems += lost_middleware(graph, middleware)
    problems += static_problems(handlers, graph)
    in_use = (
        graph.asks_for(SessionManager)
        or any(map(uses_session, middleware))
        or any(handler.uses_session for handler in handlers)
    )
    return Surroundings(
        settings=_settings(graph),
        manager=_sessions(graph) if in_use else None,
        middleware=middleware,
        catchers=catchers,
        makers=graph.makers,
    )


def _settings(graph: Graph) -> HTTPSettings:
    try:
        return graph.get(HTTPSettings)
    # The graph has reported why there are none.
    except KeyError:
        return HTTPSettings()


def _sessions(graph: Graph) -> SessionManager | None:
    """Set sessions up; None if that is a problem."""
    try:
        return graph.get(SessionManager)
    # The graph has reported why there is none.
    except KeyError:
        return None


def _after_fork() -> None:
    for application in tuple(_started):
        application._start_again_after_fork()


_started: weakref.WeakSet[Application] = weakref.WeakSet()
os.register_at_fork(after_in_child=_after_fork)
