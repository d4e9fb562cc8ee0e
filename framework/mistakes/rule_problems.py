"""What is wrong with a path, above all if its variables are written as elsewhere."""

import re
from collections.abc import Iterator, Mapping

from framework.annotations.signatures import signature_of
from framework.controllers import Route
from framework.routing import path_variables
from framework.startup import Problem

# A variable proper, in whose converter anything may be.
_VARIABLE = re.compile(r"<[^<>]*>")
# `{id}`, `{id:int}`
_BRACES = re.compile(r"\{([^{}/:]*):?([^{}/]*)\}")


def variables_of(route: Route, problems: list[Problem]) -> Mapping[str, type | None] | None:
    """Return the variables of a path with the types of their values; None if it is a problem."""
    foreign = list(_foreign_variables(route))
    problems += foreign
    try:
        return None if foreign else path_variables(route.rule)
    except ValueError as error:
        problems.append(_bad_rule(route, error))
        return None


def _foreign_variables(route: Route) -> Iterator[Problem]:
    """Report what is plain text here, but elsewhere a variable: `{id}`, and `:id` for a parameter.

    The parameter of that name would be read from the query.
    """
    plain = _VARIABLE.sub("", route.rule)
    for found in _BRACES.finditer(plain):
        yield _plain_text(route, found[0], found[1], found[2])
    for segment in plain.split("/"):
        name = segment.removeprefix(":")
        if name != segment and name in signature_of(route.function).parameters:
            yield _plain_text(route, segment, name, "")


def _plain_text(route: Route, written: str, name: str, converter: str) -> Problem:
    right = f"<{converter}:{name}>" if converter else f"<{name}>, or <int:{name}> for a number"
    return Problem(
        route.where,
        f"the path {route.rule!r} holds {written!r}, which is plain text and no variable",
        f"Write {right}.",
    )


def _bad_rule(route: Route, error: ValueError) -> Problem:
    """Report what cannot be a path at all."""
    return Problem(
        route.where,
        f"the path {route.rule!r} is no rule: {error}",
        "Write a path such as '/items/<int:item_id>'; converters are string, int, float, uuid,"
        " path and any.",
    )
