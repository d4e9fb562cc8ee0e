"""Describe the handlers of an application in the paths and components of OpenAPI 3.1."""

import inspect
import re
from collections.abc import Iterable, Iterator
from typing import Any, cast

from werkzeug.exceptions import HTTPException

from framework.binding.resolver import ResolverMarker
from framework.binding.source import Needs, Parameter
from framework.dispatch.handlers import Handler
from framework.dispatch.steps import CheckGuard, Everywhere, only, refusals_of, steps_of
from framework.openapi.answers import Answers
from framework.openapi.operations import describe_body, describe_parameters
from framework.openapi.raised import errors_raised
from framework.openapi.schemas import Schemas
from framework.openapi.security import Security
from framework.openapi.sides import Schema
from framework.report import Report

# A variable in a rule, with its converter.
_VARIABLE = re.compile(r"<(?:[^<>:]+:)?([a-zA-Z_][a-zA-Z0-9_]*)>")


def describe_handlers(handlers: Iterable[Handler], report: Report) -> Schema:
    """Return the members of a document that are about the handlers."""
    paths = _Paths(report)
    for handler in handlers:
        with report.at(handler.route.where):
            paths.add(handler)
    return paths.document()


class _Paths:
    """Describe handlers, one after the other."""

    def __init__(self, report: Report) -> None:
        self._schemas = Schemas(report)
        self._paths: dict[str, Schema] = {}
        self._tags: dict[str, Schema] = {}
        self._answers = Answers(self._schemas)
        self._security = Security()
        self._ids: set[str] = set()
        # The path of a rule and the names of its variables, by the rule without these names.
        self._templates: dict[str, tuple[str, list[str]]] = {}

    def add(self, handler: Handler) -> None:
        """Describe a handler, unless an earlier handler has the same method and path.

        Paths that differ only in their variables count as the same path.
        """
        path, names = self._template(handler.route.rule)
        operations = self._paths.setdefault(path, {})
        method = handler.route.method.lower()
        if method not in operations:
            operations[method] = self._operation(handler, names)

    def document(self) -> Schema:
        """Return the descriptions of all handlers that were added."""
        # The shared answers ask for their schemas, too.
        answers = self._answers.shared()
        components = _stated(
            schemas=self._schemas.shared(),
            responses=answers,
            securitySchemes=self._security.schemes,
        )
        tags = list(self._tags.values())
        return {"tags": tags, "paths": self._paths, "components": components}

    def _template(self, rule: str) -> tuple[str, dict[str, str]]:
        """Return the path of a rule, and the name that each variable of the rule has in the path.

        If rules differ only in the names of their variables, all have the path of the first rule.
        """
        rule = rule.removesuffix("/") or "/"
        names = _VARIABLE.findall(rule)
        path = _VARIABLE.sub(r"{\1}", rule)
        path, chosen = self._templates.setdefault(_VARIABLE.sub("{}", rule), (path, names))
        return path, dict(zip(names, chosen, strict=True))

    def _operation(self, handler: Handler, names: dict[str, str]) -> Schema:
        found = _parameters(handler)
        summary, _, description = _text(handler.route.function).partition("\n")
        return {
            **_stated(
                tags=[self._tag(handler)],
                operationId=self._id(handler.endpoint),
                summary=summary,
                description=description.strip(),
                parameters=describe_parameters(found, names, self._schemas),
                requestBody=describe_body(found, self._schemas),
                security=self._security.of(handler),
            ),
            "responses": self._answers.of(handler, _refusals(handler, found)),
        }

    def _tag(self, handler: Handler) -> str:
        """Return the tag of a handler: the name of its controller.

        The first handler of a controller also adds the controller's description to the document.
        """
        name = handler.endpoint.rpartition(".")[0]
        self._tags.setdefault(name, _stated(name=name, description=_text(handler.route.controller)))
        return name

    def _id(self, endpoint: str) -> str:
        """Return a name for a route; the routes of one handler have different names."""
        name = endpoint
        while name in self._ids:
            number = int(name.partition(":")[2] or 1) + 1
            name = f"{endpoint}:{number}"
        self._ids.add(name)
        return name


def _parameters(handler: Handler) -> list[Parameter]:
    """List the parameters of the handler and its guards, and those of their resolvers."""
    plans = (handler.plan, *(guard.plan for guard in handler.guards))
    return [part for plan in plans for part in plan.flattened()]


def _refusals(handler: Handler, found: list[Parameter]) -> Iterator[type[HTTPException] | int]:
    """Yield the errors that can be the answer to a request, as types or as statuses."""
    method = handler.route.method
    steps = steps_of(handler, Everywhere())
    for step in only(steps, CheckGuard):
        yield from (outcome.status or 403 for outcome in step.outcomes(method))
        yield from errors_raised(step.guard.check)
    # A request object gives access to the body, but nothing says that the handler reads it.
    has_body = any(Needs.BODY in parameter.needs for parameter in found)
    for outcome in refusals_of(steps, method):
        if outcome.status is not None and (has_body or outcome.status not in (400, 413)):
            yield outcome.status
    # A handler may find nothing for a value of the path.
    if any(Needs.PATH in parameter.needs for parameter in found):
        yield 404
    for marker in (parameter.marker for parameter in found):
        if isinstance(marker, ResolverMarker):
            yield from errors_raised(cast(Any, marker.kind).resolve)
    yield from errors_raised(handler.route.function)


def _text(documented: object) -> str:
    """Return the docstring without indentation."""
    return inspect.cleandoc(documented.__doc__ or "")


def _stated(**members: Any) -> Schema:
    """Return the members that are not empty."""
    return {name: value for name, value in members.items() if value}
