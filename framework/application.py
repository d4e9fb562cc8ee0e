"""The application: collects, checks and builds once, at start-up; then it is a WSGI callable."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from werkzeug.wrappers import Request

from framework.additions import Addition
from framework.binding import bind
from framework.controllers import Route, is_controller, routes_of
from framework.defaults import SessionDefaults
from framework.discovery import find_classes
from framework.dispatch import Dispatcher, Handler
from framework.injection import Graph
from framework.middleware import Middleware, read_middleware, uses_session
from framework.routing import path_key, path_variables
from framework.startup import Problem, StartupError, setting_problems
from sessions.container import SessionContainer
from sessions.errors import ConfigurationError
from sessions.manager import SessionManager
from sessions.record import new_id

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

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
        graph = Graph(classes, replacements=replacements or {}, known=known, problems=problems)
        handlers = _handlers([*classes, *_added(graph)], graph, problems)
        middleware = read_middleware(graph, problems)
        in_use = any(map(uses_session, middleware)) or any(
            handler.plan.uses_session for handler in handlers
        )
        manager = _sessions(graph, problems) if in_use else None
        graph.report_unused_replacements()
        if problems:
            raise StartupError(problems)
        self.graph = graph
        """The components of the application, each built once."""
        self.handlers: tuple[Handler, ...] = tuple(handlers)
        """What start-up knows about each handler: its route, and where its arguments come from."""
        self.routes: tuple[Route, ...] = tuple(handler.route for handler in handlers)
        self.sessions: SessionManager | None = manager
        """The application's sessions; None if nothing uses them."""
        self.key_file: Path | None = defaults.key_file
        """The file of the session key, if the framework made it, now or at an earlier start."""
        self.middleware: tuple[Middleware, ...] = tuple(middleware)
        """What goes around every answer, outermost first."""
        self._dispatch = Dispatcher(handlers, manager, middleware=self.middleware, debug=debug)

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        """Answer one request."""
        return self._dispatch(environ, start_response)

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

    def _known(self, defaults: SessionDefaults) -> dict[object, Callable[[], object]]:
        """Say what the framework provides where the user does not."""
        return {Application: lambda: self, SessionContainer: defaults.container}


def _added(graph: Graph) -> list[type]:
    """List the controllers that components add."""
    try:
        addition = graph.get(Addition)
    # There is none; or it cannot be built, which the graph has reported.
    except KeyError:
        return []
    return [addition.controller()] if isinstance(addition, Addition) else []


def _handlers(classes: list[type], graph: Graph, problems: list[Problem]) -> list[Handler]:
    """Bind every handler of the controllers."""
    routes = [
        route for each in classes if is_controller(each) for route in routes_of(each, problems)
    ]
    problems += _duplicates(routes)
    endpoints = _endpoints(routes)
    handlers = (_handler(route, endpoints[route.controller], graph, problems) for route in routes)
    return [handler for handler in handlers if handler is not None]


def _handler(route: Route, prefix: str, graph: Graph, problems: list[Problem]) -> Handler | None:
    try:
        variables = path_variables(route.rule)
    except ValueError as error:
        problems.append(_bad_rule(route, error))
        return None
    plan = bind(
        route.function,
        where=route.where,
        path_variables=variables,
        provide=graph.get,
        problems=problems,
    )
    try:
        controller: object = graph.get(route.controller)
    # The graph has reported why there is none.
    except KeyError:
        return None
    if plan is None:
        return None
    return Handler(route, f"{prefix}.{route.name}", plan, getattr(controller, route.name))


def _endpoints(routes: Iterable[Route]) -> dict[type, str]:
    """Name the controllers for URL building by their class, and its module where two are alike."""
    controllers = {route.controller for route in routes}
    count = Counter(each.__name__ for each in controllers)
    return {
        each: each.__name__ if count[each.__name__] == 1 else f"{each.__module__}.{each.__name__}"
        for each in controllers
    }


def _duplicates(routes: Iterable[Route]) -> Iterator[Problem]:
    """Report handlers that no request could reach, since others have their method and paths."""
    first: dict[tuple[str, str], Route] = {}
    for route in routes:
        other = first.setdefault((route.method, path_key(route.rule)), route)
        if other is not route:
            yield Problem(
                route.where,
                f"{route.method} {route.rule} is also {other.method} {other.rule} in {other.where}",
                "Give one of the two another path or method.",
            )


def _bad_rule(route: Route, error: ValueError) -> Problem:
    return Problem(
        route.where,
        f"the path {route.rule!r} is no rule: {error}",
        "Write a path such as '/items/<int:item_id>'; converters are string, int, float, uuid,"
        " path and any.",
    )


def _sessions(graph: Graph, problems: list[Problem]) -> SessionManager | None:
    """Set sessions up; None if that is a problem."""
    where = graph.provider_of(SessionContainer) or "the default SessionContainer"
    try:
        container = graph.get(SessionContainer)
        _try_gen_id(container)
        return SessionManager(container)
    except ConfigurationError as error:
        problems += setting_problems(where, error.problems)
    # The graph has reported why there is no container.
    except KeyError:
        pass
    return None


def _try_gen_id(container: SessionContainer) -> None:
    try:
        new_id(container.gen_id)
    except ConfigurationError:
        raise
    # It is the user's function: whatever it raises now, it would raise in a request.
    except Exception as error:
        raise ConfigurationError(f"gen_id raised {error!r}; correct it, or leave it out") from error
