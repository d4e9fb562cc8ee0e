"""Cookies as other session systems write them, and the sessions of such a system."""

import hmac
import json
from base64 import urlsafe_b64encode
from collections.abc import Callable
from typing import Any

from sessions import Session
from sessions.migration import (
    HexSignatureCookie,
    IdInNameCookie,
    KeygripCookie,
    LegacyCookie,
    LegacySession,
    SignedPayloadCookie,
)
from tests.support.apps import Answer, Site

SiteOf = Callable[..., Site]

UUID = "0f8fad5b-d9cb-469f-a165-70867728950e"
PAYLOAD = (
    "eyJpdGVtcyI6IkRvZyxDYXQiLCJzaWQiOiIxNTQ3MDAwMDAwMDAwLTEyMzQ1Njc4OSIsInNjdCI6IjE1NDcwMDAwMDAw"
    "MDAifQ=="
)
VALUES = {"items": "Dog,Cat", "sid": "1547000000000-123456789", "sct": "1547000000000"}

HEADERS = {
    "keygrip": f"s={'A' * 40}; s.sig=dQObgw8KXz6XMcSpDWgWLXdgwFw",
    "hex": "sid=abc123; sid_sig=5ae5ac802a1a5c94fb683e1bfa121f9f700a26995213ff2fc1c503eb43ec71c6",
    "name": f"mandarine-session:{UUID}=YJbI4hu2rrQ9b9PLY6zrAkQU3_dOj5n6nQWY-qy1ECI",
    "payload": f"data={PAYLOAD}.Bz8ZNO_q9p8RC-WZeUwBJaGXzZbkEVK2oS1jmfbAcOo=",
}
"""The vectors: whole Cookie headers, by kind."""

NAMES = {
    "keygrip": ["s", "s.sig"],
    "hex": ["sid", "sid_sig"],
    "name": [f"mandarine-session:{UUID}"],
    "payload": ["data"],
}


class OldSystem:
    """The sessions of another system, with a list of the calls to it."""

    def __init__(self) -> None:
        self.sessions: dict[str, dict[str, Any]] = {
            "A" * 40: {"items": "Dog"},
            "abc123": {"items": "Dog"},
            UUID: {"items": "Dog"},
        }
        self.loaded: list[Any] = []
        self.ended: list[Any] = []

    def load(self, content: Any) -> LegacySession | None:
        """Return a session by its id, or the session in a JSON object; Ada is signed in."""
        self.loaded.append(content)
        values = content if isinstance(content, dict) else self.sessions.get(content)
        return None if values is None else LegacySession(values, user_id="ada")

    def end(self, content: Any) -> None:
        """End a session by its id."""
        self.ended.append(content)
        if isinstance(content, str):
            del self.sessions[content]

    def cookies(self, **settings: Any) -> list[LegacyCookie]:
        """Return each kind of cookie; the settings name a newer key first."""
        settings = {"load": self.load, **settings}
        return [
            KeygripCookie("s", keys=["key2", "key1"], **settings),
            HexSignatureCookie("sid", keys=["newer", b"secret"], **settings),
            IdInNameCookie("mandarine-session", keys=["mandarine", "older"], **settings),
            SignedPayloadCookie("data", keys=["newer", "secretkey"], id_key="sid", **settings),
        ]


def payload_cookie(value: object, key: bytes = b"secretkey") -> str:
    """Return a `payload.signature` cookie for any value; bytes are used as they are."""
    octets = value if isinstance(value, bytes) else json.dumps(value).encode()
    payload = urlsafe_b64encode(octets).decode()
    signature = urlsafe_b64encode(hmac.digest(key, payload.encode(), "sha256")).decode()
    return f"data={payload}.{signature}"


def keygrip_cookie(value: str, key: bytes = b"key1", digest: str = "sha1") -> str:
    """Return the two cookies of a value."""
    octets = hmac.digest(key, f"s={value}".encode(), digest)
    return f"s={value}; s.sig={urlsafe_b64encode(octets).decode().rstrip('=')}"


BAD = {
    "no signature": "s=" + "A" * 40,
    "an empty signature": f"s={'A' * 40}; s.sig=",
    "a signature alone": "s.sig=dQObgw8KXz6XMcSpDWgWLXdgwFw",
    "no payload": "data=.",
    "no dot": f"data={PAYLOAD}",
    "a signature of bytes": f"s={'A' * 40}; s.sig=\xe9\xff",
    "a list": payload_cookie([1]),
    "a text": payload_cookie("ada"),
    "not a number": payload_cookie(float("nan")),
    "a value that is not a number": payload_cookie({"sid": "a", "a": float("nan")}),
    "no JSON": payload_cookie(b"{"),
    "no UTF-8": payload_cookie(b"\xff"),
    "many levels": payload_cookie(b"[" * 9_000),
    "a long number": payload_cookie(b'{"a":' + b"9" * 5_000 + b"}"),
    "a long name": f"mandarine-session:{'a' * 300}=x",
    "a name that ends the header": "mandarine-session:a b=x",
}


def user_and_values(session: Session) -> tuple[str | None, dict[str, Any]]:
    """Return who is signed in, and all values."""
    return session.user_id, dict(session)


def native(answer: Answer) -> str:
    """Return the cookie of the new site, as a browser sends it back."""
    (cookie,) = [text for text in answer.set_cookies if text.startswith("session=")]
    return cookie.partition(";")[0]


def cleared(answer: Answer) -> list[str]:
    """Return the names of the cookies that the response removes."""
    return [text.partition("=")[0] for text in answer.set_cookies if "=; Max-Age=0" in text]
