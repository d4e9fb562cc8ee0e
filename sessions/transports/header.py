"""Carry the token in a header of requests and responses, for clients that are not browsers.

Source: RFC 6750 for `Authorization: Bearer`.
"""

import re

from sessions.errors import ConfigurationError
from sessions.names import OF_TRANSPORTS, explains_settings
from sessions.transports.base import MOST_VALUES, Headers, Obstacle, RequestHead, Transport

LONGEST_HEADER = 8000
"""The bytes of a header's value that the usual servers and proxies accept."""

_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", re.ASCII)
_BEARER = "Bearer"
_CHALLENGE = f'{_BEARER} error="invalid_token", error_description="the token is malformed"'
# Headers that have another meaning already. A client or a server would not pass the token on.
_TAKEN = (
    *("cache-control", "connection", "content-encoding", "content-length", "content-type"),
    *("cookie", "date", "host", "keep-alive", "location", "origin", "proxy-authorization"),
    *("referer", "set-cookie", "te", "trailer", "transfer-encoding", "upgrade", "vary"),
    "www-authenticate",
)
# Browsers send these by themselves, or let a page of another site send them without asking this
# site. So they cannot show that a program made a request. Source: Fetch Standard, 2.2.2.
_OF_BROWSERS = (
    *("accept", "content-language", "dnt", "early-data", "expect", "from", "last-event-id"),
    *("priority", "range", "save-data", "upgrade-insecure-requests", "user-agent", "via"),
)
_OF_BROWSERS_BEGIN = ("accept-", "access-control-", "if-", "proxy-", "sec-", "x-forwarded-")


@explains_settings(OF_TRANSPORTS)
class HeaderTransport(Transport):
    """Carry the token in a header with this name; an empty header in a response clears the token.

    `HeaderTransport.bearer()` carries it as `Authorization: Bearer ...`. A response with a token
    has `Cache-Control: no-store`.
    """

    has_obstacles = False
    sent_by_browsers = False
    longest_header = LONGEST_HEADER

    def __init__(self, name: str = "X-Session-Id") -> None:
        self.name = _checked(name)
        self.vary = self.name

    @staticmethod
    def bearer() -> "HeaderTransport":
        """Return a transport for `Authorization: Bearer ...`; a malformed token gets status 401.

        Source: RFC 6750, 2.1 and 3.1.
        """
        return _BearerTransport()

    def __repr__(self) -> str:
        return f"HeaderTransport(name={self.name!r})"

    def read(self, head: RequestHead) -> list[str]:
        header = head.header(self.name)
        if not header:
            return []
        if _is_too_large(header):
            # The header is not read. The empty token makes the caller call `obstacle`.
            return [""]
        # A server joins several headers of one name with commas. A token has no comma.
        return [token for text in header.split(",") if (token := text.strip(" \t"))]

    def send(self, head: RequestHead, token: str, max_age: int | None) -> Headers:
        return [(self.name, token), ("Cache-Control", "no-store")]

    def clear(self, head: RequestHead) -> Headers:
        return [(self.name, ""), ("Cache-Control", "no-store")]

    def obstacle(self, head: RequestHead) -> Obstacle | None:
        header = head.header(self.name)
        if header is None or not _is_too_large(header):
            return None
        return Obstacle(
            "rejected",
            f"the header {self.name} has {len(header)} bytes in {header.count(',') + 1} values, but"
            f" at most {LONGEST_HEADER} bytes in {MOST_VALUES} values are read, so this request has"
            " no session. Fix: send one token",
        )


class _BearerTransport(HeaderTransport):
    """Carry the token as `Authorization: Bearer ...`. Source: RFC 6750."""

    challenge = _CHALLENGE

    def __init__(self) -> None:
        self.name = self.vary = "Authorization"

    def __repr__(self) -> str:
        return "HeaderTransport.bearer()"

    def read(self, head: RequestHead) -> list[str]:
        scheme, _, token = (head.header(self.name) or "").strip(" \t").partition(" ")
        # The name of the scheme is case-insensitive (RFC 9110, 11.1). Another scheme has no token.
        if scheme.lower() != "bearer":
            return []
        token = token.strip(" ")
        return [token if len(token) <= LONGEST_HEADER else ""]

    def send(self, head: RequestHead, token: str, max_age: int | None) -> Headers:
        return super().send(head, f"{_BEARER} {token}", max_age)

    def obstacle(self, head: RequestHead) -> Obstacle | None:
        return None


def _is_too_large(header: str) -> bool:
    return len(header) > LONGEST_HEADER or header.count(",") >= MOST_VALUES


def _checked(name: object) -> str:
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise ConfigurationError(
            f"HeaderTransport: name={name!r} is not the name of a header. Fix: use letters, digits"
            ' and -, as in "X-Session-Id"'
        )
    if name.lower() == "authorization":
        raise ConfigurationError(
            f"HeaderTransport: name={name!r} has no scheme for the token. Fix: write"
            " HeaderTransport.bearer()"
        )
    lower = name.lower()
    if lower in (*_TAKEN, *_OF_BROWSERS) or lower.startswith(_OF_BROWSERS_BEGIN):
        raise ConfigurationError(
            f"HeaderTransport: name={name!r} has another meaning in HTTP. Fix: give a name of your"
            ' own, such as "X-Session-Id"'
        )
    return name
