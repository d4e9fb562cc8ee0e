"""The floor: the lowest possible cost of such sessions, as one flat file.

It keeps two promises: the cookie is signed, and changes of different keys are merged.
There is no routing, no expiry, no logout, no limit, no lock, no event and no error in it. What a
real session costs beyond this is what its promises cost.
"""

import hashlib
import hmac
import secrets
from collections.abc import Iterable
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment

from msgspec.msgpack import Decoder, Encoder

encode, decode = Encoder().encode, Decoder().decode

Headers = list[tuple[str, str]]
Values = dict[str, bytes]


class FloorSession:
    """Hold the values of one request, each decoded at its first use."""

    __slots__ = ("base", "key", "values")

    def __init__(self, key: str | None, base: Values) -> None:
        self.key = key
        self.base = base
        self.values: dict[str, Any] = {}

    def get(self, key: str, default: object = None) -> Any:
        """Return a value, or the default."""
        if key not in self.values:
            if key not in self.base:
                return default
            self.values[key] = decode(self.base[key])
        return self.values[key]


class Floor:
    """Count in a session: `/write` adds one and answers the count, `/read` answers it."""

    def __init__(self) -> None:
        self.records: dict[str, Values] = {}
        self.known: dict[str, str] = {}
        self.secret = secrets.token_bytes(32)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        session = self.open(environ)
        if environ["PATH_INFO"] == "/write":
            session.values["count"] = session.get("count", 0) + 1
        body = str(session.get("count")).encode()
        headers = [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))]
        self.close(session, headers)
        start_response("200 OK", headers)
        return [body]

    def open(self, environ: WSGIEnvironment) -> FloorSession:
        """Return the session of the request's cookie, or a new one."""
        key = self.identify(environ)
        return FloorSession(key, {} if key is None else self.records.get(key, {}))

    def identify(self, environ: WSGIEnvironment) -> str | None:
        """Return the key of the session whose signed id is in the cookie."""
        token = environ.get("HTTP_COOKIE", "")[8:]
        key = self.known.get(token)
        if key is None and hmac.compare_digest(token, self._signed(token.partition(".")[0])):
            key = self.known[token] = _hashed(token.partition(".")[0])
        return key

    def close(self, session: FloorSession, headers: Headers) -> None:
        """Merge the changes into the record; give a new session its cookie."""
        changed = self.difference(session)
        if session.key is None and changed:
            id = secrets.token_urlsafe(32)
            session.key = _hashed(id)
            headers.append(("Set-Cookie", f"session={self._signed(id)}; Path=/; HttpOnly"))
        if changed and session.key is not None:
            self.merge(session.key, changed)

    def difference(self, session: FloorSession) -> Values:
        """Return the values that differ from the stored ones."""
        base, changed = session.base, {}
        for key, value in session.values.items():
            encoded = encode(value)
            if encoded != base.get(key):
                changed[key] = encoded
        return changed

    def merge(self, key: str, changed: Values) -> None:
        """Store the changed values beside those that others have changed."""
        self.records[key] = {**self.records.get(key, {}), **changed}

    def _signed(self, id: str) -> str:
        return f"{id}.{hmac.digest(self.secret, id.encode(), hashlib.sha256).hex()}"


def _hashed(id: str) -> str:
    return hashlib.sha256(id.encode()).hexdigest()
