"""Files that a form uploads."""

from dataclasses import dataclass
from io import BytesIO

from werkzeug.datastructures import FileStorage

from framework import Form, controller, post
from tests.framework.trials import client_of


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


def test_a_file_that_nobody_chose_is_absent() -> None:
    """A browser sends a file without a name for an input that was left alone."""
    with client_of(Uploads) as client:
        empty = client.post("/optional", data={"avatar": (BytesIO(b""), "")})
        missing = client.post("/", data={"name": "Ann"}).get_json()["errors"]
        twice = client.post("/", data={"avatar": [(BytesIO(b"1"), "a"), (BytesIO(b"2"), "b")]})

    assert empty.json is True
    assert missing == [{"where": "form:avatar", "what": "is required"}]
    assert twice.get_json()["errors"][0]["what"] == "is there 2 times, expected once"


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
