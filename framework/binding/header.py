"""Values of headers: `Header[str]`, `header("X-Token")`."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, TypeVar, Unpack

from framework.advice.arguments import explains_arguments
from framework.binding.source import Documented, DocumentedValue, Field
from framework.binding.texts import Limits, Read, TextMarker, brackets, limited
from framework.http.context import Context

T = TypeVar("T")


class HeaderMarker(TextMarker):
    """The marker of a header."""

    source = "header"

    def name_of(self, field: Field) -> str:
        """Return the alias, or `x-token` for a parameter called `x_token`."""
        return self.alias or field.name.replace("_", "-")

    def reader(self, name: str) -> Read:
        """Read a header; the server has already joined the values of a header that is repeated."""
        key = name.upper().replace("-", "_")
        if key not in ("CONTENT_TYPE", "CONTENT_LENGTH"):
            key = f"HTTP_{key}"

        def read(context: Context) -> Sequence[str]:
            text = context.environ.get(key)
            return () if text is None else (text,)

        return read

    def list_reader(self, name: str) -> Read:
        """Return the function that reads the comma-separated values of a header."""
        read = self.reader(name)
        return lambda context: [
            item.strip() for text in read(context) for item in text.split(",") if item.strip()
        ]

    def documented(self, field: Field) -> Sequence[Documented]:
        """Return the description of the header, for OpenAPI."""
        return [DocumentedValue("header", self.name_of(field), field.annotation, self.limits)]


@explains_arguments("header()", 'header("X-Token")')
def header(alias: str | None = None, **limits: Unpack[Limits]) -> HeaderMarker:
    """Return the marker of a header, with `limits` for its value.

    Without `alias`, a parameter `x_token` reads the header `x-token`.
    """
    return limited(HeaderMarker, alias, limits)


if TYPE_CHECKING:
    Header = Annotated[T, HeaderMarker()]
else:
    # At run time, `page: int = Header(1)` raises an error that says what to write.
    Header = brackets("Header", HeaderMarker())
