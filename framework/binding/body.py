"""The JSON of the body: `Body[T]`."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, TypeVar

from werkzeug.exceptions import UnsupportedMediaType
from werkzeug.http import parse_options_header

from framework.binding.source import (
    Brackets,
    Documented,
    DocumentedBody,
    Extract,
    Field,
    Marker,
    Needs,
    conversion,
    default_or_refusal,
)
from framework.http.bodies import refuse_encoded
from framework.http.context import Context
from framework.report import Mistake
from framework.types.json_decoding import json_decoder
from framework.types.unreadable import remedy_of

T = TypeVar("T")


class BodyMarker(Marker):
    """The marker of a body in JSON."""

    source = "body"
    needs = Needs.BODY

    def extractor(self, field: Field) -> Extract:
        """Return the function that decodes the whole body."""
        try:
            decode = json_decoder(field.annotation, self.source)
        # NameError: a class in the type has a field whose annotation is an unknown name.
        except (TypeError, NameError) as error:
            raise Mistake(
                f"parameter {field.name!r} cannot be read from the body: {error}", remedy_of(error)
            ) from error
        absent = default_or_refusal(field.default, self.source)

        def extract(context: Context) -> object:
            body = context.body
            if not body:
                return absent()
            refuse_encoded(context.environ)
            _require_json(context.environ.get("CONTENT_TYPE", ""))
            return decode(body)

        return extract

    def explained(self, field: Field) -> str:
        """Return a text that says to which type the JSON is converted."""
        return conversion("JSON", field.annotation)

    def documented(self, field: Field) -> Sequence[Documented]:
        """Return the description of the body, for OpenAPI."""
        return [DocumentedBody(field.annotation)]


if TYPE_CHECKING:
    Body = Annotated[T, BodyMarker()]
else:
    # At run time, `note: Note = Body(...)` raises an error that says what to write.
    Body = Brackets("Body", BodyMarker(), "Note")


def _require_json(content_type: str) -> None:
    if content_type == "application/json":
        return
    media_type, options = parse_options_header(content_type.lower())
    is_json = media_type == "application/json" or (
        media_type.startswith("application/") and media_type.endswith("+json")
    )
    if not is_json or options.get("charset", "utf-8") not in ("utf-8", "utf8"):
        has = f"the type {content_type!r}" if content_type else "no Content-Type"
        raise UnsupportedMediaType(
            f"The body has {has}. Send JSON in UTF-8, with Content-Type: application/json."
        )
