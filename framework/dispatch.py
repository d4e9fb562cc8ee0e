"""One request, from start to end.

What a request needs is known at start-up: each handler is compiled to a function that does the
steps which its answer takes, and no other.
"""

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from werkzeug.exceptions import HTTPException, InternalServerError, MethodNotAllowed

from framework.annotations.returns import promises_tuple
from framework.catching import Catcher, catching
from framework.exchange import Exchange, exchange_class
from framework.guards import guarded
from framework.handlers import Handler
from framework.middleware import Middleware, wrap
from framework.plans import Plan, compile_call, compile_path_call
from framework.problems import as_http_error, render_problem
from framework.responses import (
    Answer,
    Recover,
    Rendered,
    Renderers,
    close_body,
    status_line,
)
from framework.routing import Entry, Router, path_key, request_path
from framework.settings import HTTPSettings
from framework.settling import Respond, in_scope, in_session, undoing, without_session
from sessions.manager import SessionManager

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

logger = logging.getLogger("framework")


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """Hold what start-up knows that holds for all requests of an application."""

    settings: HTTPSettings = field(default_factory=HTTPSettings)
    # None if nothing uses sessions.
    manager: SessionManager | None = None
    # The outermost first.
    middleware: tuple[Middleware, ...] = ()
    # The exception handlers of configurations.
    catchers: tuple[Catcher, ...] = ()
    # What makes the components that each request has anew.
    makers: Mapping[object, Callable[[Exchange], object]] = field(default_factory=dict)


class Dispatcher:
    """Answer every request of an application."""

    def __init__(
        self, handlers: Iterable[Handler], surroundings: Surroundings, *, debug: bool
    ) -> None:
        self.debug = debug
        self._manager = manager = surroundings.manager
        self._middleware = surroundings.middleware
        self._catchers = surroundings.catchers
        self._has_scope = bool(surroundings.makers)
        self._exchanges = exchange_class(surroundings.settings, surroundings.makers)
        # Rolling sessions are renewed by every response, so also by a 404.
        self._always = manager is not None and manager.opens_every_request
        self.router = Router(self._entries(list(handlers)))
        self._find = self.router.find

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        """Find the handler of a request and let it respond."""
        try:
            respond, values = self._find(environ["REQUEST_METHOD"], request_path(environ))
        except HTTPException as refusal:
            respond, values = self._refusing(refusal, environ["REQUEST_METHOD"]), {}
        return respond(environ, start_response, values)

    def _entries(self, handlers: list[Handler]) -> Iterator[Entry[Respond]]:
        """Compile the handlers; GET's answers HEAD, too, where HEAD has none of its own."""
        heads = {path_key(each.route.rule) for each in handlers if each.route.method == "HEAD"}
        for handler in handlers:
            method, rule = handler.route.method, handler.route.rule
            respond = self._compile(handler)
            if method != "HEAD":
                yield Entry(method, rule, handler.endpoint, respond)
            if method == "HEAD" or (method == "GET" and path_key(rule) not in heads):
                yield Entry("HEAD", rule, handler.endpoint, _without_body(respond))

    def _compile(self, handler: Handler) -> Respond:
        """Choose the shortest way from a request of this handler to its response."""
        plan, route = handler.plan, handler.route
        tuples = promises_tuple(route.function)
        renderers = Renderers(route.where, route.status, tuples_are_data=tuples)
        recover = self._recovery(f"{route.method} {route.rule} in {route.where}")
        caught = catching(handler.catchers, recover)
        if handler.is_bare and not self._always and not self._middleware:
            call_straight = compile_path_call(plan, handler.method)
            return _straight(call_straight, renderers, caught, self._exchanges)
        call = guarded(handler.guards, compile_call(plan, handler.method))
        answer = _answering(call, renderers, caught)
        needs_session = handler.may_use_session
        return self._responding(answer, recover, caught, handler.plans, needs_session=needs_session)

    def _responding(
        self,
        answer: Answer,
        recover: Recover,
        caught: Recover,
        plans: Iterable[Plan],
        *,
        needs_session: bool,
    ) -> Respond:
        if self._middleware:
            answer = wrap(undoing(answer), self._middleware, catching(self._catchers, recover))
            needs_session = True
        if self._has_scope or self._middleware or any(each.may_read_files for each in plans):
            answer = in_scope(answer, caught)
        if self._manager is not None and (needs_session or self._always):
            return in_session(answer, recover, self._manager, self._exchanges)
        return without_session(answer, self._exchanges)

    def _refusing(self, refusal: HTTPException, method: str) -> Respond:
        """Answer a request that has no handler as any other: it may have a session to renew."""
        recover = self._recovery(f"{method} without a handler")
        caught = catching(self._catchers, recover)
        respond = self._responding(
            lambda exchange: _refused(refusal, exchange, caught),
            recover,
            caught,
            [each.plan for each in self._catchers],
            needs_session=bool(self._catchers),
        )
        return _without_body(respond) if method == "HEAD" else respond

    def _recovery(self, what: str) -> Recover:
        """Render errors; one that nobody chose to raise is logged, or left to the debugger."""

        def recover(error: Exception, exchange: Exchange) -> Rendered:
            http_error = as_http_error(error)
            if http_error is None and self.debug:
                raise error
            http_error = http_error or InternalServerError()
            # An HTTPException is an answer, and a 4xx is the client's doing.
            if http_error is not error and (http_error.code or 500) >= 500:
                logger.error("%s failed", what, exc_info=error)
            return render_problem(http_error, exchange.environ)

        return recover


def _straight(
    call: Callable[[dict[str, Any]], object],
    renderers: Renderers,
    recover: Recover,
    exchanges: type[Exchange],
) -> Respond:
    """Respond with what a handler makes of the path values: it needs nothing else."""

    def respond(
        environ: "WSGIEnvironment", start_response: "StartResponse", values: dict[str, Any]
    ) -> Iterable[bytes]:
        try:
            result = call(values)
            status, headers, body = renderers[type(result)](result, environ)
        # Whatever a handler raises is answered.
        except Exception as error:  # noqa: BLE001
            status, headers, body = recover(error, exchanges(environ, values, None))
        start_response(status, headers)
        return body

    return respond


def _answering(
    call: Callable[[Exchange], object], renderers: Renderers, recover: Recover
) -> Answer:
    """Extract the arguments, run the handler and render its result."""

    def answer(exchange: Exchange) -> Rendered:
        try:
            result = call(exchange)
            return renderers[type(result)](result, exchange.environ)
        # Whatever a handler raises is answered.
        except Exception as error:  # noqa: BLE001
            exchange.fail(error)
            return recover(error, exchange)

    return answer


def _refused(refusal: HTTPException, exchange: Exchange, recover: Recover) -> Rendered:
    """Render a 404 or 405, and the automatic answer to OPTIONS."""
    is_options = exchange.environ["REQUEST_METHOD"] == "OPTIONS"
    if isinstance(refusal, MethodNotAllowed) and is_options:
        return status_line(204), [("Allow", ", ".join(refusal.valid_methods or ()))], []
    return recover(refusal, exchange)


def _without_body(respond: Respond) -> Respond:
    """Answer HEAD: all headers of the response, Content-Length included, and no body."""

    def head(
        environ: "WSGIEnvironment", start_response: "StartResponse", values: dict[str, Any]
    ) -> Iterable[bytes]:
        close_body(respond(environ, start_response, values))
        return []

    return head
