"""A multipart form arrives unchanged, for every way to cut it into pieces."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from werkzeug.datastructures import FileStorage

from framework import Form, HTTPSettings, Request, component, configuration, controller, post
from framework.testing import Client
from tests.support.small_applications import client_of
from tests.support.thoroughness import each, examples

# The framework reads so many bytes at once.
PIECE = 64 * 1024
BOUNDARIES = [
    "b",
    "boundaryX",
    "----WebKitFormBoundary7MA4YWxkTrZu0gW",
    "-" * 20,
    "x" * 70,
    "-x" * 99,
]


@controller("/")
class Pages:
    @post("/")
    def files(self, request: Request) -> dict[str, object]:
        """Return the bytes of each field and file as text."""
        files = {name: file.read().decode("latin-1") for name, file in request.files.items()}
        return {**request.form, **files}

    @post("/upload")
    def upload(self, file: FileStorage, text: Form[str] = "") -> list[int]:
        return [len(file.read()), len(text)]

    @post("/text")
    def text(self, text: Form[str]) -> int:
        return len(text)


@contextmanager
def small_pieces(memory: int = 1000) -> Iterator[Client]:
    """Return a client whose application reads a form in small pieces."""

    @configuration
    class Limits:
        @component
        def limits(self) -> HTTPSettings:
            return HTTPSettings(form_memory_limit=memory)

    with client_of(Pages, Limits) as client:
        yield client


def part(boundary: str, name: str, content: bytes, *, is_file: bool, padding: bytes = b"") -> bytes:
    """Write one part of a form."""
    filename = '; filename="f"' if is_file else ""
    head = f'Content-Disposition: form-data; name="{name}"{filename}'
    return b"--%s%s\r\n%s\r\n\r\n%s\r\n" % (boundary.encode(), padding, head.encode(), content)


def end(boundary: str, padding: bytes = b"") -> bytes:
    """Write the end of a form."""
    return b"--%s--%s\r\n" % (boundary.encode(), padding)


def send(client: Client, path: str, boundary: str, body: bytes) -> Any:
    """Send a form, and return the JSON of the answer."""
    answer = client.post(path, data=body, content_type=f"multipart/form-data; boundary={boundary}")
    assert answer.status_code == 200, answer.text
    return answer.json


@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_an_upload_arrives_whole_at_the_end_of_a_piece(boundary: str) -> None:
    """Each byte of a boundary line is the last byte of a piece once."""
    before = len(part(boundary, "file", b"", is_file=True)) - len("\r\n")
    around = range(-len(boundary) - 12, 4)
    lengths = [PIECE - before + difference for difference in around]

    with client_of(Pages) as client:
        arrived = [
            send(
                client,
                "/upload",
                boundary,
                part(boundary, "file", b"Z" * length, is_file=True) + end(boundary),
            )[0]
            for length in lengths
        ]

    assert arrived == lengths


@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_a_text_and_the_next_part_arrive_whole(boundary: str) -> None:
    """The boundary between two parts is read like the last boundary."""
    before = len(part(boundary, "text", b"", is_file=False)) - len("\r\n")
    around = range(-len(boundary) - 12, 4)
    lengths = [PIECE - before + difference for difference in around]

    with client_of(Pages) as client:
        arrived = [
            send(
                client,
                "/upload",
                boundary,
                part(boundary, "text", b"Z" * length, is_file=False)
                + part(boundary, "file", b"12345", is_file=True)
                + end(boundary),
            )
            for length in lengths
        ]

    assert arrived == [[5, length] for length in lengths]


@pytest.mark.parametrize("boundary", BOUNDARIES)
@pytest.mark.parametrize("padding", [b"", b" ", b"\t \t", b" " * 100])
@pytest.mark.parametrize(
    "last", [b"", b"\r", b"\n", b"\r\n", b"-", b"--", b"\r\n-", b"\r\n--", b"\r\r\n"]
)
def test_every_length_arrives_whole(boundary: str, padding: bytes, last: bytes) -> None:
    """The content may end in any bytes, and a boundary line may end in spaces."""
    lengths = range(0, 420, (1 if not padding and not last else 7) * each(3))
    with small_pieces() as client:
        for length in lengths:
            content = b"Z" * length + last
            body = (
                part(boundary, "one", content, is_file=True, padding=padding)
                + part(boundary, "two", content[::-1], is_file=False, padding=padding)
                + end(boundary, padding)
            )
            text = content.decode()

            assert send(client, "/", boundary, body) == {"one": text, "two": text[::-1]}


PIECES = [b"\r", b"\n", b"\r\n", b"-", b"--", b"b", b"--b", b"Z", b"Z" * 60, b" "]
# The boundary itself is content where it does not stand alone in its line.
PIECES += [b"Z--bX-bX", b"Z--bX-bX--\r\n", b"\r\n--bX-bXZ", b"\r\n--bX-bX Z"]
CONTENTS = st.lists(st.sampled_from(PIECES), max_size=30).map(b"".join)


@settings(deadline=None, max_examples=examples(300))
@given(first=CONTENTS, second=CONTENTS, memory=st.integers(300, 700))
def test_any_content_arrives_as_it_was_sent(first: bytes, second: bytes, memory: int) -> None:
    """A text that only looks like a boundary is content."""
    boundary = "bX-bX"
    body = (
        part(boundary, "one", first, is_file=True)
        + part(boundary, "two", second, is_file=True)
        + end(boundary)
    )
    with small_pieces(memory) as client:
        arrived = send(client, "/", boundary, body)

    assert arrived == {"one": first.decode(), "two": second.decode()}


class Trickle(BytesIO):
    """Give a few bytes at a time, as a slow connection does."""

    def __init__(self, body: bytes, size: int) -> None:
        super().__init__(body)
        self._size = size

    def readinto(self, buffer: Any, /) -> int:
        return super().readinto(memoryview(buffer)[: self._size])


@pytest.mark.parametrize("size", [1, 2, 3, 5, 7])
def test_a_slow_connection_changes_nothing(size: int) -> None:
    """The server may give single bytes."""
    contents = [b"", b"\r\n", b"Z\r", b"Z--b\r\n--", b"\n-", b"\r\n--c--\r\n"]
    parts = [part("b", str(at), content, is_file=True) for at, content in enumerate(contents)]
    body = b"".join(parts) + end("b")
    with client_of(Pages) as client:
        answer = client.post(
            "/",
            input_stream=Trickle(body, size),
            content_type="multipart/form-data; boundary=b",
            environ_overrides={"CONTENT_LENGTH": str(len(body))},
        )

    assert answer.json == {str(at): content.decode() for at, content in enumerate(contents)}


def refusal(body: bytes, boundary: str = "b") -> tuple[int, str]:
    """Return the status and the detail that answer a form."""
    with client_of(Pages) as client:
        answer = client.post(
            "/", data=body, content_type=f"multipart/form-data; boundary={boundary}"
        )
    return answer.status_code, "" if answer.status_code == 200 else answer.get_json()["detail"]


@pytest.mark.parametrize(
    "name",
    ['filename="a\x00b"', "filename*=UTF-8''a%00b", "filename*=UTF-8''a%0D%0Ab", 'filename="\x1b"'],
)
def test_a_file_name_with_a_control_character_is_refused(name: str) -> None:
    """So a handler never gets a name that no file can have."""
    head = f'--b\r\nContent-Disposition: form-data; name="file"; {name}\r\n\r\n'
    status, detail = refusal(head.encode() + b"x\r\n--b--\r\n")

    assert status == 400
    assert detail.endswith("has a control character.")


@pytest.mark.parametrize("name", ["żółć.png", "a b.png", "a\tb", "..", "C:\\\\a.png", "%00"])
def test_any_other_file_name_is_a_name(name: str) -> None:
    """The handler decides about paths and letters of other languages."""
    head = f'--b\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'

    assert refusal(head.encode() + b"x\r\n--b--\r\n")[0] == 200


@pytest.mark.parametrize("filename", ["", '; filename="f"'])
def test_a_part_without_a_name_is_refused(filename: str) -> None:
    """RFC 7578, 4.2, asks for a name."""
    body = f"--b\r\nContent-Disposition: form-data{filename}\r\n\r\nx\r\n--b--\r\n"

    assert refusal(body.encode()) == (400, "The body is not a valid form: a field has no name.")


def test_a_boundary_of_thousands_of_characters_is_refused() -> None:
    """RFC 2046, 5.1.1, allows 70."""
    assert refusal(b"--b--\r\n", "b" * 1001)[0] == 400
    assert refusal(b"--b--" + b" " * 100_000)[0] == 400


LARGE = [
    b"\r\n" * 450_000,
    b"\r\n--" * 220_000,
    b"x" + b"--b" * 300_000,
    b"\r\n--b-x" * 120_000,
    b"\r\n--b   x" * 100_000,
    b"-" * 900_000,
    b"\r" * 900_000,
]


@pytest.mark.parametrize("content", LARGE, ids=lambda content: repr(content[:10]))
def test_content_that_looks_like_boundaries_is_read_quickly(content: bytes) -> None:
    """A megabyte that looks like boundaries is read quickly."""
    body = part("b", "file", content, is_file=True) + end("b")
    with client_of(Pages) as client:
        start = time.process_time()
        arrived = send(client, "/upload", "b", body)
        seconds = time.process_time() - start

    assert arrived == [len(content), 0]
    assert seconds < 2
