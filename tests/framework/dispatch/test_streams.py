"""Streams: the chunks of a generator, and how a stream ends."""

import logging
from collections.abc import Iterator

import pytest

from framework import Application, Response, controller, get, post
from framework.http.responses import Stream
from framework.testing import Client


@controller("/")
class Streams:
    """Handlers that stream, with and without mistakes."""

    closed = 0

    @get("/text")
    def text(self) -> Iterator[str]:
        yield "ża"
        yield "b"

    @get("/bytes")
    def bytes(self) -> Iterator[bytes]:
        yield b"\xff"
        yield b"\x00"

    @get("/empty")
    def empty(self) -> Iterator[str]:
        yield from ()

    @post("/created", status=201)
    def created(self) -> Iterator[str]:
        yield "a"

    @get("/ints")
    def ints(self) -> Iterator[int]:
        yield 3

    @get("/late-int")
    def late_int(self) -> Iterator[object]:
        yield "a"
        yield 3

    @get("/early")
    def early(self) -> Iterator[str]:
        chunks: dict[str, str] = {}
        yield chunks["before the first chunk"]

    @get("/late")
    def late(self) -> Iterator[str]:
        yield "a"
        raise LookupError("between two chunks")

    @get("/long")
    def long(self) -> Iterator[str]:
        try:
            while True:
                yield "x"
        finally:
            Streams.closed += 1

    @get("/response")
    def response(self) -> Response:
        return Response(self.text(), mimetype="text/html")


@pytest.fixture
def client() -> Iterator[Client]:
    Streams.closed = 0
    with Application(Streams).test() as client:
        yield client


@pytest.mark.parametrize(
    ("path", "content_type", "body"),
    [
        ("/text", "text/plain; charset=utf-8", "żab".encode()),
        ("/bytes", "application/octet-stream", b"\xff\x00"),
        ("/empty", "text/plain; charset=utf-8", b""),
        ("/response", "text/html; charset=utf-8", "żab".encode()),
    ],
)
def test_a_generator_is_streamed(client: Client, path: str, content_type: str, body: bytes) -> None:
    """Text chunks are encoded, bytes are sent unchanged, and there is no Content-Length."""
    response = client.get(path)

    assert response.status_code == 200
    assert response.headers["Content-Type"] == content_type
    assert "Content-Length" not in response.headers
    assert response.data == body


def test_a_stream_has_the_status_of_the_decorator(client: Client) -> None:
    """`status=` also works for a generator."""
    assert client.post("/created").status == "201 CREATED"


def test_other_chunks_are_a_clear_error(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    """A first chunk that is neither text nor bytes is a 500 that names the handler."""
    response = client.get("/ints")

    assert response.status_code == 500
    assert "Streams.ints" in caplog.text
    assert "yielded 3, of type int" in caplog.text


def test_a_later_chunk_of_another_type_breaks_the_connection(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    """After the first bytes are sent, the mistake can only be logged."""
    with pytest.raises(TypeError, match="yielded 3, of type int"):
        client.get("/late-int")

    assert [record.levelname for record in caplog.records] == ["ERROR"]


def test_an_error_before_the_first_chunk_is_a_500(client: Client) -> None:
    """Before the first chunk, a stream can fail like any handler."""
    assert client.get("/early").status_code == 500


def test_an_error_in_the_stream_aborts_it(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    """The server gets the exception, so it breaks the connection; it is logged once."""
    with pytest.raises(LookupError, match="between two chunks"):
        client.get("/late")

    assert [record.levelname for record in caplog.records] == ["ERROR"]
    assert "Streams.late" in caplog.text


def test_a_client_that_leaves_closes_the_generator(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    """The generator's own clean-up runs, and nothing is logged."""
    response = client.get("/long", buffered=False)
    chunks = response.iter_encoded()
    received = [next(chunks), next(chunks)]
    response.close()

    assert received == [b"x", b"x"]
    assert Streams.closed == 1
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


def test_head_closes_the_generator(client: Client) -> None:
    """HEAD sends no chunks."""
    response = client.head("/long")

    assert response.status_code == 200
    assert response.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert Streams.closed == 1


def test_an_ending_that_fails_leaves_the_others_to_run() -> None:
    """If the generator's `finally` fails, the other functions still run."""
    ended: list[str] = []

    def chunks() -> Iterator[str]:
        try:
            yield "a"
            yield "b"
        finally:
            raise RuntimeError("while it ended")

    stream = Stream(chunks(), "Streams.chunks")
    stream.call_on_close(lambda: ended.append("the rest"))

    stream.close()

    assert ended == ["the rest"]
