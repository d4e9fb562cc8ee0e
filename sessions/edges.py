"""Helpers for code that connects sessions to another gateway or framework."""

import logging
from http import HTTPStatus

from sessions.core.codec import decode, encode
from sessions.core.headers import Headers, merge_headers
from sessions.errors import SessionError, StoreUnavailable
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

    Source: RFC 9110, 10.2.3 (Retry-After).
    """
    status = HTTPStatus(error.status)
    body = f"{status.phrase}\n".encode()
    headers = [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", f"{len(body)}")]
    if isinstance(error, StoreUnavailable):
        headers.append(("Retry-After", f"{error.retry_after}"))
    logger.error("answered %d: %s", error.status, error)
    return status, headers, body
