"""Describe pydantic models as JSON schemas, under names that no other class of the document has."""

import sys
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cache
from typing import Any

from werkzeug.datastructures import FileStorage

from framework.openapi.sides import Schema, Side, without_end
from framework.report import Report
from framework.types.fields import is_pydantic_model
from framework.types.parts import parts_of
from framework.types.signatures import describe

# A model, and the side on which it is asked for.
Asked = tuple[Any, Side]

_MODES: Mapping[Side, str] = {"request": "validation", "answer": "serialization"}
_EXCLUSIONS = ("serialization_exclude", "serialization_exclude_if")


def schema_of_unknown_class(kind: Any) -> Schema:
    """Return the schema of a class that msgspec and pydantic do not know.

    The schema of an uploaded file is a string of bytes; any other schema allows every value.
    """
    if isinstance(kind, type) and issubclass(kind, FileStorage):
        return {"type": "string", "contentMediaType": "application/octet-stream"}
    return {"title": describe(kind)}


def is_describable(annotation: Any) -> bool:
    """Return whether pydantic can describe a type that contains pydantic models."""
    if "pydantic" not in sys.modules:
        return False
    from pydantic import TypeAdapter
    from pydantic.errors import PydanticUserError

    try:
        # A type that cannot be hashed cannot be a key of `_models`, so it cannot be found again.
        hash(annotation)
        TypeAdapter(annotation)
    except (PydanticUserError, TypeError, NameError):
        return False
    return any(is_pydantic_model(part.kind) for part in parts_of(annotation))


def describe_models(
    models: Iterable[Asked], taken: Collection[str], shared: str, report: Report
) -> tuple[dict[Asked, Schema], dict[str, Schema]]:
    """Return the references to models, and the schemas of the models under names not yet taken.

    `shared` is the text before a name in a reference. A model that cannot describe itself is
    reported.
    """
    asked = list(models)
    if not asked:
        return {}, {}
    try:
        return _describe(asked, taken, shared)
    # A model may have methods of its own that describe it, so any error is possible.
    except Exception:
        faulty = [pair for pair in asked if not _describes_itself(pair, shared, report)]
        if not faulty:
            raise
        return describe_models([p for p in asked if p not in faulty], taken, shared, report)


def _describes_itself(asked: Asked, shared: str, report: Report) -> bool:
    model, _ = asked
    try:
        _describe([asked], (), shared)
    # The same errors as above; now it is known which model raises the error.
    except Exception as error:  # noqa: BLE001
        report.at(model).note(
            f"pydantic cannot describe {describe(model)} for OpenAPI:"
            f" {type(error).__name__}: {str(error).partition(chr(10))[0]}",
            "Correct the model, or leave its handlers out with OpenAPI(include=…).",
        )
        return False
    return True


def _describe(
    asked: Sequence[Asked], taken: Collection[str], shared: str
) -> tuple[dict[Asked, Schema], dict[str, Schema]]:
    from pydantic import TypeAdapter

    modes: Any = {(model, _MODES[side]): (model, side) for model, side in asked}
    inputs = [(model, mode, TypeAdapter(model)) for model, mode in modes]
    number = 0
    while True:
        prefix = _prefix(number)
        references, found = TypeAdapter.json_schemas(
            inputs,
            ref_template=f"{shared}{prefix}{{model}}",
            schema_generator=_generator(),
        )
        schemas = {prefix + name: schema for name, schema in found.get("$defs", {}).items()}
        if {without_end(name) for name in schemas}.isdisjoint(taken):
            return {modes[key]: reference for key, reference in references.items()}, schemas
        number += 1


def _prefix(number: int) -> str:
    """Return the text before the names of models: empty for 0, and different for each number.

    If a name with this text is taken, the next number is tried.
    """
    return ("", "pydantic.")[number] if number < 2 else f"pydantic_{number}."


@cache
def _generator() -> type[Any]:
    """Return a subclass of pydantic's class for schemas; pydantic must be installed."""
    from pydantic.json_schema import GenerateJsonSchema

    class Generator(GenerateJsonSchema):
        """Allow any value for an unknown type; require a field that is in every answer."""

        # A default that JSON cannot hold is not documented.
        ignored_warning_kinds = {"skipped-choice", "non-serializable-default"}

        def handle_invalid_for_json_schema(self, schema: Any, error_info: str) -> Schema:
            return {}

        def is_instance_schema(self, schema: Any) -> Schema:
            return schema_of_unknown_class(schema["cls"])

        def ser_schema(self, schema: Any) -> Schema | None:
            found = super().ser_schema(schema)
            return {} if found is None and schema["type"] == "function-plain" else found

        def field_is_required(self, field: Any, total: bool) -> bool:
            if self.mode == "serialization" and field["type"] != "typed-dict-field":
                return not any(field.get(exclusion) for exclusion in _EXCLUSIONS)
            return super().field_is_required(field, total)

    return Generator
