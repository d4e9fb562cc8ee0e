"""Read, send and delete the session cookie, whose name begins with `__Host-` if possible.

Source: RFC 6265 and its revision, RFC 6265bis.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import unquote

from sessions.errors import ConfigurationError
from sessions.names import OF_TRANSPORTS, explains_settings
from sessions.transports.base import (
    ContainerSettings,
    CookieAttributes,
    Headers,
    Obstacle,
    RequestHead,
    Transport,
    is_secure,
)

HEADER_LIMIT = 16 * 1024
PAIRS_LIMIT = 200
"""The size of a Cookie header that is searched for a session, in bytes and in pairs."""

LONGEST_COOKIE_HEADER = 4096
"""The bytes of a cookie, with name and attributes, that every browser keeps (RFC 6265, 6.1)."""

_INSECURE = (
    "the session cookie is Secure, but the request came over plain http, so it has no session."
    ' Fix: serve over https, set trusted_proxies if https ends at a proxy, or set secure="auto"'
)
_OF_PROXIES = ("X-Forwarded-For", "X-Forwarded-Proto", "X-Real-IP", "Forwarded", "Via")
_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", re.ASCII)


@explains_settings(OF_TRANSPORTS)
class CookieTransport(Transport):
    """Carry the token in a cookie with one exact name and fixed attributes.

    In `SessionContainer(transports=[...])`, a setting that is left out comes from the container. A
    Secure cookie without a Domain and with the Path `/` is named `__Host-<name>`.
    """

    vary = "Cookie"
    longest_header = LONGEST_COOKIE_HEADER

    def __init__(
        self,
        name: str | None = None,
        attributes: CookieAttributes | None = None,
        *,
        header_limit: int | None = None,
        pairs_limit: int | None = None,
    ) -> None:
        problems = [
            *_name_problems(name),
            *_attribute_problems(attributes),
            *_limit_problems(header_limit=header_limit, pairs_limit=pairs_limit),
        ]
        if problems:
            raise ConfigurationError([f"CookieTransport: {problem}" for problem in problems])
        self._given = (name, attributes, header_limit, pairs_limit)
        if name is not None and attributes is not None:
            self._header_limit = HEADER_LIMIT if header_limit is None else header_limit
            self._pairs_limit = PAIRS_LIMIT if pairs_limit is None else pairs_limit
            self._complete(name, attributes)

    def _complete(self, name: str, attributes: CookieAttributes) -> None:
        self._plain = _Spelling(name, attributes, secure=False)
        self._secure = _Spelling(host_name(name, attributes), attributes, secure=True)
        self._mode = self.secure = attributes.secure
        # The path is unquoted, because the path of a request is unquoted too.
        self._path = unquote(attributes.path, "latin-1")
        self._domain = None if attributes.domain is None else attributes.domain.lower()
        if self._domain is not None:
            plain, secure = self._plain, self._secure
            self._here = plain.without_domain(attributes), secure.without_domain(attributes)
        self.age = self._max_age = attributes.max_age_seconds
        self._surely_small = min(self._header_limit, self._pairs_limit)
        # For a header that is too large, `read` returns an empty token; then `obstacle` is called.
        self._goes_anywhere = self._path == "/" and self._domain is None and self._mode is not True
        self.has_obstacles = not self._goes_anywhere

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> object:
            """Raise an error for a transport whose settings are not complete."""
            raise AttributeError(
                f"this CookieTransport has no {name!r}. Fix: give the transport to"
                " SessionContainer(transports=[...]), which completes the settings, or write"
                ' CookieTransport("session", CookieSettings())'
            )

    def __repr__(self) -> str:
        name, attributes, _, _ = self._given
        given = [] if name is None else [repr(name)]
        given += [] if attributes is None else ["..."]
        return f"{type(self).__name__}({', '.join(given)})"

    def completed(self, settings: ContainerSettings) -> "CookieTransport":
        """Return the transport with every setting; missing settings come from the container."""
        name, attributes, header_limit, pairs_limit = self._given
        if name is not None and attributes is not None:
            return self
        return type(self)(
            settings.session_prefix if name is None else name,
            settings.cookie if attributes is None else attributes,
            header_limit=settings.cookie_header_limit if header_limit is None else header_limit,
            pairs_limit=settings.cookie_pairs_limit if pairs_limit is None else pairs_limit,
        )

    def test_cookie(self) -> "CookieTransport":
        """Return a transport for a test cookie, which shows whether the client accepts cookies."""
        name, attributes, header_limit, pairs_limit = self._given
        return CookieTransport(
            f"{name}-test", attributes, header_limit=header_limit, pairs_limit=pairs_limit
        )

    def read(self, head: RequestHead) -> list[str]:
        header = head.cookies
        if not header:
            return []
        # This is a fast path for "auto", the most common setting.
        if self._mode == "auto" and head.scheme == "http":
            spelling = self._plain
        else:
            spelling = self._spelling(head)
        if len(header) >= self._surely_small and self._is_too_large(header):
            # The header is not searched. The empty token makes the caller call `obstacle`.
            return [""]
        if ";" not in header:
            return [header[spelling.skip :]] if header.startswith(spelling.start) else []
        return spelling.find(header)

    def send(self, head: RequestHead, token: str, max_age: int | None) -> Headers:
        if self.obstacle(head) is not None:
            return []
        age = self._max_age if max_age is None else max_age
        return [("Set-Cookie", self._sent(head).set(token, age)), ("Cache-Control", "no-store")]

    def clear(self, head: RequestHead) -> Headers:
        if self.obstacle(head) is not None:
            return []
        return [("Set-Cookie", self._sent(head).set("", 0)), ("Cache-Control", "no-store")]

    def obstacle(self, head: RequestHead) -> Obstacle | None:
        cookies = head.cookies
        if len(cookies) >= self._surely_small and self._is_too_large(cookies):
            return self._too_large(cookies)
        if self._goes_anywhere:
            return None
        if self._mode is True and not is_secure(head):
            return Obstacle("insecure", _INSECURE)
        return self._elsewhere(head)

    def any_head(self, scheme: str, cookies: str = "") -> "CookieHead":
        """Make the head of a request whose path and domain fit the cookie."""
        return CookieHead(cookies, self._path, scheme, self._domain)

    def _is_too_large(self, header: str) -> bool:
        return len(header) > self._header_limit or header.count(";") >= self._pairs_limit

    def _too_large(self, header: str) -> Obstacle:
        return Obstacle(
            "rejected",
            f"the Cookie header has {len(header)} bytes in {header.count(';') + 1} pairs, but at"
            f" most {self._header_limit} bytes in {self._pairs_limit} pairs are searched for a"
            " session, so this request has no session. Fix: raise cookie_header_limit or"
            " cookie_pairs_limit of the SessionContainer, or set fewer cookies",
        )

    def _elsewhere(self, head: RequestHead) -> Obstacle | None:
        """Return why a browser would not send the cookie with this request, or None."""
        if self._path != "/" and not path_matches(head.path, self._path):
            return Obstacle(
                "misplaced",
                f"the request for {head.path!r} is outside of"
                f" CookieSettings(path={self._path!r}), so it has no session. Fix: if a proxy"
                " removes the prefix, let it send X-Forwarded-Prefix; otherwise give a path with"
                " which the path of every request begins, such as '/'",
            )
        host = None if self._domain is None else head.header("Host")
        if host and self._domain and not (domain_matches(host, self._domain) or is_loopback(host)):
            return Obstacle(
                "misplaced",
                f"the request to the host {host!r} is outside of"
                f" CookieSettings(domain={self._domain!r}), so it has no session. Fix: if a proxy"
                " changes the host, let it send X-Forwarded-Host; otherwise give another domain",
            )
        return None

    def _spelling(self, head: RequestHead) -> "_Spelling":
        if self._mode == "auto":
            return self._secure if head.scheme in ("https", "wss") else self._plain
        return self._secure if self._mode else self._plain

    def _sent(self, head: RequestHead) -> "_Spelling":
        """Return the cookie for a response.

        If a browser on this machine sent the request directly, the cookie has no domain, because
        this browser would refuse the domain of the site.
        """
        spelling = self._spelling(head)
        if self._domain is None or not _is_typed_here(head):
            return spelling
        return self._here[spelling.is_secure]


@dataclass(frozen=True, slots=True)
class CookieHead:
    """The head of a request of which only the Cookie header is known."""

    cookies: str = field(repr=False)
    path: str
    scheme: str
    host: str | None
    query: str = ""
    client: str | None = None

    def header(self, name: str) -> str | None:
        """Return the value of the header, or None."""
        return {"cookie": self.cookies, "host": self.host}.get(name.lower())


class _Spelling:
    """Read and write the cookie under one of its names, with the attributes of the cookie."""

    def __init__(
        self, name: str, attributes: CookieAttributes, *, secure: bool, has_domain: bool = True
    ) -> None:
        # Only the exact name matches; RFC 6265 puts "; " between pairs. No white space is stripped,
        # no quotes are removed and nothing is decoded, because a similar name is another cookie.
        self.find = re.compile(rf"(?:^|;\x20?){re.escape(name)}=([^;]*)", re.ASCII).findall
        self.start = f"{name}="
        self.skip = len(self.start)
        self.name, self.is_secure = name, secure
        self._end = _attributes_text(attributes, secure=secure, has_domain=has_domain)

    def without_domain(self, attributes: CookieAttributes) -> "_Spelling":
        """Return the cookie without the attribute Domain, for the host of the request alone."""
        return _Spelling(self.name, attributes, secure=self.is_secure, has_domain=False)

    def set(self, token: str, max_age: int | None) -> str:
        """Return a Set-Cookie header; without `max_age`, closing the browser ends the cookie."""
        if max_age is None:
            return f"{self.start}{token}{self._end}"
        return f"{self.start}{token}; Max-Age={max_age}{self._end}"


def limit_problems(name: str, limit: object) -> Iterator[str]:
    """Yield a message if the limit is not a positive whole number."""
    if isinstance(limit, bool) or not isinstance(limit, int) or limit < 1:
        yield f"{name}={limit!r} is not a limit. Fix: give a whole number of at least 1"


def header_text(header: object) -> str:
    """Return the text of a Cookie header, empty for None; raise TypeError for anything else."""
    if header is not None and not isinstance(header, str):
        # The header is not shown, because its token is a secret.
        raise TypeError(
            "from_cookie takes the text of a Cookie header, not a value of type"
            f" {type(header).__name__}. Fix: give a str, or None if there is no such header"
        )
    return header or ""


def is_cookie_name(name: object) -> bool:
    """Return whether this is a cookie name that the grammar of RFC 9110, 5.6.2, allows."""
    return isinstance(name, str) and _NAME.fullmatch(name) is not None


def _name_problems(name: object) -> Iterator[str]:
    if name is not None and not is_cookie_name(name):
        yield f"{name!r} is not a cookie name. Fix: use letters, digits, - and _"


def _limit_problems(**limits: object) -> Iterator[str]:
    for name, limit in limits.items():
        if limit is not None:
            yield from limit_problems(name, limit)


def _attribute_problems(attributes: object) -> Iterator[str]:
    if attributes is not None and not hasattr(attributes, "max_age_seconds"):
        yield f"attributes={attributes!r} is not a CookieSettings. Fix: write CookieSettings(...)"


def host_name(name: str, attributes: CookieAttributes) -> str:
    """Return the name of the Secure cookie, with `__Host-` if its Path and Domain allow this."""
    if name.startswith(("__Host-", "__Secure-", "__Http-")):
        return name
    return f"__Host-{name}" if attributes.path == "/" and attributes.domain is None else name


def path_matches(path: str, cookie_path: str) -> bool:
    """Return whether a browser sends a cookie with `cookie_path` to `path` (RFC 6265, 5.1.4)."""
    if not path.startswith(cookie_path):
        return False
    return len(path) == len(cookie_path) or cookie_path[-1] == "/" or path[len(cookie_path)] == "/"


def domain_matches(host: str, domain: str) -> bool:
    """Return whether a browser sends a cookie with this domain to the host (RFC 6265, 5.1.3)."""
    name = _without_port(host)
    return name == domain or name.endswith(f".{domain}")


def is_loopback(host: str) -> bool:
    """Return whether the host is this machine.

    Tests on this machine use a container with the domain of the real site.
    """
    return _without_port(host) in ("localhost", "127.0.0.1", "[::1]")


def _is_typed_here(head: RequestHead) -> bool:
    """Return whether a browser on this machine has sent the request directly, without a proxy.

    A proxy can also send `Host: localhost`. Then the result is False: the browser has opened a URL
    with the real host of the site, so the browser accepts a cookie with the domain of the site.
    """
    host = head.header("Host")
    return bool(host) and is_loopback(host or "") and not any(map(head.header, _OF_PROXIES))


def _without_port(host: str) -> str:
    name = host.lower()
    return name.partition("]")[0] + "]" if name.startswith("[") else name.partition(":")[0]


def _attributes_text(attributes: CookieAttributes, *, secure: bool, has_domain: bool) -> str:
    parts = [f"Path={attributes.path}"]
    if has_domain and attributes.domain is not None:
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
