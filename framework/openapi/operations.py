"""Describe the arguments of a handler as the parameters and the body of its operation."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeVar

import msgspec
from werkzeug.datastructures import FileStorage

from framework.binding.source import (
    DocumentedBody,
    DocumentedForm,
    DocumentedValue,
    Parameter,
)
from framework.openapi.schemas import Schemas
from framework.openapi.sides import Schema
from framework.types.conversion import list_item
from framework.types.fields import as_plain, fields_of
from framework.types.signatures import bare

D = TypeVar("D", DocumentedValue, DocumentedBody, DocumentedForm)


def describe_parameters(
    found: Sequence[Parameter], names: Mapping[str, str], schemas: Schemas
) -> list[Schema]:
    """Return the descriptions of the values from the path, the query, the headers and the cookies.

    `names` maps each variable of the rule to its name in the OpenAPI document.
    """
    # A resolver and the handler may read the same value, which is described once.
    described: dict[tuple[str, str], Schema] = {}
    for parameter, value in _documented(found, DocumentedValue):
        name = names.get(value.name, "") if value.place == "path" else value.name
        # A guard may read a variable that only some paths have.
        if not name:
            continue
        described.setdefault(
            (value.place, name),
            {
                "name": name,
                "in": value.place,
                "required": parameter.required if value.required is None else value.required,
                "schema": _with_default(schemas.of_text(value.type, value.limits), parameter),
            },
        )
    return list(described.values())


def describe_body(found: Sequence[Parameter], schemas: Schemas) -> Schema:
    """Return the description of the body: JSON, another type or a form; empty if there is none."""
    for parameter, body in _documented(found, DocumentedBody):
        schema = _with_default(schemas.of(body.type), parameter)
        return _body({body.media_type: {"schema": schema}}, required=parameter.required)
    fields = list(_documented(found, DocumentedForm))
    if not fields:
        return {}
    form = {"schema": _form(fields, schemas)}
    types = ["multipart/form-data"]
    if not any(_has_file(field.type) for _, field in fields):
        types.insert(0, "application/x-www-form-urlencoded")
    required = any(parameter.requires_body for parameter, _ in fields)
    return _body(dict.fromkeys(types, form), required=required)


def _documented(found: Sequence[Parameter], kind: type[D]) -> Iterator[tuple[Parameter, D]]:
    """Yield pairs: a parameter, and a description of this kind that belongs to it."""
    for parameter in found:
        for described in parameter.marker.documented(parameter.field):
            if isinstance(described, kind):
                yield parameter, described


def _with_default(schema: Schema, parameter: Parameter) -> Schema:
    if not parameter.required and parameter.default is not None:
        try:
            schema["default"] = msgspec.to_builtins(as_plain(parameter.default), str_keys=True)
        # A default that JSON cannot hold is not documented.
        except (TypeError, ValueError):
            return schema
    return schema


def _body(content: Schema, *, required: bool) -> Schema:
    return {"content": content, "required": required}


def _form(fields: Sequence[tuple[Parameter, DocumentedForm]], schemas: Schemas) -> Schema:
    """Return the description of a form: single fields, whole objects, or both."""
    single = [(parameter, field) for parameter, field in fields if field.name]
    whole = [schemas.of(field.type) for _, field in fields if not field.name]
    if not single and len(whole) == 1:
        return whole[0]
    properties: Schema = {"type": "object", "properties": {}, "required": []}
    for parameter, field in single:
        schema = schemas.of_text(field.type, field.limits)
        properties["properties"][field.name] = _with_default(schema, parameter)
        properties["required"] += [field.name] if parameter.required else []
    return {"allOf": [*whole, properties]} if whole else properties


def _has_file(annotation: Any) -> bool:
    inner = (field.annotation for field in fields_of(bare(annotation)[0]))
    return any(_is_file(list_item(kind) or kind) for kind in (annotation, *inner))


def _is_file(annotation: Any) -> bool:
    base = bare(annotation)[0]
    return isinstance(base, type) and issubclass(base, FileStorage)
