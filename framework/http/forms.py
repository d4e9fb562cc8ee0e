"""Read the fields and files of a form, urlencoded or multipart; answer 400 if it is malformed."""

import re
from typing import IO, Any, NamedTuple, cast
from urllib.parse import parse_qsl

from werkzeug.datastructures import FileStorage, MultiDict
from werkzeug.exceptions import BadRequest, RequestEntityTooLarge
from werkzeug.formparser import FormDataParser, MultiPartParser

from framework.http.bodies import BodyTooLarge
from framework.http.multipart import WholeLines, piece_size

URLENCODED = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data"
FORM_TYPES = (URLENCODED, MULTIPART)
# The field of the CSRF token, which every form may have.
CSRF_FIELD = "csrf_token"

# No header can send such a file name back, and no file system has a NUL in a name.
_CONTROL = re.compile(r"[\x00-\x08\n-\x1f\x7f]")

# A surrogate stands for a byte that is not UTF-8.
_SURROGATE = re.compile("[\ud800-\udfff]")

# The result of Werkzeug's parser: the rest of the body, the fields and the files.
Parsed = tuple[IO[bytes], MultiDict[str, str], MultiDict[str, FileStorage]]


class FormData(NamedTuple):
    """The fields and the files of a form."""

    fields: MultiDict[str, str]
    files: MultiDict[str, FileStorage]


class FormParser(FormDataParser):
    """Refuse a malformed form, which Werkzeug's own parser would read as an empty form."""

    def parse(
        self,
        stream: IO[bytes],
        mimetype: str,
        content_length: int | None,
        options: dict[str, str] | None = None,
    ) -> Parsed:
        """Parse a form, or raise 400 or 413."""
        self.silent = False
        try:
            if mimetype == URLENCODED:
                return stream, self.cls(self._pairs(stream.read())), self.cls()
            if mimetype == MULTIPART:
                return stream, *self._parts(stream, content_length, options or {})
        except ValueError as error:
            raise BadRequest(f"The body is not a valid form: {error}.") from error
        return super().parse(stream, mimetype, content_length, options)

    def _pairs(self, body: bytes) -> list[tuple[str, Any]]:
        """Read names and values; percent sequences that are not UTF-8 become surrogates."""
        most = self.max_form_parts
        if most is not None and body.count(b"&") >= most:
            raise RequestEntityTooLarge(f"The form has more than {most} fields.")
        return parse_qsl(body.decode(), keep_blank_values=True, errors="surrogateescape")

    def _parts(
        self, stream: IO[bytes], content_length: int | None, options: dict[str, str]
    ) -> tuple[MultiDict[str, str], MultiDict[str, FileStorage]]:
        boundary = options.get("boundary", "").encode("ascii")
        if not boundary:
            raise ValueError("Missing boundary")
        memory, parts = self.max_form_memory_size, self.max_form_parts
        size = piece_size(memory, boundary)
        parser = MultiPartParser(self.stream_factory, memory, self.cls, size, parts)
        pieces = cast(IO[bytes], WholeLines(stream, boundary))
        try:
            fields, files = parser.parse(pieces, boundary, content_length)
        except BodyTooLarge:
            raise
        except RequestEntityTooLarge as error:
            raise RequestEntityTooLarge(
                f"The form has a field of more than {memory} bytes, or more than {parts} fields"
                " and files."
            ) from error
        _check_names(fields, files)
        return fields, files


def readable(fields: MultiDict[str, str]) -> MultiDict[str, str]:
    """Return the fields; percent-encode each byte that is not UTF-8, as `request.args` does."""
    pairs = list(fields.items(multi=True))
    if all(_is_readable(text) for pair in pairs for text in pair):
        return fields
    return type(fields)([(_escaped(name), _escaped(value)) for name, value in pairs])


def _is_readable(text: str) -> bool:
    return text.isascii() or not _SURROGATE.search(text)


def _escaped(text: str) -> str:
    return text.encode(errors="surrogateescape").decode(errors="werkzeug.url_quote")


def _check_names(fields: MultiDict[str, str], files: MultiDict[str, FileStorage]) -> None:
    """Raise ValueError for a part without a name, and for a file name that no file can have."""
    # The parser gives a part without a name the name None.
    if not all(isinstance(name, str) for names in (fields, files) for name in names):
        raise ValueError("a field has no name")
    for several in files.listvalues():
        for file in several:
            if file.filename and _CONTROL.search(file.filename):
                raise ValueError(f"the file name {file.filename!r} has a control character")
