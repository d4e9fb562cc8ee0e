"""Make a status, headers (Content-Type, `nosniff`) and a body or stream from a handler's result."""

import logging
import reprlib
from collections.abc import (
    AsyncIterable,
    Awaitable,
    Callable,
    Generator,
    Iterable,
    Iterator,
)
from enum import Enum
from http import HTTPStatus
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from werkzeug.http import HTTP_STATUS_CODES
from werkzeug.wrappers import Response
from werkzeug.wsgi import ClosingIterator

from framework.http.context import Context
from framework.http.headers import Headers, check_status, sendable
from framework.results import Result, check_body, encode_json
from framework.types.returns import FILE_REMEDY, Promise, advice_on_parts

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

Rendered = tuple[str, Headers, Iterable[bytes]]
Render = Callable[[Any, "WSGIEnvironment"], Rendered]
# Makes the response of one request, even if the handler fails.
Answer = Callable[[Context], Rendered]
# Makes the response to an error.
Recover = Callable[[Exception, Context], Rendered]

# What a handler may return, as the end of a message.
_RESULTS = (
    " Return a Response, a str, bytes, None, a generator, or what JSON can hold: dict, list,"
    " dataclass, msgspec.Struct, Enum, UUID, datetime, numbers."
)

logger = logging.getLogger("framework")

_NO_PROMISE = Promise()


class Renderers(dict[type, Render]):
    """Map each type of result of one handler to the function that renders the type.

    `where` names the handler in messages; `status` is the status in the decorator of the handler.
    """

    def __init__(
        self, where: str, status: int | None = None, *, promise: Promise = _NO_PROMISE
    ) -> None:
        super().__init__()
        self._promise = promise
        self._where = where
        self._status = status_line(status or HTTPStatus.OK)
        self._nothing_status = status_line(status or HTTPStatus.NO_CONTENT)
        self._bodiless = status in _BODILESS

    def __missing__(self, kind: type) -> Render:
        """Choose the function that renders a type when the first value of the type arrives."""
        render = self._choose(kind)
        # A handler may make new classes in each request: without a limit, memory would leak.
        if len(self) < _REMEMBERED_TYPES:
            self[kind] = render
        return render

    def _choose(self, kind: type) -> Render:
        if issubclass(kind, Response):
            return self._result if issubclass(kind, Result) else self._response
        if kind is type(None):
            return self._chosen_for_nothing()
        if issubclass(kind, Awaitable | AsyncIterable):
            return self._refuse_async
        if self._bodiless:
            return self._refuse
        if issubclass(kind, str) and not issubclass(kind, Enum):
            return self._text
        if kind is bytes:
            return self._bytes
        if issubclass(kind, bytes):
            # WSGI does not allow subclasses of bytes (PEP 3333, "A Note on String Types").
            return lambda result, environ: self._bytes(bytes(result), environ)
        if issubclass(kind, Generator):
            return self._stream
        if issubclass(kind, PurePath):
            return self._refuse_path
        return self._json if kind is not tuple or self._promise.tuples_are_data else self._tuple

    def _chosen_for_nothing(self) -> Render:
        """Return the function for None; it raises an error if the handler promises a value."""
        if self._promise.value is not None and not self._bodiless:
            return self._refuse_nothing
        return self._nothing

    def _text(self, result: str, _: "WSGIEnvironment") -> Rendered:
        body = result.encode()
        return self._status, [TEXT, NOSNIFF, ("Content-Length", str(len(body)))], [body]

    def _bytes(self, result: bytes, _: "WSGIEnvironment") -> Rendered:
        return self._status, [BYTES, NOSNIFF, ("Content-Length", str(len(result)))], [result]

    def _json(self, result: object, _: "WSGIEnvironment") -> Rendered:
        try:
            body = encode_json(result)
        # msgspec raises ValueError and OverflowError for a value that JSON cannot hold, although
        # JSON can hold its type.
        except (TypeError, ValueError, OverflowError) as error:
            # An error that says its own remedy needs no general one.
            remedy = "" if ". Fix: " in str(error) else _RESULTS
            raise TypeError(
                f"{self._where} returned {reprlib.repr(result)}, which cannot be sent:"
                f" {error}.{remedy}"
            ) from error
        return self._status, [JSON, NOSNIFF, ("Content-Length", str(len(body)))], [body]

    def _tuple(self, result: tuple[object, ...], environ: "WSGIEnvironment") -> Rendered:
        """Refuse a tuple such as `(body, status)`; send any other tuple as a JSON list."""
        advice = advice_on_parts(result)
        if advice is not None:
            raise TypeError(f"{self._where} returned {reprlib.repr(result)}, {advice}")
        return self._json(result, environ)

    def _nothing(self, _: None, __: "WSGIEnvironment") -> Rendered:
        if self._bodiless or self._nothing_status.startswith("204"):
            return self._nothing_status, [], []
        return self._nothing_status, [TEXT, ("Content-Length", "0")], []

    def _refuse_nothing(self, _: None, __: "WSGIEnvironment") -> Rendered:
        written = self._promise.value
        raise TypeError(
            f"{self._where} returned None, but is annotated to return {written}. Fix: return a"
            f" value in every case, or annotate the method with `-> {written} | None`: then None"
            " is answered with 204"
        )

    def _stream(self, result: Iterator[object], _: "WSGIEnvironment") -> Rendered:
        body = Stream(result, self._where)
        return self._status, [TEXT if body.is_text else BYTES, NOSNIFF], body

    def _response(self, result: Response, environ: "WSGIEnvironment") -> Rendered:
        return render_response(result, environ, self._where)

    def _result(self, result: Result, environ: "WSGIEnvironment") -> Rendered:
        if result.takes_status:
            if self._bodiless:
                return self._refuse(result, environ)
            result.status = self._status
        return self._response(result, environ)

    def _refuse_path(self, result: object, _: "WSGIEnvironment") -> Rendered:
        """Refuse a path, because a handler that returns a path most likely means the file."""
        raise TypeError(
            f"{self._where} returned {result!r}, which is a path, not a body. Fix: {FILE_REMEDY}"
        )

    def _refuse_async(self, result: object, _: "WSGIEnvironment") -> Rendered:
        """Refuse a coroutine or an async iterator.

        Start-up refuses every `async def` that it sees. Most likely, a decorator hid the
        `async def` of this handler.
        """
        shown = reprlib.repr(result)
        # Without this, Python would also warn that the coroutine was never awaited.
        close_body(result)
        raise TypeError(
            f"{self._where} returned {shown}, which WSGI cannot await. Fix: write `def` in place"
            " of `async def`. If your own decorator hides the `async def`, run the coroutine in"
            " this decorator, for example with asyncio.run(...)."
        )

    def _refuse(self, result: object, _: "WSGIEnvironment") -> Rendered:
        raise TypeError(
            f"{self._where} returned {reprlib.repr(result)}, but its status {self._status!r} has"
            " no body. Fix: return None, or give another status."
        )


class Stream:
    """Send the chunks of a generator; the constructor makes the first chunk.

    The code before the first `yield` runs in the constructor, so this code can still change the
    headers.
    """

    def __init__(self, chunks: Iterator[object], where: str) -> None:
        self._chunks = chunks
        self._where = where
        # The error that the generator raised after its first chunk.
        self.failure: Exception | None = None
        self._on_close: list[Callable[[], object]] = []
        close = getattr(chunks, "close", None)
        if close is not None:
            self.call_on_close(close)
        try:
            first = next(chunks, "")
            self.is_text = isinstance(first, str)
            self._first: bytes | None = self._encode(first)
        # The caller gets no Stream, so it cannot close the generator.
        except BaseException:
            self.close()
            raise

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        if self._first is not None:
            first, self._first = self._first, None
            return first
        try:
            return self._encode(next(self._chunks))
        except StopIteration:
            raise
        # The error is raised again, so that the server breaks the connection and the client sees
        # that the answer is not whole. The log names the handler, which the server does not know.
        except Exception as error:
            self.failure = error
            logger.exception("%s failed after its headers were sent", self._where)
            raise

    def close(self) -> None:
        """End the generator, after its last chunk or when the client has gone."""
        while self._on_close:
            try:
                self._on_close.pop(0)()
            # The client has gone or has the whole answer; the other functions must still run.
            except Exception:
                logger.exception("%s failed when its stream ended", self._where)

    def call_on_close(self, function: Callable[[], object]) -> None:
        """Call a function after the end of the generator."""
        self._on_close.append(function)

    def _encode(self, chunk: object) -> bytes:
        if isinstance(chunk, bytes):
            return chunk
        if isinstance(chunk, str):
            return chunk.encode()
        raise TypeError(
            f"{self._where} yielded {reprlib.repr(chunk)}, of type {type(chunk).__name__}. Fix:"
            " yield only str or bytes, such as json.dumps(value); or return a list, which"
            " is sent as JSON."
        )


class Closing(list[bytes]):
    """A whole body, which calls a function once when it is closed."""

    def __init__(self, chunks: Iterable[bytes], close: Callable[[], object]) -> None:
        super().__init__(chunks)
        self._close: Callable[[], object] | None = close

    def close(self) -> None:
        """Call the function, unless it was called already."""
        close, self._close = self._close, None
        if close is not None:
            close()


def render_response(response: Response, environ: "WSGIEnvironment", where: str) -> Rendered:
    """Render a Werkzeug response."""
    try:
        check_status(response.status, where)
        check_body(response.response, where)
        headers = sendable(response.get_wsgi_headers(environ).to_wsgi_list(), where)
    # After an error, the response is not sent, so it is closed here.
    except BaseException:
        close_body(response)
        raise
    if response.status_code == HTTPStatus.NO_CONTENT:
        # Werkzeug adds a default Content-Type, but 204 has no content.
        headers = [header for header in headers if header[0].lower() != "content-type"]
    elif NOSNIFF[0] not in response.headers:
        headers.append(NOSNIFF)
    return response.status, headers, _body(response, environ, where)


def _body(response: Response, environ: "WSGIEnvironment", where: str) -> Iterable[bytes]:
    content, is_watched = response.response, bool(response._on_close)
    if response.status_code in _BODILESS:
        if isinstance(content, Stream):
            content.close()
        return Closing([], response.close)
    if type(content) is list and not is_watched:
        # WSGI allows only bytes, but a Response may hold a bytearray or a memoryview.
        return [bytes(chunk) for chunk in response.iter_encoded()]
    if isinstance(content, Stream):
        # The handler's own stream is sent, and closes the response around it when it ends.
        content.call_on_close(response.close)
        return content
    body = response.get_app_iter(environ)
    if not response.is_streamed:
        return Closing(body, response.close)
    # A server that sends a file by itself closes the file, but not the response.
    if is_watched and response.direct_passthrough:
        return Stream(ClosingIterator(response.iter_encoded(), response.close), where)
    return body if response.direct_passthrough else Stream(iter(body), where)


def status_line(status: int) -> str:
    """Return a status for WSGI, such as `201 CREATED`."""
    return f"{int(status)} {HTTP_STATUS_CODES.get(status, 'Unknown').upper()}"


def close_body(body: object) -> None:
    """Close a body that is not sent, or that is sent only in part."""
    close = getattr(body, "close", None)
    try:
        if close is not None:
            close()
    # `close` may be the user's own code, and another answer is sent, so only the log can show it.
    except Exception:
        logger.exception("a response was not sent, and close() of its body raised an error")


TEXT = ("Content-Type", "text/plain; charset=utf-8")
BYTES = ("Content-Type", "application/octet-stream")
JSON = ("Content-Type", "application/json")
# Without this header, a browser may guess that a text is a page, and run scripts in the text.
NOSNIFF = ("X-Content-Type-Options", "nosniff")
_BODILESS = {HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED}
_REMEMBERED_TYPES = 64
