"""One request of the development server, on the wire."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from werkzeug.serving import make_server

from framework import Application, Response, controller, get, post
from framework.serving.handling import Requests, handler_of
from tests.support.serving import SECONDS


@controller("/")
class Pages:
    @get("/text")
    def text(self) -> str:
        return "text"

    @get("/stream")
    def stream(self) -> Iterator[str]:
        yield "one,"
        yield "two"

    @get("/nothing")
    def nothing(self) -> None: ...

    @get("/unmeasured")
    def unmeasured(self) -> Response:
        return Response(iter(["one,", "two"]))

    @post("/post")
    def post(self) -> str:
        return "taken"


BODIES = {"/text": b"text", "/stream": b"one,two", "/nothing": b"", "/unmeasured": b"one,two"}


@contextmanager
def served() -> Iterator[Callable[[str], tuple[str, bytes]]]:
    """Serve the application, and yield a function that sends text and reads head and body."""
    # Werkzeug's server has a number in the environment, which the checkers of these tests refuse.
    application = Application(Pages).dispatcher
    server = make_server(
        "127.0.0.1", 0, application, threaded=True, request_handler=handler_of(Requests())
    )
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()

    def send(text: str) -> tuple[str, bytes]:
        with socket.create_connection(("127.0.0.1", server.port), timeout=SECONDS) as client:
            client.sendall(text.encode())
            answer = b"".join(iter(lambda: client.recv(65536), b""))
        head, _, body = answer.partition(b"\r\n\r\n")
        return head.decode(), body

    try:
        yield send
    finally:
        server.shutdown()
        thread.join(SECONDS)


@pytest.mark.parametrize("path", BODIES)
@pytest.mark.parametrize("keep", ["", "Connection: keep-alive\r\n"])
def test_http_1_0_gets_no_chunks(path: str, keep: str) -> None:
    """A body without a length ends with the connection (RFC 9112, 6.1 and 6.3)."""
    with served() as send:
        head, body = send(f"GET {path} HTTP/1.0\r\n{keep}\r\n")

    assert head.startswith("HTTP/1.0 20")
    assert "transfer-encoding" not in head.lower()
    assert body == BODIES[path]


@pytest.mark.parametrize("path", ["/stream", "/unmeasured"])
def test_http_1_1_gets_chunks(path: str) -> None:
    """A body without a length is whole only if its last chunk came."""
    with served() as send:
        head, body = send(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n")

    assert head.startswith("HTTP/1.1 200")
    assert "Transfer-Encoding: chunked" in head
    assert body == b"4\r\none,\r\n3\r\ntwo\r\n0\r\n\r\n"


@pytest.mark.parametrize(("version", "first"), [("1.0", "HTTP/1.0 200"), ("1.1", "HTTP/1.1 100")])
def test_only_http_1_1_gets_100_continue(version: str, first: str) -> None:
    """An HTTP/1.0 client does not know the status 100 (RFC 9110, 10.1.1)."""
    head = f"POST /post HTTP/{version}\r\nHost: localhost\r\nExpect: 100-continue\r\n"
    with served() as send:
        answer, _ = send(f"{head}Content-Length: 2\r\n\r\nab")

    assert answer.startswith(first)
