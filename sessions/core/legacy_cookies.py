"""Read the cookies that another session system wrote: find them, verify them, clear them."""

import binascii
import hmac
import json
import re
from abc import ABC, abstractmethod
from base64 import b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from datetime import datetime
from inspect import iscoroutinefunction
from typing import Any, Literal, NamedTuple, NoReturn, cast, get_args

from sessions.core.ids import Id, read_id
from sessions.core.limits import (
    COOKIE_HEADER_LIMIT,
    COOKIE_PAIRS_LIMIT,
    LINEAGE_LENGTH,
    MOST_LEGACY_COOKIES,
    SECRET_LENGTH,
)
from sessions.core.token_formats import TokenFormat
from sessions.core.values import encode_value, plain_key
from sessions.errors import ConfigurationError, UnencodableValue
from sessions.transports.base import Headers, RequestHead, is_secure

Pairs = Sequence[tuple[str, str]]
"""The names and values of a Cookie header, as the client sent them."""

Holds = Literal["id", "json"]

# A name or a value that can stand in a header without a change.
_TEXT = re.compile(r"[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]+", re.ASCII)
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]+={0,2}", re.ASCII)


@dataclass(frozen=True)
class LegacySession:
    """A session of another system: its data, and its user if somebody is signed in.

    `authenticated_at` is the time of the sign-in, an aware datetime, or None if it is unknown.
    """

    data: Mapping[str, Any] = field(default_factory=dict)
    user_id: str | None = None
    user_data: Mapping[str, Any] = field(default_factory=dict)
    authenticated_at: datetime | None = None

    def __repr__(self) -> str:
        return f"<LegacySession: {len(self.data)} values>"


Loaded = LegacySession | Mapping[str, Any] | None
Call = Callable[[Any], Any]


class Signed(NamedTuple):
    """The parts of a cookie that is not verified yet: contents, signed text and signature."""

    text: str
    signed: str
    signature: str


@dataclass(frozen=True, repr=False, eq=False)
class LegacyCookie(ABC):
    """Read one kind of cookies of another system; the base class for kinds of your own.

    `holds` says what the signed text is: an id, or JSON in base64. `load` gets the id or the JSON
    object. `load` returns a dict of the session's values or a LegacySession; it returns None if
    there is no such session. Without `load`, the JSON object itself has the values. `end` gets the
    same argument as `load`, and ends the session in the other system. This package calls `end`
    after it has stored the session, and at a logout. `id_key` is the name of the JSON field that
    identifies the session. `path` and `domain` are those of the old cookie: the response needs them
    to clear the cookie. Raises ConfigurationError for wrong settings.
    """

    name: str
    _: KW_ONLY
    keys: Sequence[str | bytes]
    load: Call | None = None
    end: Call | None = None
    holds: Holds = "id"
    id_key: str | None = None
    path: str = "/"
    domain: str | None = None

    def __post_init__(self) -> None:
        problems = [*self.problems(), *_scope_problems(self.path, self.domain)]
        if problems:
            raise ConfigurationError([f"{type(self).__name__}: {text}" for text in problems])

    def __repr__(self) -> str:
        # The keys are secrets.
        return f"<{type(self).__name__} {self.name!r}>"

    @abstractmethod
    def names(self, pairs: Pairs) -> list[str]:
        """Return the names of all cookies in the request that belong to the session."""

    @abstractmethod
    def claims(self, pairs: Pairs) -> Iterator[Signed]:
        """Yield the parts of each cookie in the request; no signature is verified yet."""

    @abstractmethod
    def signature(self, key: bytes, signed: str) -> str:
        """Return the signature of a text, as the other system writes it."""

    def valid(self, pairs: Pairs) -> list[str]:
        """Return the contents of all cookies with a valid signature, each once."""
        found: dict[str, None] = {}
        for number, claim in enumerate(self.claims(pairs)):
            if number == MOST_LEGACY_COOKIES:
                break
            if self._is_valid(claim):
                found[claim.text] = None
        return [*found]

    def content(self, text: str) -> Any:
        """Return the id or the JSON object for `load`; raise ValueError for any other text."""
        if self.holds == "id":
            return text
        found = decoded_json(text)
        if self.load is None:
            _check_values(found)
        return found

    def unique(self, content: Any) -> str | None:
        """Return the text that identifies the session; None if the contents have no such text."""
        if self.holds == "id":
            return f"{content}"
        found = content.get(self.id_key) if self.id_key is not None else None
        if isinstance(found, int) and not isinstance(found, bool):
            # The number 7 and the text "7" are different ids.
            return f"\0{found}"
        return found if isinstance(found, str) and found else None

    def clearing(self, pairs: Pairs, head: RequestHead) -> Headers:
        """Return the headers that remove the cookies from the client."""
        domain = "" if self.domain is None else f"; Domain={self.domain}"
        secure = "; Secure" if is_secure(head) else ""
        end = f"; Max-Age=0; Path={self.path}{domain}{secure}"
        names = [name for name in self.names(pairs)[:MOST_LEGACY_COOKIES] if _TEXT.fullmatch(name)]
        return [("Set-Cookie", f"{name}={end}") for name in dict.fromkeys(names)]

    def _is_valid(self, claim: Signed) -> bool:
        # Ids and base64 have only these characters. For other texts, no signature is computed.
        if not all(map(_TEXT.fullmatch, claim)):
            return False
        given = claim.signature.encode()
        # Each key is tried, so that the time shows nothing about the keys.
        results = [
            hmac.compare_digest(self.signature(octets_of(key), claim.signed).encode(), given)
            for key in self.keys
        ]
        return any(results)

    def problems(self) -> Iterator[str]:
        """Yield a text for each wrong setting; keys are secret, so no text contains a key."""
        name, keys, load = cast("tuple[object, object, object]", (self.name, self.keys, self.load))
        if not isinstance(name, str) or not _TEXT.fullmatch(name) or "=" in name:
            yield f"{name!r} is not the name of a cookie. Fix: give the name in the other system"
        if isinstance(keys, str | bytes) or not isinstance(keys, Sequence) or not keys:
            yield "keys is not a list of keys. Fix: give a list, even for one key"
        elif not all(isinstance(key, str | bytes) and key for key in keys):
            yield "keys has an item that is not a key. Fix: give the keys of the other system"
        if self.holds not in get_args(Holds):
            yield f'holds={self.holds!r} is unknown. Fix: give "id" or "json"'
        if load is None and self.holds == "id":
            yield "a cookie that holds an id needs load. Fix: give load=, a function"
        for setting, function in (("load", load), ("end", self.end)):
            if function is not None and not callable(function):
                yield (
                    f"{setting}={function!r} cannot be called. Fix: give a function with one"
                    " parameter"
                )


class LegacyCookies:
    """Find the sessions of other systems in a request, in the order of the settings."""

    def __init__(self, cookies: Sequence[LegacyCookie], key: bytes) -> None:
        self._cookies = tuple(cookies)
        self._key = key
        self.leaves_sessions = any(cookie.end is None for cookie in cookies)
        """Whether a session that was moved here can also go on in the other system."""

    def id_for(self, cookie: LegacyCookie, content: Any) -> Id | None:
        """Return the new id for a legacy session; None if its cookie identifies no session."""
        unique = cookie.unique(content)
        if unique is None:
            return None
        # JSON may hold half of a surrogate pair.
        text = f"{cookie.name}\0{unique}".encode("utf-8", "surrogatepass")
        digest = urlsafe_b64encode(hmac.digest(self._key, text, "sha512")).decode()
        return read_id(digest[: LINEAGE_LENGTH + SECRET_LENGTH])

    def find(self, header: str) -> Iterator[tuple[LegacyCookie, list[str]]]:
        """Yield each kind of legacy cookie in the header, with a list of its valid contents."""
        pairs = pairs_of(header)
        for cookie in self._cookies:
            if cookie.names(pairs):
                yield cookie, cookie.valid(pairs)

    def clearing(self, head: RequestHead) -> Headers:
        """Return the headers that remove the cookies of the other systems from the client."""
        pairs = pairs_of(head.cookies)
        return [header for cookie in self._cookies for header in cookie.clearing(pairs, head)]


def pairs_of(header: str) -> Pairs:
    """Return the names and values in a Cookie header; an empty list if the header is too large."""
    if not header or len(header) > COOKIE_HEADER_LIMIT or header.count(";") >= COOKIE_PAIRS_LIMIT:
        return []
    parts = [part.removeprefix(" ").partition("=") for part in header.split(";")]
    return [(name, value) for name, equals, value in parts if equals]


def octets_of(key: str | bytes) -> bytes:
    """Return a key as bytes."""
    return key.encode() if isinstance(key, str) else key


def values_of(pairs: Pairs, name: str) -> list[str]:
    """Return the values of all cookies with exactly this name."""
    return [value for given, value in pairs if given == name]


def decoded_json(text: str) -> dict[str, Any]:
    """Return the JSON object in a text of base64 or base64url; raise ValueError for other texts."""
    if not _BASE64.fullmatch(text):
        raise ValueError("it is not base64")
    plain = text.rstrip("=").replace("-", "+").replace("_", "/")
    try:
        octets = b64decode(plain + "=" * (-len(plain) % 4), validate=True)
        found = json.loads(octets.decode(), parse_constant=_refused)
    # Deeply nested lists exceed the stack of the decoder.
    except (binascii.Error, ValueError, RecursionError):
        raise ValueError("it is not base64 of JSON") from None
    if not isinstance(found, dict):
        raise ValueError("its JSON is not an object")
    return found


def _check_values(values: Mapping[str, Any]) -> None:
    """Raise ValueError for values that no session can have."""
    for key, value in values.items():
        try:
            encode_value(plain_key(key), value)
        except UnencodableValue:
            raise ValueError("its JSON has a value that no session can have") from None


def cookie_problems(cookies: object, session_prefix: object, store: object) -> Iterator[str]:
    """Yield a text for each mistake in `legacy_cookies`."""
    if not isinstance(cookies, Sequence) or isinstance(cookies, str | bytes):
        yield f"legacy_cookies={cookies!r} is not a list. Fix: give a list, even for a single item"
        return
    names: list[str] = []
    for cookie in cookies:
        if not isinstance(cookie, LegacyCookie):
            yield (
                f"legacy_cookies has the item {cookie!r}, which is not a LegacyCookie. Fix: give an"
                " object such as KeygripCookie(...), which is in sessions.migration"
            )
            continue
        if cookie.name in (session_prefix, f"__Host-{session_prefix}"):
            yield (
                f"{cookie!r} has the name of this container's cookie, so clearing one cookie"
                " would clear the other. Fix: give another session_prefix"
            )
        if cookie.end is not None and isinstance(store, TokenFormat):
            yield (
                f"{cookie!r} has end=, but without a store nobody knows when the client has its"
                " new token. Fix: leave end out, or give the container a store"
            )
        if cookie.name in names:
            yield f"legacy_cookies has two items for {cookie.name!r}. Fix: give one, with all keys"
        names.append(cookie.name)


def _scope_problems(path: object, domain: object) -> Iterator[str]:
    for name, value in (("path", path), ("domain", domain)):
        is_none = value is None and name == "domain"
        if not is_none and not (isinstance(value, str) and _TEXT.fullmatch(value)):
            yield (
                f"{name}={value!r} is not the {name} of a cookie. Fix: give the {name} of the old"
                " cookie"
            )


def _refused(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


def refuse_coroutines(cookies: Iterable[LegacyCookie]) -> None:
    """Raise ConfigurationError for a function that only an event loop can run."""
    for cookie in cookies:
        for name in ("load", "end"):
            if iscoroutinefunction(getattr(cookie, name)):
                raise ConfigurationError(
                    f"SessionManager: {name} of {cookie!r} is a coroutine function, which a"
                    " blocking application cannot await. Fix: give a plain function, or use"
                    " AsyncSessionManager"
                )
