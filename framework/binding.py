"""Reads a handler once: each of its parameters becomes an extractor, or a start-up problem."""

import functools
import inspect
import types
from collections.abc import Callable, Mapping
from copy import deepcopy
from difflib import get_close_matches
from typing import TypeVar

from werkzeug.wrappers import Request

from framework import parameters
from framework.markers import Default, Field, Marker, RequestMarker, SessionMarker, Unbindable
from framework.plans import Parameter, Plan
from framework.signatures import EMPTY, Declared, Unresolved, annotated, describe, read_parameters
from framework.startup import Problem, location
from framework.text_markers import PathMarker, QueryMarker
from framework.validation import is_scalar, list_item
from sessions.session import Session

# What looks like a marker inside `Annotated`, but marks nothing there.
_MISPLACED = ("Query", "Header", "Cookie", "Body", "Inject", "query", "header", "cookie")
# What a name in a class body may mean in place of the type that was imported.
_NO_TYPES = (
    types.FunctionType,
    types.ModuleType,
    staticmethod,
    classmethod,
    property,
    functools.cached_property,
)

_ASYNC = (
    "the handler is an async function, which WSGI cannot run",
    "Write `def` in place of `async def`.",
)


def bind(
    function: Callable[..., object],
    *,
    where: str,
    path_variables: Mapping[str, type | None],
    provide: Callable[[object], object],
    problems: list[Problem],
) -> Plan | None:
    """Plan how a request becomes the arguments of a method; None if there is a problem.

    `path_variables` tells what the converters of the rule make, None where that is not known.
    """
    known = len(problems)
    binder = _Binder(where, path_variables, provide, problems)
    if _is_async(function):
        binder.report(*_ASYNC)
    declared = read_parameters(function, binder.report)
    found = [binder.bind(each) for each in declared if not each.variadic]
    binder.check_names(declared)
    binder.check_bodies([each for each in found if each is not None])
    if len(problems) > known:
        return None
    return Plan(tuple(each for each in found if each is not None), binder.path_converters)


class _Binder:
    """Bind the parameters of one handler and collect what is wrong with them."""

    def __init__(
        self,
        where: str,
        path_variables: Mapping[str, type | None],
        provide: Callable[[object], object],
        problems: list[Problem],
    ) -> None:
        self.path_converters: dict[str, Callable[[object], object]] = {}
        self._where = where
        self._path_variables = path_variables
        self._provide = provide
        self._problems = problems

    def report(self, what: str, remedy: str) -> None:
        """Add to the problems of the handler."""
        self._problems.append(Problem(self._where, what, remedy))

    def bind(self, declared: Declared) -> Parameter | None:
        """Bind one parameter; None if that is a problem."""
        if declared.annotation is Unresolved:
            return None
        try:
            return self._bind(declared)
        except Unbindable as problem:
            self.report(problem.what, problem.remedy)
            return None

    def check_names(self, declared: list[Declared]) -> None:
        """Report `*args` and `**kwargs`, or else each path variable that no parameter takes."""
        variadic = [each.written for each in declared if each.variadic]
        if variadic:
            self.report(*_variadic(" and ".join(variadic)))
            return
        names = [each.name for each in declared]
        others = [name for name in names if name not in self._path_variables]
        for variable in self._path_variables:
            if variable not in names:
                guess = _did_you_mean(variable, others)
                self.report(
                    f"the path has the variable {variable!r}, which no parameter takes{guess}",
                    f"Name a parameter {variable}, or change the path.",
                )

    def check_bodies(self, found: list[Parameter]) -> None:
        """Report a second parameter that wants the one body."""
        names = [repr(each.name) for each in found if each.source == "body"]
        if len(names) > 1:
            self.report(
                f"parameters {' and '.join(names)} each read the whole body",
                "Use one Body[...] of a class that has both as its fields.",
            )

    def _bind(self, declared: Declared) -> Parameter:
        if isinstance(declared.annotation, TypeVar):
            raise _untyped(declared)
        marker = self._marker(declared)
        others = tuple(each for each in declared.metadata if not isinstance(each, Marker))
        annotation = annotated(declared.annotation, others)
        field = Field(declared.name, annotation, _default(declared), self._provide)
        if isinstance(marker, PathMarker) and (convert := marker.converter(field)) is not None:
            self.path_converters[declared.name] = convert
        return Parameter(
            name=declared.name,
            source=marker.source,
            where=marker.where(field),
            annotation=annotation,
            required=field.default is None,
            default=declared.default,
            extract=marker.extractor(field),
            keyword=declared.keyword_only,
            fallible=marker.fallible,
        )

    def _marker(self, declared: Declared) -> Marker:
        """Return the one marker of a parameter, or what its name and type imply."""
        markers = [each for each in declared.metadata if isinstance(each, Marker)]
        sources = [each.source for each in markers]
        if declared.name in self._path_variables:
            sources.append("path")
        if len(sources) > 1:
            raise Unbindable(
                f"parameter {declared.name!r} has two sources: {' and '.join(sources)}",
                "Keep one of them; a name in the path is a source of its own.",
            )
        _refuse_misplaced(declared)
        return markers[0] if markers else self._implied(declared)

    def _implied(self, declared: Declared) -> Marker:
        annotation = declared.annotation
        if declared.name in self._path_variables:
            return PathMarker(self._path_variables[declared.name])
        if isinstance(annotation, _NO_TYPES):
            raise _hidden(declared)
        if isinstance(annotation, type) and issubclass(annotation, Session):
            return SessionMarker()
        if annotation is Request:
            return RequestMarker()
        if is_scalar(annotation) or is_scalar(list_item(annotation)):
            return QueryMarker()
        raise _unmarked(declared, _did_you_mean(declared.name, list(self._path_variables)))


def _is_async(function: Callable[..., object]) -> bool:
    inner = function.__func__ if isinstance(function, staticmethod) else function
    return inspect.iscoroutinefunction(inner) or inspect.isasyncgenfunction(inner)


def _default(declared: Declared) -> Default | None:
    """Return what makes the default: a copy for each request, unless it cannot be changed."""
    value = declared.default
    if value is EMPTY:
        return None
    try:
        copied = deepcopy(value)
    # Copying runs the code of the value's class, which may raise anything.
    except Exception as error:
        raise Unbindable(
            f"the default of parameter {declared.name!r} cannot be copied for a request: {error}",
            "Use None as the default, and make the value in the handler.",
        ) from error
    return (lambda: value) if copied is value else (lambda: deepcopy(value))


def _did_you_mean(name: str, candidates: list[str]) -> str:
    close = get_close_matches(name, candidates, n=1)
    return f"; did you mean {close[0]!r}?" if close else ""


def _refuse_misplaced(declared: Declared) -> None:
    for name in _MISPLACED:
        if any(each is getattr(parameters, name) for each in declared.metadata):
            written = describe(declared.annotation)
            raise Unbindable(
                f"the Annotated type of parameter {declared.name!r} holds {name}, which marks"
                " nothing there",
                f"Write {name.capitalize()}[{written}]"
                + (f" or Annotated[{written}, {name}()]." if name.islower() else "."),
            )


def _variadic(names: str) -> tuple[str, str]:
    return (
        f"the handler takes {names}, which no request can fill",
        "Name the parameters. If a decorator made this function, let it use functools.wraps,"
        " which keeps the signature of what it wraps.",
    )


def _untyped(declared: Declared) -> Unbindable:
    return Unbindable(
        f"parameter {declared.name!r} does not say its type",
        "Write the type in brackets, as in Query[int].",
    )


def _hidden(declared: Declared) -> Unbindable:
    member = location(getattr(declared.annotation, "fget", declared.annotation))
    return Unbindable(
        f"the annotation of parameter {declared.name!r} is {member}, which is no type: an earlier"
        " member of the class hides the imported name",
        "Rename that member, or write the type under a name that the class does not use"
        " (Session for session).",
    )


def _unmarked(declared: Declared, guess: str) -> Unbindable:
    name, annotation = declared.name, declared.annotation
    if annotation is EMPTY:
        return Unbindable(
            f"parameter {name!r} has no annotation{guess}",
            f"Write {name}: str for a query value, {name}: Session for the session, or put"
            f" <{name}> into the path.",
        )
    written = describe(annotation)
    return Unbindable(
        f"parameter {name!r} is {written}, but nothing says where it comes from{guess}",
        f"Write Body[{written}] for the JSON of the body, or Inject[{written}] for a component.",
    )
