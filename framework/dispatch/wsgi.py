"""One request over WSGI: the steps of each handler, compiled to one function.

Start-up compiles the steps of each handler to one function, so a request does only these steps.
"""

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from werkzeug.exceptions import HTTPException, InternalServerError, NotFound

from framework.advice.errors import note_once
from framework.advice.our_frames import is_all_ours
from framework.around.exception_handlers import catching
from framework.around.guards import guarded
from framework.around.middleware import wrap
from framework.binding.plan import compile_call, compile_path_call
from framework.defaults import told_of_store
from framework.dispatch.finishing import (
    Respond,
    in_scope,
    in_session,
    taking,
    undoing,
    without_session,
)
from framework.dispatch.handlers import Handler
from framework.dispatch.steps import (
    CallHandler,
    CatchErrors,
    CheckGuard,
    EndComponents,
    Everywhere,
    PassMiddleware,
    ReadArguments,
    SaveSession,
    Step,
    only,
    steps_of,
    steps_without_handler,
)
from framework.http.context import Context, context_class
from framework.http.errors import add_remedy, answerable, as_http_error, render_problem
from framework.http.responses import (
    Answer,
    Recover,
    Rendered,
    Renderers,
    close_body,
    status_line,
)
from framework.http.routing import (
    Entry,
    Router,
    allowed_methods,
    answering_head,
    is_automatic_options,
    request_path,
)
from framework.types.returns import promise_of
from sessions.errors import StoreUnavailable

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

logger = logging.getLogger("framework")


class Dispatcher:
    """Answer every request of an application."""

    def __init__(self, handlers: Iterable[Handler], everywhere: Everywhere, *, debug: bool) -> None:
        self.debug = debug
        self.unknown_path: Callable[[str], NotFound] | None = None
        """Makes the 404 of a path that no rule matches, in place of the 404 of the router."""
        self._everywhere = everywhere
        self._contexts = context_class(everywhere.settings, everywhere.per_request)
        # The outer steps are the same for every refusal.
        self._around_refusals = self._around(steps_without_handler(NotFound(), everywhere))
        self._handlers: dict[Respond, Handler] = {}
        self.router = Router(self._entries(list(handlers)))
        self._find = self.router.find

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        """Find the handler of a request and let the handler respond."""
        try:
            respond, values = self._find(environ["REQUEST_METHOD"], request_path(environ))
        except HTTPException as refusal:
            told = self._told(refusal, environ)
            respond, values = self._refusing(told, environ["REQUEST_METHOD"]), {}
        return respond(environ, start_response, values)

    def find(self, method: str, path: str) -> tuple[Handler, dict[str, Any]]:
        """Return the handler that would answer a request, and the values of its path.

        Raises `MethodNotAllowed` or `NotFound`.
        """
        respond, values = self._find(method, path)
        return self._handlers[respond], values

    def _entries(self, handlers: list[Handler]) -> Iterator[Entry[Respond]]:
        """Yield an entry for each HTTP method that a handler answers; compile each handler once."""
        entries = [
            Entry(handler.route.method, handler.route.rule, handler.endpoint, handler)
            for handler in handlers
        ]
        compiled: dict[int, Respond] = {}
        for entry in answering_head(entries):
            handler = entry.handler
            respond = compiled.get(id(handler)) or self._compile(handler)
            compiled[id(handler)] = respond
            if entry.method == "HEAD":
                respond = _without_body(respond)
            self._handlers[respond] = handler
            yield Entry(entry.method, entry.rule, entry.endpoint, respond)

    def _compile(self, handler: Handler) -> Respond:
        """Compile the steps of a handler to one function that does only what this handler needs."""
        route, steps = handler.route, steps_of(handler, self._everywhere)
        recover = self._recovery(f"{route.method} {route.rule} in {route.where}")
        caught = _catching(steps, recover)
        promise = promise_of(route.function)
        renderers = Renderers(route.where, route.status, promise=promise)
        match steps:
            case (ReadArguments(plan), CallHandler()) if plan.path_only:
                call = compile_path_call(plan, handler.method)
                return _straight(call, renderers, caught, self._contexts)
        guards = [step.guard for step in only(steps, CheckGuard)]
        (arguments,) = only(steps, ReadArguments)
        called = guarded(guards, compile_call(arguments.plan, handler.method))
        return self._around(steps)(_answering(called, renderers, caught), recover, caught)

    def _told(self, refusal: HTTPException, environ: "WSGIEnvironment") -> HTTPException:
        """Return the answer to a request without a handler.

        If `unknown_path` is set, it makes the answer to a path without a route.
        """
        if self.unknown_path is None or not isinstance(refusal, NotFound):
            return refusal
        try:
            return self.unknown_path(request_path(environ))
        # The path cannot be read, and the refusal already says so.
        except HTTPException:
            return refusal

    def _refusing(self, refusal: HTTPException, method: str) -> Respond:
        """Return the function that answers a request without a handler.

        The outer steps are the same as around a handler, because the session of the request
        possibly has to be renewed.
        """
        recover = self._recovery(f"{method} without a handler")
        caught = catching(self._everywhere.catchers, recover)
        respond = self._around_refusals(
            lambda context: _refused(refusal, context, caught), recover, caught
        )
        return _without_body(respond) if method == "HEAD" else respond

    def _around(self, steps: Sequence[Step]) -> Callable[[Answer, Recover, Recover], Respond]:
        """Return the function that puts middleware, components and sessions around an `Answer`."""
        middleware = [step.middleware for step in only(steps, PassMiddleware)]
        ends_components = bool(only(steps, EndComponents))
        managers = [step.manager for step in only(steps, SaveSession)]

        def put_around(answer: Answer, recover: Recover, caught: Recover) -> Respond:
            if middleware:
                outside = catching(self._everywhere.catchers, recover)
                answer = wrap(undoing(answer), middleware, outside)
            if ends_components:
                answer = in_scope(answer, caught)
            if managers:
                respond = in_session(answer, recover, managers[0], self._contexts)
                return taking(respond, managers[0])
            return without_session(answer, self._contexts)

        return put_around

    def _recovery(self, what: str) -> Recover:
        """Return the function that renders errors, and logs or raises unexpected errors.

        The function raises an unexpected error only for a debugger.
        """

        def recover(error: Exception, context: Context) -> Rendered:
            error = answerable(error)
            http_error = as_http_error(error)
            if http_error is None:
                add_remedy(error)
                if self.debug:
                    _say_where(error, what)
                    raise error
            http_error = http_error or InternalServerError()
            # An HTTPException is an answer, and a 4xx is the client's error: neither is logged.
            if http_error is not error and (http_error.code or 500) >= 500:
                _log(error, what)
            try:
                return render_problem(http_error, context.environ)
            # The class of the error may be the user's own, and its methods may raise anything.
            except Exception:
                if self.debug:
                    raise
                logger.exception("%s failed, and no answer can be made from its error", what)
                return render_problem(InternalServerError(), context.environ)

        return recover


def _log(error: Exception, what: str) -> None:
    if isinstance(error, StoreUnavailable):
        # The program has made no mistake here, so its lines would say nothing.
        logger.error("%s failed: %s", what, told_of_store(error))
        logger.debug("%s failed", what, exc_info=error)
    else:
        logger.error("%s failed", what, exc_info=error)


def _say_where(error: Exception, what: str) -> None:
    """Add the name of the handler to an error whose traceback shows only the framework."""
    where = what.rpartition(" in ")[2]
    if is_all_ours(error) and where not in str(error):
        note_once(error, f"This is about {what}.")


def _catching(steps: Sequence[Step], recover: Recover) -> Recover:
    for step in only(steps, CatchErrors):
        recover = catching(step.catchers, recover)
    return recover


def _straight(
    call: Callable[[dict[str, Any]], object],
    renderers: Renderers,
    recover: Recover,
    contexts: type[Context],
) -> Respond:
    """Return the function that answers for a handler that needs only the path values."""

    def respond(
        environ: "WSGIEnvironment", start_response: "StartResponse", values: dict[str, Any]
    ) -> Iterable[bytes]:
        try:
            result = call(values)
            status, headers, body = renderers[type(result)](result, environ)
        # Every error of a handler is answered.
        except Exception as error:  # noqa: BLE001
            status, headers, body = recover(error, contexts(environ, values, None))
        start_response(status, headers)
        return body

    return respond


def _answering(call: Callable[[Context], object], renderers: Renderers, recover: Recover) -> Answer:
    """Return the function that reads the arguments, runs the handler and renders its result."""

    def answer(context: Context) -> Rendered:
        try:
            result = call(context)
            return renderers[type(result)](result, context.environ)
        # Every error of a handler is answered.
        except Exception as error:  # noqa: BLE001
            context.fail(error)
            return recover(error, context)

    return answer


def _refused(refusal: HTTPException, context: Context, recover: Recover) -> Rendered:
    """Render a 404, a 405, or the automatic answer to OPTIONS."""
    if is_automatic_options(context.environ["REQUEST_METHOD"], refusal):
        return status_line(204), [("Allow", ", ".join(allowed_methods(refusal)))], []
    return recover(refusal, context)


def _without_body(respond: Respond) -> Respond:
    """Return the function that answers HEAD: all headers, Content-Length included, and no body."""

    def head(
        environ: "WSGIEnvironment", start_response: "StartResponse", values: dict[str, Any]
    ) -> Iterable[bytes]:
        close_body(respond(environ, start_response, values))
        return []

    return head
