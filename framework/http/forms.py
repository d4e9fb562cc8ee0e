"""Forms, urlencoded and multipart → fields and files; a malformed form is a 400."""

from typing import IO, Any, NamedTuple
from urllib.parse import parse_qsl

from werkzeug.datastructures import FileStorage, MultiDict
from werkzeug.exceptions import BadRequest, RequestEntityTooLarge
from werkzeug.formparser import FormDataParser, MultiPartParser

from framework.http.bodies import BodyTooLarge

URLENCODED = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data"
FORM_TYPES = (URLENCODED, MULTIPART)
# The field of the CSRF token, which every form may have.
CSRF_FIELD = "csrf_token"

# How many bytes of a multipart form are read at once.
_PIECE = 64 * 1024

# The result of Werkzeug's parser: the rest of the body, the fields and the files.
Parsed = tuple[IO[bytes], MultiDict[str, str], MultiDict[str, FileStorage]]


class FormData(NamedTuple):
    """Hold the fields and the files of a form."""

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
        """Read pairs; percent sequences that are not UTF-8 become surrogates, as in a query."""
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
        # The parser counts a piece of a file as memory of a field until the piece is written.
        piece = _PIECE if memory is None else min(_PIECE, memory // 2 or 1)
        parser = MultiPartParser(self.stream_factory, memory, self.cls, piece, parts)
        try:
            return parser.parse(stream, boundary, content_length)
        except BodyTooLarge:
            raise
        except RequestEntityTooLarge as error:
            raise RequestEntityTooLarge(
                f"The form has a field of more than {memory} bytes, or more than {parts} fields"
                " and files."
            ) from error
