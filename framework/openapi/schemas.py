"""Types → JSON schemas, of which those of classes are shared by name."""

import enum
from collections.abc import Iterable, Mapping
from decimal import Decimal
from types import UnionType
from typing import Any, Union, get_args, get_origin

import msgspec
from msgspec.json import schema_components
from werkzeug.datastructures import FileStorage

from framework.types.signatures import EMPTY, Unresolved, annotated, bare, describe

Schema = dict[str, Any]

_SHARED = "#/components/schemas/"
_UNKNOWN = (EMPTY, Unresolved, Any, object)
_FILE: Schema = {"type": "string", "contentMediaType": "application/octet-stream"}


class Schemas:
    """Collect the types of a document, and describe them all at its end.

    A class has one schema, wherever it is asked for, and its name depends on the other classes.
    """

    def __init__(self) -> None:
        self._asked: list[tuple[Any, Schema]] = []
        # The models of pydantic; pydantic names and describes them in the end.
        self._models: dict[Any, Schema] = {}

    def of(self, annotation: Any) -> Schema:
        """Return the schema of a type: a dictionary that `shared` fills in the end."""
        if annotation in _UNKNOWN:
            return {}
        schema: Schema = {}
        if self._is_describable(annotation):
            self._asked.append((annotation, schema))
        elif get_origin(annotation) in (Union, UnionType):
            schema["anyOf"] = [self.of(member) for member in get_args(annotation)]
        elif isinstance(annotation, type) and issubclass(annotation, enum.Enum):
            schema["enum"] = [member.value for member in annotation]
        return schema

    def of_text(self, annotation: Any, limits: msgspec.Meta | None = None) -> Schema:
        """Return the schema of a value that is read from text, which is never null."""
        base, metadata = bare(annotation)
        found = [element for element in (*metadata, limits) if isinstance(element, msgspec.Meta)]
        # msgspec has no limits for decimals, and so no schema for such limits.
        return self.of(base if base is Decimal else annotated(base, tuple(found)))

    def shared(self) -> Mapping[str, Schema]:
        """Fill every schema that was asked for, and return the schemas of classes by name."""
        types = [annotation for annotation, _ in self._asked]
        _, taken = self._describe(types)
        self._models, models = _describe_models(self._models, taken)
        found, components = self._describe(types)
        for (_, schema), filling in zip(self._asked, found, strict=True):
            schema.update(filling)
        return dict(sorted((components | models).items()))

    def _is_describable(self, annotation: Any) -> bool:
        try:
            self._describe([annotation])
        # A handler may return a type that msgspec cannot describe, such as two dataclasses.
        except (TypeError, NameError):
            return False
        return True

    def _describe(self, types: list[Any]) -> tuple[tuple[Schema, ...], Schema]:
        return schema_components(
            types, schema_hook=self._of_stranger, ref_template=_SHARED + "{name}"
        )

    def _of_stranger(self, kind: Any) -> Schema:
        """Describe a class that msgspec does not know."""
        if kind is FileStorage:
            return _FILE
        titled = {"title": describe(kind)}
        # pydantic may not be installed, so the method of its models identifies a model.
        is_model = hasattr(kind, "model_json_schema")
        return self._models.setdefault(kind, titled) if is_model else titled


def _describe_models(models: Iterable[Any], taken: Schema) -> tuple[dict[Any, Schema], Schema]:
    """Return the references to models of pydantic, and their schemas under unused names."""
    if not models:
        return {}, {}
    from pydantic.json_schema import models_json_schema

    for prefix in ("", "pydantic."):
        references, found = models_json_schema(
            [(model, "validation") for model in models], ref_template=f"{_SHARED}{prefix}{{model}}"
        )
        schemas = {prefix + name: schema for name, schema in found["$defs"].items()}
        if not schemas.keys() & taken.keys():
            break
    return {model: reference for (model, _), reference in references.items()}, schemas
