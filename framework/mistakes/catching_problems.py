"""What is wrong with an exception handler itself, as far as start-up can see."""

import inspect
from collections.abc import Callable, Iterator, Sequence
from typing import Any, get_args

from framework.annotations.returns import return_problems
from framework.annotations.signatures import EMPTY, Declared, bare, describe, read_parameters
from framework.controllers import is_status
from framework.plans import Plan
from framework.routing import Variables
from framework.sources.resolvers import source_of
from framework.startup import Problem, location


def require_types(types: Sequence[object]) -> None:
    """Refuse what @catch cannot catch."""
    if not types:
        raise TypeError("@catch takes at least one exception: write @catch(LookupError)")
    for each in types:
        if not (isinstance(each, type) and issubclass(each, Exception)):
            raise TypeError(_no_exception(each))


def catch_problems(
    function: Callable[..., object],
    types: tuple[type[Exception], ...],
    status: int | None,
    errors: Sequence[Declared],
) -> Iterator[Problem]:
    """Report what would fail only when an error is caught."""
    where = location(function)
    inner = getattr(function, "__func__", function)
    if inspect.iscoroutinefunction(inner) or inspect.isasyncgenfunction(inner):
        yield Problem(
            where,
            "the exception handler is an async function, which WSGI cannot run",
            "Write `def` in place of `async def`.",
        )
    if not is_status(status):
        yield Problem(
            where,
            f"the status {status!r} of @catch is no final HTTP status",
            "Give a number from 200 to 599, or leave it out.",
        )
    yield from return_problems(function, where, "catch", 404)
    yield from _error_problems(where, types, errors)


def path_problems(
    function: Callable[..., object], plan: Plan, variables: Variables
) -> Iterator[Problem]:
    """Report parameters that would be values of the query where they seem to be of the path."""
    declared = read_parameters(function)
    marked = {each.name for each in declared if any(map(source_of, each.metadata))}
    for each in plan.parameters:
        is_implied = each.source == "query" and each.name not in marked
        # A default says what to do where the path lacks it.
        if is_implied and each.required and each.name in variables.others:
            of_query = f"{each.name}: Query[{describe(each.annotation)}]"
            yield Problem(
                location(function),
                f"parameter {each.name!r} is a variable of some paths, but not of every request"
                " that the method may have to answer",
                f"Let the error carry the value; if it is one of the query, write {of_query}.",
            )


def _no_exception(given: object) -> str:
    # Without parentheses, a decorator is given what it decorates.
    if inspect.isroutine(given) or isinstance(given, staticmethod | classmethod):
        return (
            "@catch takes the exceptions to catch, and is written without any:"
            " write @catch(LookupError)"
        )
    message = f"@catch takes subclasses of Exception, not {given!r}"
    if isinstance(given, type) and issubclass(given, BaseException):
        return f"{message}, which ends more than a request and is not answered: leave it out"
    if isinstance(given, Exception):
        return f"{message}: write @catch({type(given).__name__})"
    return f"{message}: write them one by one, as in @catch(LookupError, OSError)"


def _error_problems(
    where: str, types: tuple[type[Exception], ...], errors: Sequence[Declared]
) -> Iterator[Problem]:
    for each in errors:
        if each.annotation is EMPTY:
            yield _unannotated(where, types, each.name)
        else:
            yield from _too_narrow(where, types, each)
    if len(errors) > 1:
        yield _two_errors(where, [each.name for each in errors])


def _unannotated(where: str, types: tuple[type[Exception], ...], name: str) -> Problem:
    return Problem(
        where,
        f"parameter {name!r} has no annotation",
        f"Write {name}: {_union(types)} for the error.",
    )


def _union(types: tuple[type[Exception], ...]) -> str:
    return " | ".join(each.__name__ for each in types)


def _too_narrow(
    where: str, types: tuple[type[Exception], ...], error: Declared
) -> Iterator[Problem]:
    kind: Any = bare(error.annotation)[0]
    missed = [each for each in types if not issubclass(each, get_args(kind) or (kind,))]
    if missed:
        yield Problem(
            where,
            f"parameter {error.name!r} takes {describe(kind)}, but the method also catches"
            f" {' and '.join(each.__name__ for each in missed)}",
            f"Write {error.name}: {_union(types)}.",
        )


def _two_errors(where: str, names: Sequence[str]) -> Problem:
    return Problem(
        where,
        f"parameters {' and '.join(map(repr, names))} each take the error",
        "Keep one of them; give it a union if the method catches several types.",
    )
