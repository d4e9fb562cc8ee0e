"""What start-up finds wrong with an exception handler itself."""

import inspect
from collections.abc import Callable, Iterable, Iterator
from typing import Any, get_args

from framework.controllers import is_status
from framework.signatures import Declared, bare, describe
from framework.startup import Problem, location


def catch_problems(
    function: Callable[..., object],
    types: tuple[type[Exception], ...],
    status: int | None,
    errors: Iterable[Declared],
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
    for each in errors:
        yield from _too_narrow(where, types, each)


def _too_narrow(
    where: str, types: tuple[type[Exception], ...], error: Declared
) -> Iterator[Problem]:
    kind: Any = bare(error.annotation)[0]
    missed = [each for each in types if not issubclass(each, get_args(kind) or (kind,))]
    if missed:
        shown = " | ".join(each.__name__ for each in types)
        yield Problem(
            where,
            f"parameter {error.name!r} takes {describe(kind)}, but the method also catches"
            f" {' and '.join(each.__name__ for each in missed)}",
            f"Write {error.name}: {shown}.",
        )
