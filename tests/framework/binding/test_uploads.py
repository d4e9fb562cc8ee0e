"""Files that a form uploads."""

from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import pytest
from werkzeug.datastructures import FileStorage

from framework import (
    Form,
    Inject,
    Middleware,
    Next,
    Request,
    Response,
    component,
    configuration,
    controller,
    post,
)
from tests.support.small_applications import client_of


@controller("/")
class Uploads:
    @post("/")
    def one(self, avatar: FileStorage, name: Form[str] = "") -> str:
        return f"{avatar.filename} {avatar.read().decode()} {name}"

    @post("/several")
    def several(self, files: Form[list[FileStorage]]) -> list[str | None]:
        return [each.filename for each in files]

    @post("/optional")
    def optional(self, avatar: FileStorage | None = None) -> bool:
        return avatar is None


def test_a_file_is_uploaded() -> None:
    """A FileStorage parameter is the uploaded file of its name."""
    with client_of(Uploads) as client:
        data = {"avatar": (BytesIO(b"bytes"), "me.png"), "name": "Ann"}

        assert client.post("/", data=data).text == "me.png bytes Ann"


def test_several_files_are_uploaded() -> None:
    """A list takes every file of its name."""
    with client_of(Uploads) as client:
        data = {"files": [(BytesIO(b"1"), "a"), (BytesIO(b"2"), "b")]}

        assert client.post("/several", data=data).json == ["a", "b"]


def test_an_empty_file_input_is_absent() -> None:
    """A browser sends a file without a name if the user chose no file."""
    with client_of(Uploads) as client:
        empty = client.post("/optional", data={"avatar": (BytesIO(b""), "")})
        missing = client.post("/", data={"name": "Ann"}).get_json()["errors"]
        twice = client.post("/", data={"avatar": [(BytesIO(b"1"), "a"), (BytesIO(b"2"), "b")]})

    assert empty.json is True
    assert missing == [{"where": "form:avatar", "what": "is required"}]
    assert twice.get_json()["errors"][0]["what"] == "has 2 values, expected one"


def test_an_object_may_hold_a_file() -> None:
    """A file is a field of a class like others."""

    @dataclass
    class Upload:
        title: str
        file: FileStorage

    @controller("/")
    class Pages:
        @post("/")
        def page(self, upload: Form[Upload]) -> str:
            return f"{upload.title} {upload.file.filename}"

    with client_of(Pages) as client:
        data = {"title": "me", "file": (BytesIO(b""), "me.png")}

        assert client.post("/", data=data).text == "me me.png"


class Kept:
    """Keep what was uploaded, so that no garbage collector closes it."""

    def __init__(self) -> None:
        self.files: list[FileStorage] = []

    @property
    def closed(self) -> list[bool]:
        return [each.stream.closed for each in self.files]


def sent(page: type, *others: type, **options: Any) -> Any:
    with client_of(page, *others) as client:
        data = {"avatar": (BytesIO(b"bytes"), "me.png")}
        return client.post("/", data=data, **options)


def test_an_uploaded_file_is_closed_with_the_request() -> None:
    """The file is closed without waiting for the garbage collector."""
    kept = Kept()

    @controller("/")
    class Pages:
        @post("/")
        def page(self, avatar: FileStorage) -> str:
            kept.files.append(avatar)
            return str(avatar.read(), "utf-8")

    assert sent(Pages).text == "bytes"
    assert kept.closed == [True]


@pytest.mark.parametrize("fails", [False, True])
def test_a_file_that_is_read_through_the_request_is_closed_with_it(fails: bool) -> None:
    """This also holds if the handler fails, or if middleware reads the file."""
    kept = Kept()

    def reading(request: Request, next: Next) -> Response:
        kept.files += request.files.values()
        return next(request)

    @configuration
    class Around:
        @component
        def middleware(self) -> list[Middleware]:
            return [reading]

    @controller("/")
    class Pages:
        @post("/")
        def page(self, request: Request) -> str:
            kept.files += request.files.values()
            if fails:
                raise LookupError
            return "read"

    assert sent(Pages).status_code == (500 if fails else 200)
    assert sent(Pages, Around).status_code == (500 if fails else 200)
    assert kept.closed == [True, True, True]


def test_a_stream_may_read_an_uploaded_file() -> None:
    """The file is closed after the last byte."""
    kept = Kept()

    @controller("/")
    class Pages:
        @post("/")
        def page(self, avatar: FileStorage) -> Iterator[bytes]:
            kept.files.append(avatar)
            yield b"first "
            yield avatar.read()

    assert sent(Pages).text == "first bytes"
    assert kept.closed == [True]


def test_an_uploaded_file_may_be_sent_back() -> None:
    """The server reads a body that is passed through."""

    @controller("/")
    class Pages:
        @post("/")
        def page(self, avatar: FileStorage) -> Response:
            return Response(iter([avatar.read()]), direct_passthrough=True)

    assert sent(Pages).data == b"bytes"


def test_the_ending_of_a_component_may_read_an_uploaded_file() -> None:
    """Files are closed after the components, in any order of their use."""
    read: list[bytes] = []

    class Archive:
        file: FileStorage

    @configuration
    class Archives:
        @component(scope="request")
        def archive(self) -> Iterator[Archive]:
            archive = Archive()
            yield archive
            read.append(archive.file.read())

    @controller("/")
    class Pages:
        @post("/")
        def page(self, archive: Inject[Archive], avatar: FileStorage) -> str:
            archive.file = avatar
            return "kept"

    sent(Pages, Archives)

    assert read == [b"bytes"]


def test_a_second_try_reads_the_same_file() -> None:
    """If middleware calls the handler again, the components are new, and the files stay."""

    def twice(request: Request, next: Next) -> Response:
        next(request)
        return next(request)

    @configuration
    class Around:
        @component
        def middleware(self) -> list[Middleware]:
            return [twice]

    tries: list[bytes] = []

    @controller("/")
    class Pages:
        @post("/")
        def page(self, avatar: FileStorage) -> str:
            avatar.seek(0)
            tries.append(avatar.read())
            if len(tries) == 1:
                raise LookupError
            return "done"

    assert sent(Pages, Around).text == "done"
    assert tries == [b"bytes", b"bytes"]
