"""The handlers of an application → the paths and components of an OpenAPI 3.1 document."""

import inspect
import re
from collections.abc import Iterable
from typing import Any

from werkzeug.http import HTTP_STATUS_CODES

from framework.handlers import Handler
from framework.openapi.requests import all_parameters, describe_body, describe_parameters
from framework.openapi.results import results
from framework.openapi.schemas import Schema, Schemas
from framework.plans import Parameter
from framework.problems import ProblemDetails

# Why the framework itself answers with an error.
_REFUSALS = {
    400: "The body cannot be read.",
    403: "The request is not allowed.",
    404: "There is nothing at this path.",
    413: "The body is too large.",
    415: "The body has a type that is not expected.",
    422: "Values of the request do not fit: the list of errors names each one and its place.",
}
_BODY_REFUSALS = {400, 413, 415, 422}

# A variable in a rule, with its converter.
_VARIABLE = re.compile(r"<(?:[^<>:]+:)?([a-zA-Z_][a-zA-Z0-9_]*)>")


def describe_handlers(handlers: Iterable[Handler]) -> Schema:
    """Return the members of a document that are about the handlers."""
    paths = _Paths()
    for each in handlers:
        paths.add(each)
    return paths.document()


class _Paths:
    """Describe handlers, one after the other."""

    def __init__(self) -> None:
        self._schemas = Schemas()
        self._paths: dict[str, Schema] = {}
        self._tags: dict[str, Schema] = {}
        self._refusals: set[int] = set()
        self._ids: set[str] = set()
        # By what a rule matches: its path, and the names of its variables there.
        self._templates: dict[str, tuple[str, list[str]]] = {}

    def add(self, handler: Handler) -> None:
        """Describe a handler; of two whose paths differ in converters only, the first."""
        path, names = self._template(handler.route.rule)
        operations = self._paths.setdefault(path, {})
        method = handler.route.method.lower()
        if method not in operations:
            operations[method] = self._operation(handler, names)

    def document(self) -> Schema:
        """Return all that was described."""
        refused = {_key(status): self._refusal(status) for status in sorted(self._refusals)}
        components = _stated(schemas=self._schemas.shared(), responses=refused)
        tags = list(self._tags.values())
        return {"tags": tags, "paths": self._paths, "components": components}

    def _template(self, rule: str) -> tuple[str, dict[str, str]]:
        """Return the path of a rule; the first of its kind has named the variables for all."""
        rule = rule.removesuffix("/") or "/"
        names = _VARIABLE.findall(rule)
        path = _VARIABLE.sub(r"{\1}", rule)
        path, chosen = self._templates.setdefault(_VARIABLE.sub("{}", rule), (path, names))
        return path, dict(zip(names, chosen, strict=True))

    def _operation(self, handler: Handler, names: dict[str, str]) -> Schema:
        found = all_parameters([handler.plan, *(each.plan for each in handler.guards)])
        summary, _, description = _text(handler.route.function).partition("\n")
        return {
            **_stated(
                tags=[self._tag(handler)],
                operationId=self._id(handler.endpoint),
                summary=summary,
                description=description.strip(),
                parameters=describe_parameters(found, names, self._schemas),
                requestBody=describe_body(found, self._schemas),
            ),
            "responses": self._responses(handler, found),
        }

    def _tag(self, handler: Handler) -> str:
        """Return the name of the controller, which the document describes once."""
        name = handler.endpoint.rpartition(".")[0]
        self._tags.setdefault(name, _stated(name=name, description=_text(handler.route.controller)))
        return name

    def _id(self, endpoint: str) -> str:
        """Return the name of a handler; where it has several routes, each has its own."""
        name = endpoint
        while name in self._ids:
            number = int(name.partition(":")[2] or 1) + 1
            name = f"{endpoint}:{number}"
        self._ids.add(name)
        return name

    def _responses(self, handler: Handler, found: list[Parameter]) -> Schema:
        refusals = set(_refusals(handler, found))
        self._refusals |= refusals
        referred = {
            str(status): {"$ref": f"#/components/responses/{_key(status)}"}
            for status in sorted(refusals)
        }
        return {**results(handler.route, self._schemas), **referred}

    def _refusal(self, status: int) -> Schema:
        schema = self._schemas.of(ProblemDetails)
        content = {"application/problem+json": {"schema": schema}}
        return {"description": _REFUSALS[status], "content": content}


def _refusals(handler: Handler, found: list[Parameter]) -> Iterable[int]:
    sources = {each.source for each in found}
    if handler.guards:
        yield 403
    if "path" in sources:
        yield 404
    if sources & {"body", "form"}:
        yield from _BODY_REFUSALS
    if any(each.may_be_unfit for each in found):
        yield 422


def _key(status: int) -> str:
    return HTTP_STATUS_CODES[status].title().replace(" ", "")


def _text(documented: object) -> str:
    """Return the docstring, not indented."""
    return inspect.cleandoc(documented.__doc__ or "")


def _stated(**members: Any) -> Schema:
    """Leave out what is empty."""
    return {name: value for name, value in members.items() if value}
