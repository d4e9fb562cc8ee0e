"""The body of a request: its bytes up to the body limit, and 413 for more."""

from io import BytesIO
from typing import IO, TYPE_CHECKING

from werkzeug.exceptions import BadRequest, HTTPException, RequestEntityTooLarge
from werkzeug.wsgi import LimitedStream

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment


def read_body(environ: "WSGIEnvironment", limit: int) -> bytes:
    """Read the whole body; refuse a body over the limit before reading.

    The body stays readable in the environ.
    """
    length = content_length(environ, limit)
    if length is not None:
        body = LimitedStream(environ["wsgi.input"], length).read()
    elif environ.get("wsgi.input_terminated"):
        body = _read_to_the_end(environ["wsgi.input"], limit)
    else:
        # Without a length, reading is safe only from a server that ends the stream itself.
        body = b""
    environ["wsgi.input"] = BytesIO(body)
    return body


def content_length(environ: "WSGIEnvironment", limit: int) -> int | None:
    """Read the Content-Length; refuse a length over the limit, and a text that is not a number."""
    text = environ.get("CONTENT_LENGTH") or None
    if text is None:
        return None
    if not (text.isascii() and text.isdigit()):
        raise BadRequest(f"The Content-Length {text!r} is not a number.")
    # The texts are compared first, because Python does not convert a number of a million digits.
    if len(text.lstrip("0")) > len(str(limit)) or int(text) > limit:
        raise RequestEntityTooLarge(f"The body is over the limit of {limit} bytes.")
    return int(text)


def _read_to_the_end(stream: IO[bytes], limit: int) -> bytes:
    # One byte more than the limit shows whether the body is over the limit.
    try:
        body = LimitedStream(stream, limit + 1, is_max=True).read()
    except HTTPException:
        raise
    # The stream belongs to the server, which may raise any error for a malformed chunk.
    except Exception as error:
        raise BadRequest("The body cannot be read.") from error
    if len(body) > limit:
        raise RequestEntityTooLarge(f"The body is over the limit of {limit} bytes.")
    return body
