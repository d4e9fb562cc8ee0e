"""Values of the query string: `Query[int]`, `query("page_size", ge=1)`, and unmarked scalars."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, TypeVar, Unpack, get_origin

from framework.advice.arguments import explains_arguments
from framework.binding.source import Documented, DocumentedValue, Field
from framework.binding.texts import Limits, Read, TextMarker, brackets, limited
from framework.types.conversion import is_scalar, list_item
from framework.types.signatures import bare

T = TypeVar("T")


class QueryMarker(TextMarker):
    """The marker of a value of the query."""

    source = "query"

    def reader(self, name: str) -> Read:
        """Return the function that reads all values of the query with this name.

        Even a parameter of one value needs all of them, because it refuses several values.
        """
        return lambda context: context.query.get(name, ())

    def documented(self, field: Field) -> Sequence[Documented]:
        """Return the description of the query value, for OpenAPI."""
        return [DocumentedValue("query", self.name_of(field), field.annotation, self.limits)]

    @classmethod
    def is_implied_by(cls, annotation: Any) -> bool:
        """Return whether an unmarked parameter of this type is a value of the query."""
        is_list = get_origin(bare(annotation)[0]) is list
        return is_scalar(annotation) or (is_list and is_scalar(list_item(annotation)))


@explains_arguments("query()", 'query("page_size", ge=1)')
def query(alias: str | None = None, **limits: Unpack[Limits]) -> QueryMarker:
    """Return the marker of a query value, with `limits` for this value.

    Without `alias`, the query value has the name of the parameter.
    """
    return limited(QueryMarker, alias, limits)


if TYPE_CHECKING:
    Query = Annotated[T, QueryMarker()]
else:
    # At run time, `page: int = Query(1)` raises an error that says what to write.
    Query = brackets("Query", QueryMarker())
