"""The body of a form → its fields and files, by Werkzeug's parser; what is malformed is a 400."""

from typing import IO, Any, NamedTuple
from urllib.parse import parse_qsl

from werkzeug.datastructures import FileStorage, MultiDict
from werkzeug.exceptions import BadRequest, RequestEntityTooLarge
from werkzeug.formparser import FormDataParser

URLENCODED = "application/x-www-form-urlencoded"
FORM_TYPES = (URLENCODED, "multipart/form-data")

# What Werkzeug's parser returns: the rest of the body, the fields and the files.
Parsed = tuple[IO[bytes], MultiDict[str, str], MultiDict[str, FileStorage]]


class FormData(NamedTuple):
    """Hold the fields and the files of a form."""

    fields: MultiDict[str, str]
    files: MultiDict[str, FileStorage]


class FormParser(FormDataParser):
    """Refuse what Werkzeug's own parser would read as an empty form."""

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
            return super().parse(stream, mimetype, content_length, options)
        except ValueError as error:
            raise BadRequest(f"The body is not a valid form: {error}.") from error

    def _pairs(self, body: bytes) -> list[tuple[str, Any]]:
        """Read pairs; percent sequences that are no UTF-8 become surrogates, as in a query."""
        most = self.max_form_parts
        if most is not None and body.count(b"&") >= most:
            raise RequestEntityTooLarge(f"The form has more than {most} fields.")
        return parse_qsl(body.decode(), keep_blank_values=True, errors="surrogateescape")
