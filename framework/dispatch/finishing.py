"""The end of a request, before its headers are sent: components end, and the session is saved."""

import logging
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from werkzeug.exceptions import InternalServerError, default_exceptions
from werkzeug.wsgi import ClosingIterator

from framework.http.context import Context
from framework.http.responses import Answer, Recover, Rendered, Stream, close_body
from framework.http.scope import Scope
from sessions.edges import merge_headers
from sessions.errors import SessionError
from sessions.manager import SessionManager
from sessions.session import Session
from sessions.wsgi import OPENED_KEY, opened_in

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

# Answers the requests of one handler; the last argument holds the values of the path.
Respond = Callable[["WSGIEnvironment", "StartResponse", dict[str, Any]], Iterable[bytes]]

logger = logging.getLogger("framework")


def in_scope(answer: Answer, recover: Recover) -> Answer:
    """Return a function that answers and then ends the components of the request.

    If the answer is a stream, the components end after the stream.
    """

    def scoped(context: Context) -> Rendered:
        try:
            rendered = answer(context)
        # The error goes to the debugger or ends the process.
        except BaseException as error:
            context.fail(error)
            if context.scope is not None:
                context.scope.close()
            raise
        scope = context.scope
        return rendered if scope is None else _end(scope, rendered, context, recover)

    return scoped


def undoing(answer: Answer) -> Answer:
    """Return a function that answers; after a 5xx, it drops the handler's changes of the session.

    The components undo their work, too. So middleware can call the handler again. If
    middleware changed the session before the call, these changes are kept.
    """

    def undone(context: Context) -> Rendered:
        if context.scope is not None and context.scope.failure is not None:
            # Middleware calls the handler again. The failure of the first call must not affect it.
            _log_errors(context.scope.end)
        context.resolve_anew()
        unsaved = _unsaved(context)
        rendered = answer(context)
        status, _, body = rendered
        if _is_failure(status) and not isinstance(body, Stream):
            _forget(context, keep=unsaved)
            if context.scope is not None:
                _fail(context.scope, status)
                _log_errors(context.scope.end)
        return rendered

    return undone


def without_session(answer: Answer, contexts: type[Context]) -> Respond:
    """Return the function that sends an answer, for a handler that uses no session."""

    def respond(
        environ: "WSGIEnvironment", start_response: "StartResponse", values: dict[str, Any]
    ) -> Iterable[bytes]:
        status, headers, body = answer(contexts(environ, values, None))
        start_response(status, headers)
        return body

    return respond


def in_session(
    answer: Answer, recover: Recover, manager: SessionManager, contexts: type[Context]
) -> Respond:
    """Return the function that saves the session, if one was opened, and then sends the answer."""
    always, suspends = manager.opens_every_request, manager.suspends

    def respond(
        environ: "WSGIEnvironment", start_response: "StartResponse", values: dict[str, Any]
    ) -> Iterable[bytes]:
        context = contexts(environ, values, manager)
        if OPENED_KEY in environ and (shared := opened_in(environ, manager.container)) is not None:
            return _respond_inside(answer, recover, context, shared, start_response)
        try:
            rendered = answer(context)
            session = context.session if always else context.opened
            if session is not None:
                rendered = _save(manager, context, session, rendered, recover)
        # The error goes to the debugger or ends the process: no response is sent.
        except BaseException:
            _abandon(manager, context.opened)
            raise
        start_response(rendered[0], rendered[1])
        return _suspended(rendered[2], manager, session) if suspends else rendered[2]

    return respond


def taking(respond: Respond, manager: SessionManager) -> Respond:
    """Return a function that removes the session's token from the query and form, and responds."""
    taker = manager.tokens.taker
    if taker is None:
        return respond

    def without_token(
        environ: "WSGIEnvironment", start_response: "StartResponse", values: dict[str, Any]
    ) -> Iterable[bytes]:
        taker.from_environ(environ)
        return respond(environ, start_response, values)

    return without_token


def _suspended(
    body: Iterable[bytes], manager: SessionManager, session: Session | None
) -> Iterable[bytes]:
    """Call `suspend` of the session's class when the body has ended."""
    if session is None:
        return body
    return ClosingIterator(body, lambda: manager.suspend(session))


def _abandon(manager: SessionManager, session: Session | None) -> None:
    if session is not None:
        manager.abandon(session)
        manager.suspend(session)


def _respond_inside(
    answer: Answer,
    recover: Recover,
    context: Context,
    session: Session,
    start_response: "StartResponse",
) -> Iterable[bytes]:
    """Respond without saving the session: the SessionMiddleware around the application saves it."""
    context.opened = session
    status, headers, body = answer(context)
    try:
        if context.held and not _is_failure(status):
            context.put_back()
    # The response would report a success that did not happen: the error takes its place.
    except Exception as error:  # noqa: BLE001
        status, headers, body = _instead(body, error, context, recover)
    if isinstance(body, Stream):
        body.call_on_close(context.put_back)
    start_response(status, headers)
    return body


def _end(scope: Scope, rendered: Rendered, context: Context, recover: Recover) -> Rendered:
    status, headers, body = rendered
    _fail(scope, status)
    if isinstance(body, Stream):
        stream = body
        stream.call_on_close(lambda: _end_late(scope, stream.failure))
    elif isinstance(body, list):
        try:
            if scope.has_to_decide:
                _check_session(context)
            scope.close()
        # The response would report a success that did not happen: the error takes its place.
        except Exception as error:  # noqa: BLE001
            # The session would store a success, too.
            _forget(context)
            rendered = _instead(body, error, context, recover)
            # An exception handler may have asked for components of its own.
            _end_late(scope, error)
            return rendered
    else:
        # The body is a file that the server sends, or a stream that the handler passes through.
        body = ClosingIterator(body, lambda: _end_late(scope, None))
    return status, headers, body


def _instead(
    body: Iterable[bytes], error: Exception, context: Context, recover: Recover
) -> Rendered:
    """Close the body, and answer with an error in place of the body."""
    # Components that wait for the end of a stream can still undo their changes.
    context.fail(error)
    close_body(body)
    return recover(error, context)


def _check_session(context: Context) -> None:
    """Raise an error if the session cannot be saved; this check does not call the store."""
    if context.manager is not None and context.opened is not None:
        context.put_back()
        context.manager.check(context.opened)


def _unsaved(context: Context) -> Any:
    """Return the changes that the session has not saved yet, so that `_forget` can keep them."""
    if context.manager is None or context.opened is None:
        return None
    return context.manager.unsaved(context.opened)


def _forget(context: Context, *, keep: Any = None) -> None:
    """Forget the values of resolvers and of `session_value`, and the changes of the session.

    The changes in `keep` are kept.
    """
    context.forget()
    if context.manager is not None and context.opened is not None:
        context.manager.discard(context.opened, keep=keep)


def _is_failure(status: str) -> bool:
    return status[0] == "5"


def _fail(scope: Scope, status: str) -> None:
    """Raise an error in the components after a 5xx, so that they undo their work."""
    if _is_failure(status) and scope.failure is None:
        kind = default_exceptions.get(int(status[:3]), InternalServerError)
        scope.failure = kind(f"The response has the status {status}.")


def _end_late(scope: Scope, failure: BaseException | None) -> None:
    """End the components after the response was sent.

    An error is only logged, because the response cannot change any more.
    """
    scope.failure = scope.failure or failure
    _log_errors(scope.close)


def _log_errors(end: Callable[[], None]) -> None:
    try:
        end()
    # The user's own code ends components and may raise any error; only the log can report it.
    except Exception:
        logger.exception("a component of a request raised an exception when it ended")


def _save(
    manager: SessionManager,
    context: Context,
    session: Session,
    rendered: Rendered,
    recover: Recover,
) -> Rendered:
    """Save the session before the headers are sent, or discard the changes of a failed request."""
    status, headers, body = rendered
    failed = _is_failure(status)
    try:
        if failed:
            status, headers, body = _reported(manager.failure(session), rendered, context, recover)
        elif context.held:
            context.put_back()
        added = manager.close(session, failed=failed, headers=headers)
    # The response would report a success that did not happen: the error takes its place.
    except Exception as error:  # noqa: BLE001
        status, headers, body = _instead(body, error, context, recover)
        added = manager.close(session, failed=True)
    merge_headers(headers, added)
    if isinstance(body, Stream):
        _report_late_changes(manager, context, session, body)
    return status, headers, body


def _reported(
    failure: SessionError | None,
    rendered: Rendered,
    context: Context,
    recover: Recover,
) -> Rendered:
    """Return the answer for an error of the session.

    The result is `rendered` if there is no error, or if `rendered` has the status of the error.
    """
    status, _, body = rendered
    if failure is None or status.startswith(f"{failure.status}"):
        return rendered
    return _instead(body, failure, context, recover)


def _report_late_changes(
    manager: SessionManager, context: Context, session: Session, stream: Stream
) -> None:
    """Log the changes that code made to the session during a stream, because they are lost."""
    stream.call_on_close(context.put_back)
    stream.call_on_close(lambda: manager.report_late_changes(session))
