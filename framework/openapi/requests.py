"""What a handler takes → the parameters and the request body of its operation."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
from werkzeug.datastructures import FileStorage

from framework.annotations.object_fields import fields_of
from framework.annotations.signatures import bare
from framework.openapi.schemas import Schema, Schemas
from framework.plans import Parameter, Plan
from framework.validation import list_item

_TEXT_SOURCES = ("path", "query", "header", "cookie")


def all_parameters(plans: Iterable[Plan]) -> list[Parameter]:
    """List the parameters of the plans, and those of their resolvers."""
    return [part for plan in plans for each in plan.parameters for part in each.flattened()]


def describe_parameters(
    found: Sequence[Parameter], names: Mapping[str, str], schemas: Schemas
) -> list[Schema]:
    """Describe what is read from the path, the query, the headers and the cookies.

    `names` are those that the document's path has for its variables.
    """
    # A resolver may read what the handler reads, too.
    described: dict[tuple[str, str], Schema] = {}
    for each in found:
        if each.source in _TEXT_SOURCES:
            name = _name(each)
            name = names[name] if each.source == "path" else name
            described.setdefault((each.source, name), _described(each, name, schemas))
    return list(described.values())


def describe_body(found: Sequence[Parameter], schemas: Schemas) -> Schema:
    """Describe the body: JSON, a form, or none at all."""
    for each in found:
        if each.source == "body":
            schema = _with_default(schemas.of(each.annotation), each)
            return _body({"application/json": {"schema": schema}}, required=each.required)
    fields = [each for each in found if each.source == "form"]
    if not fields:
        return {}
    form = {"schema": _form(fields, schemas)}
    types = ["multipart/form-data"]
    if not any(_has_file(each.annotation) for each in fields):
        types.insert(0, "application/x-www-form-urlencoded")
    return _body(dict.fromkeys(types, form), required=any(each.needs_body for each in fields))


def _name(parameter: Parameter) -> str:
    """Return the name in a request; empty for a parameter that takes a whole form."""
    return parameter.where.partition(":")[2]


def _described(parameter: Parameter, name: str, schemas: Schemas) -> Schema:
    schema = schemas.of_text(parameter.annotation, parameter.limits)
    return {
        "name": name,
        "in": parameter.source,
        "required": parameter.required,
        "schema": _with_default(schema, parameter),
    }


def _with_default(schema: Schema, parameter: Parameter) -> Schema:
    if not parameter.required and parameter.default is not None:
        try:
            schema["default"] = msgspec.to_builtins(parameter.default, str_keys=True)
        # A default that JSON cannot hold is the handler's own affair.
        except (TypeError, ValueError):
            return schema
    return schema


def _body(content: Schema, *, required: bool) -> Schema:
    return {"content": content, "required": required}


def _form(fields: Sequence[Parameter], schemas: Schemas) -> Schema:
    """Describe a form: single fields, whole objects, or both."""
    single = [each for each in fields if _name(each)]
    whole = [schemas.of(bare(each.annotation)[0]) for each in fields if not _name(each)]
    if not single and len(whole) == 1:
        return whole[0]
    properties: Schema = {"type": "object", "properties": {}, "required": []}
    for each in single:
        schema = schemas.of_text(each.annotation, each.limits)
        properties["properties"][_name(each)] = _with_default(schema, each)
        properties["required"] += [_name(each)] if each.required else []
    return {"allOf": [*whole, properties]} if whole else properties


def _has_file(annotation: Any) -> bool:
    inner = (each.annotation for each in fields_of(bare(annotation)[0]))
    return any(_is_file(list_item(each) or each) for each in (annotation, *inner))


def _is_file(annotation: Any) -> bool:
    base = bare(annotation)[0]
    return isinstance(base, type) and issubclass(base, FileStorage)
