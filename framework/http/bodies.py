"""The body of a request: one way to read it, for JSON, forms and the request object.

A body over the limit is answered with 413. A body that ends early, or whose length is not a number,
is answered with 400.
"""

from io import BytesIO
from typing import IO, TYPE_CHECKING, cast

from werkzeug.exceptions import (
    BadRequest,
    HTTPException,
    RequestEntityTooLarge,
    UnsupportedMediaType,
)
from werkzeug.wsgi import LimitedStream

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment


class BodyTooLarge(RequestEntityTooLarge):
    """Answer 413 for a body over the limit."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"The body is over the limit of {limit} bytes.")


class EncodedBody(UnsupportedMediaType):
    """Answer 415 for a body with a Content-Encoding (RFC 9110, 15.5.16)."""

    def get_headers(self, *args: object, **kwargs: object) -> list[tuple[str, str]]:
        """Add the header that names the only accepted encoding."""
        return [*super().get_headers(), ("Accept-Encoding", "identity")]


def read_body(environ: "WSGIEnvironment", limit: int) -> bytes:
    """Read the whole body; refuse a body that is over the limit.

    The body stays readable in the environ.
    """
    body = open_body(environ, limit).read()
    environ["wsgi.input"] = BytesIO(body)
    return body


def open_body(environ: "WSGIEnvironment", limit: int) -> IO[bytes]:
    """Return the stream of the body: it raises 400 for an incomplete body, 413 for a large body.

    A length over the limit is refused at once, and so is a length that is not a number.
    """
    length = content_length(environ, limit)
    if length is not None:
        return cast(IO[bytes], _BodyStream(environ["wsgi.input"], length))
    if environ.get("wsgi.input_terminated"):
        # One byte more than the limit shows whether the body is over the limit.
        return cast(IO[bytes], _BodyStream(environ["wsgi.input"], limit + 1, is_max=True))
    # Without a length, reading is safe only from a server that ends the stream itself.
    return BytesIO()


def content_length(environ: "WSGIEnvironment", limit: int) -> int | None:
    """Read the Content-Length; refuse a length over the limit, and a text that is not a number."""
    text = environ.get("CONTENT_LENGTH") or None
    if text is None:
        return None
    if not (text.isascii() and text.isdigit()):
        raise BadRequest(f"The Content-Length {text!r} is not a number.")
    # The texts are compared first, because Python does not convert a number of a million digits.
    if len(text.lstrip("0")) > len(str(limit)) or int(text) > limit:
        raise BodyTooLarge(limit)
    return int(text)


def refuse_encoded(environ: "WSGIEnvironment") -> None:
    """Raise EncodedBody if the body has a Content-Encoding: the framework decompresses no body."""
    header: str = environ.get("HTTP_CONTENT_ENCODING", "")
    if header and any(
        coding.strip().lower() not in ("", "identity") for coding in header.split(",")
    ):
        raise EncodedBody(
            f"The body has the Content-Encoding {header!r}: send the body without an encoding."
        )


class _BodyStream(LimitedStream):
    """Read a body of `limit` bytes, or with `is_max` a body that must be shorter than `limit`."""

    def __init__(self, stream: IO[bytes], limit: int, *, is_max: bool = False) -> None:
        super().__init__(stream, limit, is_max)
        self._is_max = is_max

    # The base class takes every buffer, but werkzeug passes a bytearray.
    def readinto(self, buffer: bytearray) -> int | None:  # type: ignore[override]
        """Read the next bytes, or raise 400 or 413."""
        try:
            count = super().readinto(buffer)
        except HTTPException:
            raise
        # The stream belongs to the server, which may raise any error for a malformed chunk.
        except Exception as error:
            raise BadRequest("The body cannot be read.") from error
        if self._is_max and self.is_exhausted:
            raise BodyTooLarge(self.limit - 1)
        return count

    def on_disconnect(self, error: Exception | None = None) -> None:
        """Refuse a body that cannot be read, or that is shorter than its Content-Length."""
        if error is not None:
            raise BadRequest("The body cannot be read.") from error
        if not self._is_max:
            raise BadRequest(f"The body ended after {self.tell()} of {self.limit} bytes.")
