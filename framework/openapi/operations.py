"""What a handler takes and returns → the parameters, body and responses of its operation."""

from collections.abc import Generator, Iterator, Mapping, Sequence
from http import HTTPStatus
from types import UnionType
from typing import Any, Never, NoReturn, TypeVar, Union, get_args, get_origin

import msgspec
from werkzeug.datastructures import FileStorage
from werkzeug.http import HTTP_STATUS_CODES
from werkzeug.wrappers import Response

from framework.binding.source import (
    DocumentedBody,
    DocumentedForm,
    DocumentedValue,
    Parameter,
)
from framework.http.routes import Route
from framework.openapi.schemas import Schemas
from framework.openapi.sides import Schema
from framework.types.conversion import list_item
from framework.types.fields import as_plain, fields_of
from framework.types.signatures import EMPTY, Unresolved, bare, read_return, split

D = TypeVar("D", DocumentedValue, DocumentedBody, DocumentedForm)
_STREAMS = (Generator, Iterator)
_UNKNOWN = (EMPTY, Unresolved, Never, NoReturn)
_ANYTHING: Schema = {"description": "What the handler answers."}


def describe_parameters(
    found: Sequence[Parameter], names: Mapping[str, str], schemas: Schemas
) -> list[Schema]:
    """Describe the values that are read from the path, the query, the headers and the cookies.

    `names` are the names of the variables in the document's path.
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
    """Describe the body: JSON or another type, a form, or no body at all."""
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


def results(route: Route, schemas: Schemas) -> dict[str, Schema]:
    """Describe each response that a handler may return, by its status."""
    members = _members(read_return(route.function))
    bodies = [member for member in members if not _is_nothing(member) and not _is_free(member)]
    found: dict[str, Schema] = {}
    if bodies:
        status = route.status or HTTPStatus.OK
        found[str(int(status))] = _described(status, _content(bodies, schemas))
    if any(map(_is_nothing, members)):
        status = route.status or HTTPStatus.NO_CONTENT
        found.setdefault(str(int(status)), _described(status, {}))
    if any(map(_is_free, members)):
        # A Response may have any status; the decorator's status is for all other results.
        found["default"] = _ANYTHING
    return found


def _documented(found: Sequence[Parameter], kind: type[D]) -> Iterator[tuple[Parameter, D]]:
    """Yield the parameters with the descriptions of one kind that their sources give."""
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
    """Describe a form: single fields, whole objects, or both."""
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


def _members(annotation: Any) -> list[Any]:
    base, _ = split(annotation)
    if get_origin(base) in (Union, UnionType):
        return [member for inner in get_args(base) for member in _members(inner)]
    return [annotation]


def _is_nothing(annotation: Any) -> bool:
    return split(annotation)[0] in (None, type(None))


def _is_free(annotation: Any) -> bool:
    """Return whether the handler makes the response itself, only raises, or has no return type."""
    base, _ = split(annotation)
    return base in _UNKNOWN or (isinstance(base, type) and issubclass(base, Response))


def _described(status: int, content: Schema) -> Schema:
    described: Schema = {"description": HTTP_STATUS_CODES.get(status, "The result.")}
    if content:
        described["content"] = content
    return described


def _content(bodies: list[Any], schemas: Schemas) -> Schema:
    """Describe bodies by their media types, as the framework renders them."""
    types: dict[str, list[Any]] = {}
    for body in bodies:
        types.setdefault(_media_type(body), []).append(body)
    return {
        media_type: {"schema": _schema(media_type, group, schemas)}
        for media_type, group in types.items()
    }


def _media_type(annotation: Any) -> str:
    base, _ = split(annotation)
    kind = get_origin(base) or base
    if kind in _STREAMS:
        return "text/plain" if get_args(base)[:1] == (str,) else "application/octet-stream"
    if kind is str:
        return "text/plain"
    return "application/octet-stream" if kind is bytes else "application/json"


def _schema(media_type: str, group: list[Any], schemas: Schemas) -> Schema:
    if media_type == "text/plain":
        return {"type": "string"}
    if media_type == "application/octet-stream":
        return {}
    found = [schemas.of(kind, "answer") for kind in group]
    return found[0] if len(found) == 1 else {"anyOf": found}
