"""Applications that write to the session, each with another kind of response."""

import sys
from collections.abc import Callable, Iterable, Iterator
from io import BytesIO
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from sessions import Session

TEXT = [("Content-Type", "text/plain")]


class Body:
    """A body that notes what happens to it, and may fail at its nth chunk."""

    def __init__(self, *chunks: bytes, fails_at: int = -1) -> None:
        self._chunks = chunks
        self._fails_at = fails_at
        self.closed = 0

    def __iter__(self) -> Iterator[bytes]:
        for n, chunk in enumerate(self._chunks):
            if n == self._fails_at:
                raise ValueError("the body failed")
            yield chunk

    def close(self) -> None:
        """Count."""
        self.closed += 1


def count(environ: WSGIEnvironment) -> None:
    """Write to the session."""
    session: Session = environ["sessions.session"]
    session["visits"] = session.get("visits", 0) + 1


def a_list(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Answer with a list."""
    count(environ)
    start_response("200 OK", TEXT)
    return [b"bo", b"dy"]


def a_tuple(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Answer with a tuple."""
    return tuple(a_list(environ, start_response))


def an_object(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Answer with an iterable that has a close method."""
    return Body(*a_list(environ, start_response))


def a_generator(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Use the session only when the first chunk is made."""
    yield from a_list(environ, start_response)


def late_to_write(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Write to the session after start_response, before the first byte."""
    start_response("200 OK", TEXT)
    count(environ)
    yield b"body"


def a_lazy_body(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Call start_response at once, and write to the session when the body is read."""
    start_response("200 OK", TEXT)

    def chunks() -> Iterator[bytes]:
        count(environ)
        yield b"body"

    return chunks()


def empty_chunks(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Write to the session after empty chunks, which send no headers."""
    start_response("200 OK", TEXT)
    yield b""
    yield b""
    count(environ)
    yield b"body"


def a_written_body(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Push the body through the write callable."""
    write = start_response("200 OK", TEXT)
    count(environ)
    write(b"bo")
    write(b"dy")
    return []


def a_half_written_body(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Push a part and return the rest."""
    write = start_response("200 OK", TEXT)
    count(environ)
    write(b"bo")
    return Body(b"dy")


def a_restart(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Change the status before the first byte is sent."""
    start_response("200 OK", [("Content-Type", "text/html"), ("X-Dropped", "1")])
    count(environ)
    try:
        raise ValueError("not found after all")
    except ValueError:
        start_response("404 Not Found", TEXT, sys.exc_info())
    return [b"body"]


def a_file(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Answer with a file, in the server's own wrapper if the server has one."""
    count(environ)
    start_response("200 OK", TEXT)
    wrapper: Callable[..., Iterable[bytes]] = environ["wsgi.file_wrapper"]
    return wrapper(BytesIO(b"body"))


def nothing(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Answer without a body."""
    count(environ)
    start_response("204 No Content", [])
    return []


def no_chunks(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Answer with a generator that yields nothing."""
    count(environ)
    start_response("204 No Content", [])
    yield from ()


def only_empty_chunks(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Answer with empty chunks only."""
    count(environ)
    start_response("204 No Content", [])
    yield b""
    yield b""


WITH_BODY: list[WSGIApplication] = [
    a_list,
    a_tuple,
    an_object,
    a_generator,
    late_to_write,
    a_lazy_body,
    empty_chunks,
    a_written_body,
    a_half_written_body,
    a_restart,
    a_file,
]
WITHOUT_BODY: list[WSGIApplication] = [nothing, no_chunks, only_empty_chunks]
