"""Helpers for code that connects sessions to another gateway or framework."""

import logging
from http import HTTPStatus

from sessions.core.codec import decode, encode
from sessions.core.headers import Headers, merge_headers
from sessions.errors import MalformedToken, SessionError, StoreUnavailable
from sessions.transports.base import RequestHead

__all__ = [
    "Headers",
    "RequestHead",
    "decode",
    "encode",
    "merge_headers",
    "refusal",
]

logger = logging.getLogger("sessions")


def refusal(error: SessionError) -> tuple[HTTPStatus, Headers, bytes]:
    """Return status, headers and body of the response after a session error, and log the error.

    Source: RFC 9110, 10.2.3 (Retry-After) and 11.6.1 (WWW-Authenticate).
    """
    status = HTTPStatus(error.status)
    body = f"{status.phrase}\n".encode()
    headers = [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", f"{len(body)}")]
    if isinstance(error, StoreUnavailable):
        headers.append(("Retry-After", f"{error.retry_after}"))
    if isinstance(error, MalformedToken):
        headers.append(("WWW-Authenticate", error.challenge))
    # With a status 4xx, the client has made the error, so the level is INFO.
    level = logging.INFO if status < HTTPStatus.INTERNAL_SERVER_ERROR else logging.ERROR
    logger.log(level, "answered %d: %s", error.status, error)
    return status, headers, body
