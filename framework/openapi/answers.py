"""Describe the responses of an operation: the results of its handler, and its errors."""

from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass, field
from http import HTTPStatus
from types import UnionType
from typing import Any, Never, NoReturn, Union, get_args, get_origin

from werkzeug.exceptions import HTTPException, default_exceptions
from werkzeug.http import HTTP_STATUS_CODES

from framework.around.exception_handlers import Catcher, catcher_of, usual_status
from framework.dispatch.handlers import Handler
from framework.http.errors import ProblemDetails
from framework.openapi.schemas import Schemas
from framework.openapi.sides import Schema
from framework.results import HTML, is_free, value_of
from framework.types.signatures import EMPTY, Unresolved, read_return, split
from framework.validation import InvalidRequest

# The reasons why the framework itself answers with an error.
_REFUSALS = {
    400: "The body cannot be read.",
    403: "The request is not allowed.",
    404: "There is nothing at this path.",
    413: "The body is too large.",
    415: "The body has a type that is not expected.",
    422: "Values of the request do not fit: the list of errors names each one and its place.",
}
_STREAMS = (Generator, Iterator)
_UNKNOWN = (EMPTY, Unresolved, Never, NoReturn)
_PROBLEM = "application/problem+json"


@dataclass
class _Answer:
    """Collect the bodies that one status can have: some types, a problem document, or nothing."""

    text: str = ""
    bodies: list[Any] = field(default_factory=list)
    is_problem: bool = False


class Answers:
    """Describe the answers of operations; errors that look the same are described once."""

    def __init__(self, schemas: Schemas) -> None:
        self._schemas = schemas
        self._shared: set[int] = set()

    def of(self, handler: Handler, refusals: Iterable[type[HTTPException] | int]) -> Schema:
        """Return the description of each answer of a handler, by its status.

        `refusals` are the errors that the framework, guards, resolvers and the handler raise.
        """
        found: dict[str, _Answer] = {}
        _add(found, read_return(handler.route.function), handler.route.status)
        own = list(found)
        for raised in refusals:
            kind = _error_of(raised) if isinstance(raised, int) else raised
            caught = catcher_of(handler.catchers, kind)
            if caught is None:
                found.setdefault(str(kind.code), _Answer()).is_problem = True
            else:
                _add_caught(found, caught[0], kind)
        for catcher, error in _caught(handler.catchers):
            _add_caught(found, catcher, error)
        statuses = [*own, *sorted(found.keys() - set(own))]
        return {status: self._described(status, found[status]) for status in statuses}

    def shared(self) -> dict[str, Schema]:
        """Return the descriptions of errors by name; operations refer to an error by this name."""
        return {_name(status): self._problem(status) for status in sorted(self._shared)}

    def _described(self, status: str, answer: _Answer) -> Schema:
        if status == "default":
            return {"description": answer.text}
        if answer.is_problem and not (answer.bodies or answer.text):
            self._shared.add(int(status))
            return {"$ref": f"#/components/responses/{_name(int(status))}"}
        content = self._content(answer.bodies)
        if answer.is_problem:
            content |= self._problem(int(status))["content"]
        text = {"description": answer.text}
        return {**text, "content": content} if content else text

    def _problem(self, status: int) -> Schema:
        text = _REFUSALS.get(status) or HTTP_STATUS_CODES.get(status, f"Status {status}")
        schema = self._schemas.of(ProblemDetails, "answer")
        return {"description": text, "content": {_PROBLEM: {"schema": schema}}}

    def _content(self, bodies: list[Any]) -> Schema:
        """Return a schema of the bodies for each media type in which the framework sends them."""
        types: dict[str, list[Any]] = {}
        for body in bodies:
            types.setdefault(_media_type(body), []).append(value_of(split(body)[0]))
        return {
            media_type: {"schema": self._schema(media_type, group)}
            for media_type, group in types.items()
        }

    def _schema(self, media_type: str, group: list[Any]) -> Schema:
        if media_type.startswith("text/"):
            return {"type": "string"}
        if media_type == "application/octet-stream":
            return {}
        # The same type may come from the handler and from an exception handler.
        kinds = [kind for at, kind in enumerate(group) if kind not in group[:at]]
        found = [self._schemas.of(kind, "answer") for kind in kinds]
        return found[0] if len(found) == 1 else {"anyOf": found}


def _add(found: dict[str, _Answer], returns: Any, status: int | None, text: str = "") -> None:
    """Add the answers of a function with this return type to `found`."""
    for member in _members(returns):
        if _is_free(member):
            # A Response may have any status; the decorator's status is for all other results.
            key = "default"
        elif _is_nothing(member):
            key = str(int(status or HTTPStatus.NO_CONTENT))
        else:
            key = str(int(status or HTTPStatus.OK))
        answer = found.setdefault(key, _Answer())
        answer.text = answer.text or text or _phrase(key)
        if key != "default" and not _is_nothing(member):
            answer.bodies.append(member)


def _add_caught(found: dict[str, _Answer], catcher: Catcher, kind: type[Exception]) -> None:
    summary, _, _ = (catcher.method.__doc__ or "").strip().partition("\n")
    status = catcher.status or usual_status(kind)
    _add(found, read_return(catcher.method), status, summary)


def _caught(catchers: Iterable[Catcher]) -> Iterator[tuple[Catcher, type[Exception]]]:
    """Yield each exception handler, with each type of error that the exception handler answers."""
    catchers = list(catchers)
    for kind in dict.fromkeys(kind for catcher in catchers for kind in catcher.types):
        found = catcher_of(catchers, kind)
        # A catcher of all HTTP errors answers those that are known to be raised.
        has_status = not issubclass(kind, HTTPException) or kind.code is not None
        if found is not None and has_status:
            yield found[0], kind


def _error_of(status: int) -> type[HTTPException]:
    return (
        InvalidRequest if status == HTTPStatus.UNPROCESSABLE_ENTITY else default_exceptions[status]
    )


def _phrase(status: str) -> str:
    if status == "default":
        return "What the handler answers."
    return HTTP_STATUS_CODES.get(int(status), "The result.")


def _name(status: int) -> str:
    return HTTP_STATUS_CODES.get(status, f"Status {status}").title().replace(" ", "")


def _members(annotation: Any) -> list[Any]:
    base, _ = split(annotation)
    if get_origin(base) in (Union, UnionType):
        return [member for inner in get_args(base) for member in _members(inner)]
    return [annotation]


def _is_nothing(annotation: Any) -> bool:
    return split(annotation)[0] in (None, type(None))


def _is_free(annotation: Any) -> bool:
    """Return whether a return type says nothing about the answer: no type, NoReturn, Response."""
    base, _ = split(annotation)
    return base in _UNKNOWN or is_free(base)


def _media_type(annotation: Any) -> str:
    base, _ = split(annotation)
    kind = get_origin(base) or base
    if kind in _STREAMS:
        return "text/plain" if get_args(base)[:1] == (str,) else "application/octet-stream"
    if isinstance(kind, type) and issubclass(kind, HTML):
        return "text/html"
    if kind is str:
        return "text/plain"
    return "application/octet-stream" if kind is bytes else "application/json"
