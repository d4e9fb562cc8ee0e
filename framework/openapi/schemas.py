"""Describe types as JSON schemas; other schemas refer to the schema of a class by name."""

import enum
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import lru_cache
from types import UnionType
from typing import Any, Union, get_args, get_origin

import msgspec
from msgspec.json import schema_components

from framework.openapi.models import describe_models, is_describable, schema_of_unknown_class
from framework.openapi.sides import SIDES, Schema, Side, join_sides
from framework.report import Mistake, Report
from framework.types.fields import is_pydantic_model
from framework.types.signatures import EMPTY, Unresolved, annotated, bare, describe

_SHARED = "#/components/schemas/"
_UNKNOWN = (EMPTY, Unresolved, Any, object)


class Schemas:
    """Collect the types of a document; `shared` describes all of them at the end.

    A class has one schema, or two schemas if the class looks different in requests and in answers.
    The name of a schema depends on the other classes of the document.
    """

    def __init__(self, report: Report) -> None:
        self._report = report
        self._asked: dict[Side, list[tuple[Any, Schema]]] = {side: [] for side in SIDES}
        # The models of pydantic; pydantic names and describes them in the end.
        self._models: dict[tuple[Any, Side], Schema] = {}
        # The types that only pydantic can describe, such as a list of several models.
        self._whole: list[tuple[Any, Side, Schema]] = []

    def of(self, annotation: Any, side: Side = "request") -> Schema:
        """Return the schema of a type: a dictionary that the method `shared` fills later."""
        if annotation in _UNKNOWN:
            return {}
        schema: Schema = {}
        if self._is_describable(annotation, side):
            self._asked[side].append((annotation, schema))
        elif self._is_for_pydantic(annotation, side):
            self._whole.append((annotation, side, schema))
        elif get_origin(annotation) in (Union, UnionType):
            schema["anyOf"] = [self.of(member, side) for member in get_args(annotation)]
        elif isinstance(annotation, type) and issubclass(annotation, enum.Enum):
            schema["enum"] = [member.value for member in annotation]
        return schema

    def of_text(self, annotation: Any, limits: msgspec.Meta | None = None) -> Schema:
        """Return the schema of a value that is read from text; the schema does not allow null."""
        base, metadata = bare(annotation)
        found = [element for element in (*metadata, limits) if isinstance(element, msgspec.Meta)]
        # msgspec has no limits for decimals, and so no schema for such limits.
        return self.of(base if base is Decimal else annotated(base, tuple(found)))

    def shared(self) -> Mapping[str, Schema]:
        """Complete every schema that `of` returned, and return the schemas of classes by name."""
        asked = [(side, *pair) for side in SIDES for pair in self._asked[side]]
        types = [annotation for _, annotation, _ in asked]
        described = _describe(types, schema_of_unknown_class)
        self._models, models = describe_models(self._models, described[1], _SHARED, self._report)
        for annotation, side, schema in self._whole:
            schema.update(self._models.get((annotation, side), {}))
        found: dict[Side, Mapping[str, Schema]] = {}
        for side in SIDES:
            # A class has one name on both sides, so each time all types are described.
            filled, found[side] = (
                _describe(types, self._unknown_class(side)) if models else described
            )
            for (own, _, schema), filling in zip(asked, filled, strict=True):
                if own == side:
                    schema.update(filling)
        roots: dict[Side, list[Schema]] = {
            side: [schema for _, schema in self._asked[side]] for side in SIDES
        }
        return dict(sorted((join_sides(roots, found, _SHARED) | models).items()))

    def _is_describable(self, annotation: Any, side: Side) -> bool:
        try:
            models = _models_inside(annotation)
        # A handler may return a type that msgspec cannot describe, such as two dataclasses.
        except (TypeError, NameError):
            return False
        # A class may be the user's own code all through, such as its annotations and its metaclass.
        except Exception as error:
            raise Mistake(
                f"{describe(annotation)} cannot be described for OpenAPI:"
                f" {type(error).__name__}: {error}",
                "Correct the class, or leave the handler out with OpenAPI(include=…).",
            ) from error
        for model in models:
            self._models.setdefault((model, side), {})
        return True

    def _is_for_pydantic(self, annotation: Any, side: Side) -> bool:
        # The members of a union are described one by one.
        is_union = get_origin(annotation) in (Union, UnionType)
        if is_union or not is_describable(annotation):
            return False
        self._models.setdefault((annotation, side), {})
        return True

    def _unknown_class(self, side: Side) -> Callable[[Any], Schema]:
        """Return the function that describes the classes that msgspec does not know."""
        return lambda kind: dict(self._models.get((kind, side)) or schema_of_unknown_class(kind))


def _models_inside(annotation: Any) -> tuple[Any, ...]:
    """Return the pydantic models inside a type; raise an error if no schema can describe it."""
    try:
        return _find_models(annotation)
    # The cache refuses an annotation whose metadata is not hashable.
    except TypeError:
        return _find_models.__wrapped__(annotation)


# The next application of the process, such as that of a test, often has the same types.
@lru_cache(maxsize=2048)
def _find_models(annotation: Any) -> tuple[Any, ...]:
    models: dict[Any, None] = {}

    def note(kind: Any) -> Schema:
        if is_pydantic_model(kind):
            models[kind] = None
        return schema_of_unknown_class(kind)

    _describe([annotation], note)
    return tuple(models)


def _describe(
    types: list[Any], stranger: Callable[[Any], Schema]
) -> tuple[tuple[Schema, ...], dict[str, Schema]]:
    return schema_components(types, schema_hook=stranger, ref_template=_SHARED + "{name}")
