"""What is settled before the headers leave: a request's components end, its session is saved."""

import logging
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from werkzeug.exceptions import InternalServerError, default_exceptions
from werkzeug.wsgi import ClosingIterator

from framework.exchange import Exchange
from framework.responses import Answer, Recover, Rendered, Stream, close_body
from framework.wiring.scopes import Scope
from sessions.edges import merge_headers
from sessions.errors import StoreUnavailable
from sessions.manager import SessionManager
from sessions.session import Session

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

# Answers the requests of one handler; the last argument holds the values of the path.
Respond = Callable[["WSGIEnvironment", "StartResponse", dict[str, Any]], Iterable[bytes]]

logger = logging.getLogger("framework")

_UNAVAILABLE = f"{StoreUnavailable.status}"


def in_scope(answer: Answer, recover: Recover) -> Answer:
    """End the components of a request with its answer, or with the body if that is streamed."""

    def scoped(exchange: Exchange) -> Rendered:
        try:
            rendered = answer(exchange)
        # It is on its way to the debugger or ends the process.
        except BaseException as error:
            exchange.fail(error)
            if exchange.scope is not None:
                exchange.scope.close()
            raise
        scope = exchange.scope
        return rendered if scope is None else _end(scope, rendered, exchange, recover)

    return scoped


def undoing(answer: Answer) -> Answer:
    """Undo what a failed answer did: middleware may make another of it, or ask for it again.

    What middleware itself wrote before is none of that.
    """

    def undone(exchange: Exchange) -> Rendered:
        if exchange.scope is not None and exchange.scope.failure is not None:
            # It is asked for again, and what failed is none of the new try.
            _log_errors(exchange.scope.end)
        exchange.resolve_anew()
        unsaved = exchange.unsaved()
        rendered = answer(exchange)
        status, _, body = rendered
        if _is_failure(status) and not isinstance(body, Stream):
            exchange.forget(keep=unsaved)
            if exchange.scope is not None:
                _fail(exchange.scope, status)
                _log_errors(exchange.scope.end)
        return rendered

    return undone


def without_session(answer: Answer, exchanges: type[Exchange]) -> Respond:
    """Respond with the answer."""

    def respond(
        environ: "WSGIEnvironment", start_response: "StartResponse", values: dict[str, Any]
    ) -> Iterable[bytes]:
        status, headers, body = answer(exchanges(environ, values, None))
        start_response(status, headers)
        return body

    return respond


def in_session(
    answer: Answer, recover: Recover, manager: SessionManager, exchanges: type[Exchange]
) -> Respond:
    """Respond with the answer once the session is settled, if there is one."""
    always = manager.opens_every_request

    def respond(
        environ: "WSGIEnvironment", start_response: "StartResponse", values: dict[str, Any]
    ) -> Iterable[bytes]:
        exchange = exchanges(environ, values, manager)
        try:
            rendered = answer(exchange)
            session = exchange.session if always else exchange.opened
            if session is not None:
                rendered = _settle(manager, exchange, session, rendered, recover)
        # It is on its way to the debugger or ends the process: no response leaves.
        except BaseException:
            if exchange.opened is not None:
                manager.abandon(exchange.opened)
            raise
        status, headers, body = rendered
        start_response(status, headers)
        return body

    return respond


def _end(scope: Scope, rendered: Rendered, exchange: Exchange, recover: Recover) -> Rendered:
    status, headers, body = rendered
    _fail(scope, status)
    if isinstance(body, Stream):
        stream = body
        stream.call_on_close(lambda: _end_late(scope, stream.failure))
    elif isinstance(body, list):
        try:
            if scope.has_to_decide:
                exchange.check_session()
            scope.close()
        # The response would report what did not happen: the error takes its place.
        except Exception as error:  # noqa: BLE001
            # So would the session.
            exchange.forget()
            rendered = _instead(body, error, exchange, recover)
            # An exception handler may have asked for components of its own.
            _end_late(scope, error)
            return rendered
    else:
        # A file that the server sends by itself, or a stream that the handler passes through.
        body = ClosingIterator(body, lambda: _end_late(scope, None))
    return status, headers, body


def _instead(
    body: Iterable[bytes], error: Exception, exchange: Exchange, recover: Recover
) -> Rendered:
    """Answer with an error, after the end of the body that it takes the place of."""
    # Components that wait for the end of a stream can still undo what they did.
    exchange.fail(error)
    close_body(body)
    return recover(error, exchange)


def _is_failure(status: str) -> bool:
    return status[0] == "5"


def _fail(scope: Scope, status: str) -> None:
    """Let components undo what belongs to a 5xx, as if the handler had raised what it returned."""
    if _is_failure(status) and scope.failure is None:
        kind = default_exceptions.get(int(status[:3]), InternalServerError)
        scope.failure = kind(f"The response has the status {status}.")


def _end_late(scope: Scope, failure: BaseException | None) -> None:
    """End components when the response has been sent, so that no error can change it."""
    scope.failure = scope.failure or failure
    _log_errors(scope.close)


def _log_errors(end: Callable[[], None]) -> None:
    try:
        end()
    # It is the user's own code; nobody but the log can still be told.
    except Exception:
        logger.exception("the components of a request failed to end")


def _settle(
    manager: SessionManager,
    exchange: Exchange,
    session: Session,
    rendered: Rendered,
    recover: Recover,
) -> Rendered:
    """Save the session before the headers leave, or discard what a failed request did to it."""
    status, headers, body = rendered
    failed = _is_failure(status)
    try:
        if failed:
            status, headers, body = _told(manager.failure(session), rendered, exchange, recover)
        elif exchange.lent:
            exchange.take_back()
        added = manager.close(session, failed=failed)
    # The handler's response would report what did not happen: the error takes its place.
    except Exception as error:  # noqa: BLE001
        status, headers, body = _instead(body, error, exchange, recover)
        added = manager.close(session, failed=True)
    if added:
        merge_headers(headers, added)
    if isinstance(body, Stream):
        _report_late_changes(manager, exchange, session, body)
    return status, headers, body


def _told(
    failure: StoreUnavailable | None, rendered: Rendered, exchange: Exchange, recover: Recover
) -> Rendered:
    """Answer that the store has failed, unless the application has said so itself."""
    status, _, body = rendered
    if failure is None or status.startswith(_UNAVAILABLE):
        return rendered
    return _instead(body, failure, exchange, recover)


def _report_late_changes(
    manager: SessionManager, exchange: Exchange, session: Session, stream: Stream
) -> None:
    """Say at the end of a stream what was changed in the session, or lent of it, and is lost."""
    stream.call_on_close(exchange.take_back)
    stream.call_on_close(lambda: manager.report_late_changes(session))
