"""Take the token out of the query and the form of a request, before the application reads them.

Source: PEP 3333; the ASGI specification; the URL Standard, 5 (application/x-www-form-urlencoded).
"""

from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import suppress
from io import BufferedReader, BytesIO, RawIOBase
from typing import Any

from sessions.transports.url import take_out

TAKEN_KEY = "sessions.taken"
"""The key in an environ or scope for the values of each parameter that was taken out."""

URLENCODED = "application/x-www-form-urlencoded"

Taken = dict[str, list[str]]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]

# The server's own copies of the URL, which it may write to its access log.
_URLS = ("REQUEST_URI", "RAW_URI")


class Taker:
    """Take one parameter out of requests, but read no form with more bytes than the limit."""

    def __init__(self, parameter: str, form_limit: int) -> None:
        self._parameter = parameter
        self._form_limit = form_limit

    def from_environ(self, environ: dict[str, Any]) -> None:
        """Take the parameter with the token out of a WSGI request; change the environ in place."""
        taken: Taken = environ.get(TAKEN_KEY) or {}
        if self._parameter in taken:
            # An outer middleware has taken the parameter out.
            return
        values = self._from_query(environ)
        if _is_urlencoded(environ):
            length = self._form_length(environ)
            if length is not None:
                values += self._from_input(environ, length)
            elif not environ.get("CONTENT_LENGTH") and environ.get("wsgi.input_terminated"):
                values += self._from_chunks(environ)
        environ[TAKEN_KEY] = {**taken, self._parameter: values}

    async def from_scope(self, scope: MutableMapping[str, Any], receive: Receive) -> Receive:
        """Take the parameter with the token out of an ASGI request; return the new `receive`."""
        taken: Taken = scope.get(TAKEN_KEY) or {}
        if self._parameter in taken:
            return receive
        query, values = self._split(scope.get("query_string", b""))
        if values:
            scope["query_string"] = query
        if scope["type"] == "http" and _is_form(scope["headers"]):
            found, receive = await self._from_body(scope, receive)
            values += found
        scope[TAKEN_KEY] = {**taken, self._parameter: values}
        return receive

    def _from_query(self, environ: dict[str, Any]) -> list[str]:
        query, values = take_out(environ.get("QUERY_STRING", ""), self._parameter)
        if values:
            environ["QUERY_STRING"] = query
            for name in _URLS:
                address, mark, text = environ.get(name, "").partition("?")
                if mark:
                    rest, _ = take_out(text, self._parameter)
                    environ[name] = f"{address}?{rest}" if rest else address
        return values

    def _form_length(self, environ: dict[str, Any]) -> int | None:
        """Return the length of a form, or None for a body that this module does not read."""
        length: str = environ.get("CONTENT_LENGTH") or ""
        # Python does not convert a number of many digits.
        if not (length.isascii() and length.isdigit()) or len(length) > len("1000000000000"):
            return None
        return int(length) if int(length) <= self._form_limit else None

    def _from_input(self, environ: dict[str, Any], length: int) -> list[str]:
        try:
            body = environ["wsgi.input"].read(length)
        # The stream belongs to the server. The application meets the same error when it reads.
        except Exception:  # noqa: BLE001
            return []
        # The application must refuse a body that ends early, so the body stays unchanged.
        rest, values = self._split(body) if len(body) == length else (body, [])
        environ["wsgi.input"] = BytesIO(rest)
        if values:
            environ["CONTENT_LENGTH"] = str(len(rest))
        return values

    def _from_chunks(self, environ: dict[str, Any]) -> list[str]:
        """Read a form without a Content-Length; the server ends the stream after the form."""
        stream, body, is_whole = environ["wsgi.input"], bytearray(), False
        # The stream belongs to the server. The application meets the same error when it reads.
        with suppress(Exception):
            while not is_whole and len(body) <= self._form_limit:
                piece = stream.read(self._form_limit + 1 - len(body))
                body += piece
                is_whole = not piece
        if not is_whole:
            environ["wsgi.input"] = BufferedReader(_Joined(bytes(body), stream))
            return []
        rest, values = self._split(bytes(body))
        environ["wsgi.input"] = BytesIO(rest)
        return values

    async def _from_body(
        self, scope: MutableMapping[str, Any], receive: Receive
    ) -> tuple[list[str], Receive]:
        # One piece of bytes takes less memory than a message for each byte of a slow client.
        body = bytearray()
        while True:
            message = await receive()
            if message["type"] != "http.request":
                return [], _replaying([_request(body, more=True), message], receive)
            body += message.get("body", b"")
            more = bool(message.get("more_body"))
            if len(body) > self._form_limit:
                return [], _replaying([_request(body, more=more)], receive)
            if not more:
                break
        rest, values = self._split(bytes(body))
        if values:
            scope["headers"] = [
                (name, str(len(rest)).encode() if name == b"content-length" else value)
                for name, value in scope["headers"]
            ]
        return values, _replaying([_request(rest, more=False)], receive)

    def _split(self, text: bytes) -> tuple[bytes, list[str]]:
        """Return a text without the parameter of the token, and the values of this parameter."""
        rest, values = take_out(text.decode("latin-1"), self._parameter)
        return rest.encode("latin-1"), values


class _Joined(RawIOBase):
    """A stream that first gives the bytes that were read already, then the rest of a stream."""

    def __init__(self, first: bytes, stream: Any) -> None:
        self._first = BytesIO(first)
        self._stream = stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        piece = self._first.read(len(buffer)) or self._stream.read(len(buffer))
        buffer[: len(piece)] = piece
        return len(piece)


def _is_urlencoded(environ: dict[str, Any]) -> bool:
    kind: str = environ.get("CONTENT_TYPE") or ""
    return kind.lower().startswith(URLENCODED) and not environ.get("HTTP_CONTENT_ENCODING")


def _is_form(headers: list[tuple[bytes, bytes]]) -> bool:
    kinds = [value for name, value in headers if name == b"content-type"]
    is_encoded = any(name == b"content-encoding" for name, _ in headers)
    return bool(kinds) and kinds[0].lower().startswith(URLENCODED.encode()) and not is_encoded


def _request(body: bytes | bytearray, *, more: bool) -> Message:
    return {"type": "http.request", "body": bytes(body), "more_body": more}


def _replaying(messages: list[Message], receive: Receive) -> Receive:
    """Return a `receive` that first gives the messages that were read already."""
    left = iter(messages)

    async def replay() -> Message:
        message = next(left, None)
        return await receive() if message is None else message

    return replay
