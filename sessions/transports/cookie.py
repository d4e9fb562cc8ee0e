"""The token in a cookie. Source: RFC 6265 and its revision, RFC 6265bis."""

import re
from typing import Literal, Protocol
from urllib.parse import unquote

from sessions.errors import ConfigurationError, RequestHeaderTooLarge
from sessions.transports.base import Headers, RequestHead, Transport

MAXIMUM_HEADER = 8 * 1024
MAXIMUM_PAIRS = 50

SameSite = Literal["Strict", "Lax", "None"]

_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", re.ASCII)


class CookieAttributes(Protocol):
    """What a cookie is made of; `CookieSettings` is it."""

    @property
    def http_only(self) -> bool: ...
    @property
    def same_site(self) -> SameSite: ...
    @property
    def path(self) -> str: ...
    @property
    def domain(self) -> str | None: ...
    @property
    def partitioned(self) -> bool: ...
    @property
    def secure(self) -> bool | Literal["auto"]: ...
    @property
    def max_age_seconds(self) -> int | None: ...


class CookieTransport(Transport):
    """Carry the token in a cookie with one exact name and fixed attributes.

    A Secure cookie without a Domain and with the Path `/` is named `__Host-<name>`.
    """

    vary = "Cookie"

    def __init__(self, name: str, attributes: CookieAttributes) -> None:
        if not is_cookie_name(name):
            raise ConfigurationError(
                f"CookieTransport: {name!r} is no cookie name; use letters, digits, '-' and '_'"
            )
        self._plain = _Spelling(name, attributes, secure=False)
        self._secure = _Spelling(host_name(name, attributes), attributes, secure=True)
        self._mode = attributes.secure
        # The gateway has unquoted the path of the request.
        self._path = unquote(attributes.path, "latin-1")
        self._max_age = attributes.max_age_seconds

    def read(self, head: RequestHead) -> list[str]:
        header = head.cookies
        if not header:
            return []
        if len(header) > MAXIMUM_HEADER or header.count(";") >= MAXIMUM_PAIRS:
            raise RequestHeaderTooLarge(
                f"the Cookie header has {len(header)} bytes in {header.count(';') + 1} pairs; at "
                f"most {MAXIMUM_HEADER} bytes in {MAXIMUM_PAIRS} pairs are searched for a session"
            )
        if self._path != "/" and not path_matches(head.path, self._path):
            return []
        return self._spelling(head).find(header)

    def send(self, head: RequestHead, token: str, max_age: int | None) -> Headers:
        if self.obstacle(head) is not None:
            return []
        cookie = self._spelling(head).set(token, self._max_age if max_age is None else max_age)
        return [("Set-Cookie", cookie), ("Cache-Control", "no-store")]

    def clear(self, head: RequestHead) -> Headers:
        if self.obstacle(head) is not None:
            return []
        return [("Set-Cookie", self._spelling(head).set("", 0)), ("Cache-Control", "no-store")]

    def obstacle(self, head: RequestHead) -> str | None:
        if self._mode is not True or head.secure:
            return None
        return (
            "the session cookie is Secure and the request came over plain http, so it is not sent; "
            'serve over https, tell the application of its TLS proxy, or set secure="auto"'
        )

    def _spelling(self, head: RequestHead) -> "_Spelling":
        if self._mode == "auto":
            return self._secure if head.secure else self._plain
        return self._secure if self._mode else self._plain


class _Spelling:
    """The one place that reads and writes the cookie's text."""

    def __init__(self, name: str, attributes: CookieAttributes, *, secure: bool) -> None:
        # Only the exact name: RFC 6265 puts "; " between pairs. No white space is stripped, no
        # quotes are removed, nothing is decoded, for a look-alike name is another cookie.
        self.find = re.compile(rf"(?:^|;\x20?){re.escape(name)}=([^;]*)", re.ASCII).findall
        self._start = f"{name}="
        self._end = _attributes_text(attributes, secure=secure)

    def set(self, token: str, max_age: int | None) -> str:
        """Write a Set-Cookie header; `max_age` in seconds, None until the browser closes."""
        if max_age is None:
            return f"{self._start}{token}{self._end}"
        return f"{self._start}{token}; Max-Age={max_age}{self._end}"


def is_cookie_name(name: object) -> bool:
    """Tell whether this can name a cookie: a token of RFC 9110, 5.6.2."""
    return isinstance(name, str) and _NAME.fullmatch(name) is not None


def host_name(name: str, attributes: CookieAttributes) -> str:
    """Return the cookie's name where it is Secure: with `__Host-` where that may be."""
    if name.startswith(("__Host-", "__Secure-")):
        return name
    return f"__Host-{name}" if attributes.path == "/" and attributes.domain is None else name


def path_matches(path: str, cookie_path: str) -> bool:
    """Tell whether a browser sends a cookie of the one path to the other (RFC 6265, 5.1.4)."""
    if not path.startswith(cookie_path):
        return False
    return len(path) == len(cookie_path) or cookie_path[-1] == "/" or path[len(cookie_path)] == "/"


def _attributes_text(attributes: CookieAttributes, *, secure: bool) -> str:
    parts = [f"Path={attributes.path}"]
    if attributes.domain is not None:
        parts.append(f"Domain={attributes.domain}")
    if secure:
        parts.append("Secure")
    if attributes.http_only:
        parts.append("HttpOnly")
    parts.append(f"SameSite={attributes.same_site}")
    # Browsers refuse a partitioned cookie that is not Secure.
    if attributes.partitioned and secure:
        parts.append("Partitioned")
    return "".join(f"; {part}" for part in parts)
