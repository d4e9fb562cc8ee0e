"""Values of cookies: `Cookie[str]`, `cookie("theme")`."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, TypeVar, Unpack

from framework.advice.arguments import explains_arguments
from framework.binding.source import Documented, DocumentedValue, Field
from framework.binding.texts import Limits, Read, TextMarker, brackets, limited

T = TypeVar("T")


class CookieMarker(TextMarker):
    """The marker of a cookie."""

    source = "cookie"

    def reader(self, name: str) -> Read:
        """Read the first cookie with the name.

        If several cookies have the name, browsers send the cookie with the longest path first.
        """
        return lambda context: context.cookies.get(name, [])[:1]

    def list_reader(self, name: str) -> Read:
        """Return the function that reads every cookie with the name."""
        return lambda context: context.cookies.get(name, ())

    def documented(self, field: Field) -> Sequence[Documented]:
        """Return the description of the cookie, for OpenAPI."""
        return [DocumentedValue("cookie", self.name_of(field), field.annotation, self.limits)]


@explains_arguments("cookie()", 'cookie("theme")')
def cookie(alias: str | None = None, **limits: Unpack[Limits]) -> CookieMarker:
    """Return the marker of a cookie, with `limits` for its value.

    Without `alias`, the cookie has the name of the parameter.
    """
    return limited(CookieMarker, alias, limits)


if TYPE_CHECKING:
    Cookie = Annotated[T, CookieMarker()]
else:
    # At run time, `page: int = Cookie(1)` raises an error that says what to write.
    Cookie = brackets("Cookie", CookieMarker())
