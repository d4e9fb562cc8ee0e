"""What a handler says that it returns → the successful responses of its operation."""

from collections.abc import Generator, Iterator
from http import HTTPStatus
from types import UnionType
from typing import Any, Never, NoReturn, Union, get_args, get_origin

from werkzeug.http import HTTP_STATUS_CODES
from werkzeug.wrappers import Response

from framework.annotations.signatures import EMPTY, Unresolved, read_return, split
from framework.controllers import Route
from framework.openapi.schemas import Schema, Schemas

_STREAMS = (Generator, Iterator)
_UNKNOWN = (EMPTY, Unresolved, Never, NoReturn)
_ANYTHING: Schema = {"description": "What the handler answers."}


def results(route: Route, schemas: Schemas) -> dict[str, Schema]:
    """Describe each response that a handler may return, by its status."""
    members = _members(read_return(route.function))
    bodies = [each for each in members if not _is_nothing(each) and not _is_free(each)]
    found: dict[str, Schema] = {}
    if bodies:
        status = route.status or HTTPStatus.OK
        found[str(int(status))] = _described(status, _content(bodies, schemas))
    if any(map(_is_nothing, members)):
        status = route.status or HTTPStatus.NO_CONTENT
        found.setdefault(str(int(status)), _described(status, {}))
    if any(map(_is_free, members)):
        # It may have any status; the one of the decorator is for all other results.
        found["default"] = _ANYTHING
    return found


def _members(annotation: Any) -> list[Any]:
    base, _ = split(annotation)
    if get_origin(base) in (Union, UnionType):
        return [member for each in get_args(base) for member in _members(each)]
    return [annotation]


def _is_nothing(annotation: Any) -> bool:
    return split(annotation)[0] in (None, type(None))


def _is_free(annotation: Any) -> bool:
    """Tell whether the handler makes the response itself, only raises, or does not say."""
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
    for each in bodies:
        types.setdefault(_media_type(each), []).append(each)
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
    found = [schemas.of(each) for each in group]
    return found[0] if len(found) == 1 else {"anyOf": found}
