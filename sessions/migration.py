"""Read the cookies of an earlier session system, so that its users stay logged in.

`SessionContainer(legacy_cookies=[...])` takes objects of these classes. These classes only read
cookies: the next response sends the cookie of this container, and clears the old cookie.
"""

import hmac
import re
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal, get_args

from sessions.core.legacy_cookies import (
    Holds,
    LegacyCookie,
    LegacySession,
    Pairs,
    Signed,
    values_of,
)
from sessions.public_names import refusing

__all__ = [
    "HexSignatureCookie",
    "IdInNameCookie",
    "KeygripCookie",
    "LegacyCookie",
    "LegacySession",
    "Pairs",
    "Signed",
    "SignedPayloadCookie",
]

Digest = Literal["sha1", "sha256", "sha512"]

_ID = re.compile(r"[A-Za-z0-9_.-]{1,256}", re.ASCII)


class _Detached(LegacyCookie):
    """A value in one cookie, and its signature in a second cookie."""

    _suffix: ClassVar[str]

    def names(self, pairs: Pairs) -> list[str]:
        own = (self.name, f"{self.name}{self._suffix}")
        return [name for name, _ in pairs if name in own]

    def claims(self, pairs: Pairs) -> Iterator[Signed]:
        signatures = values_of(pairs, f"{self.name}{self._suffix}")
        for value in values_of(pairs, self.name):
            for signature in signatures:
                yield Signed(value, self._signed(value), signature)

    def _signed(self, value: str) -> str:
        return value


@dataclass(frozen=True, repr=False, eq=False, kw_only=True)
class KeygripCookie(_Detached):
    """A cookie with its signature in `<name>.sig`: base64url of the HMAC of `name=value`.

    Koa and the package cookie-session of Express write this cookie. `holds` says what the value is:
    an id, or JSON in base64.
    """

    digest: Digest = "sha1"
    _suffix = ".sig"

    def problems(self) -> Iterator[str]:
        yield from super().problems()
        if self.digest not in get_args(Digest):
            yield f'digest={self.digest!r} is unknown. Fix: give "sha1", "sha256" or "sha512"'

    def signature(self, key: bytes, signed: str) -> str:
        return _base64(hmac.digest(key, signed.encode(), self.digest)).rstrip("=")

    def _signed(self, value: str) -> str:
        return f"{self.name}={value}"


class HexSignatureCookie(_Detached):
    """A cookie with its signature in `<name>_sig`: the HMAC-SHA-256 of the value, in hexadecimal.

    `holds` says what the value is: an id, or JSON in base64.
    """

    _suffix = "_sig"

    def signature(self, key: bytes, signed: str) -> str:
        return hmac.digest(key, signed.encode(), "sha256").hex()


@dataclass(frozen=True, repr=False, eq=False, kw_only=True)
class SignedPayloadCookie(LegacyCookie):
    """A cookie `payload.signature`: JSON in base64, and the HMAC-SHA-256 of this text in base64url.

    With `holds="id"`, the payload is an id.
    """

    holds: Holds = "json"

    def names(self, pairs: Pairs) -> list[str]:
        return [name for name, _ in pairs if name == self.name]

    def claims(self, pairs: Pairs) -> Iterator[Signed]:
        for value in values_of(pairs, self.name):
            payload, dot, signature = value.rpartition(".")
            if dot:
                yield Signed(payload, payload, signature)

    def signature(self, key: bytes, signed: str) -> str:
        return _base64(hmac.digest(key, signed.encode(), "sha256"))


class IdInNameCookie(LegacyCookie):
    """A cookie named `<name>:<id>`, whose value is the signature of `<name>:<id>=<id>`.

    The signature is the HMAC-SHA-256 in base64url without padding. Mandarine writes such a cookie,
    with the name `mandarine-session`.
    """

    def names(self, pairs: Pairs) -> list[str]:
        return [name for name, _ in pairs if self._id(name)]

    def claims(self, pairs: Pairs) -> Iterator[Signed]:
        for name, value in pairs:
            if id := self._id(name):
                yield Signed(id, f"{name}={id}", value)

    def signature(self, key: bytes, signed: str) -> str:
        return _base64(hmac.digest(key, signed.encode(), "sha256")).rstrip("=")

    def _id(self, name: str) -> str:
        start = f"{self.name}:"
        id = name[len(start) :] if name.startswith(start) else ""
        return id if _ID.fullmatch(id) else ""


def _base64(octets: bytes) -> str:
    return urlsafe_b64encode(octets).decode()


# Type checkers do not see this function, because they would then accept every name.
if not TYPE_CHECKING:
    __getattr__ = refusing(__name__)
