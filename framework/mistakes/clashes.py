"""What several parameters of one request ask for that no request can give them all."""

from collections.abc import Iterable, Iterator, Sequence

from framework.annotations.changing import can_change
from framework.annotations.signatures import describe
from framework.plans import Parameter
from framework.sources.session_values import kept_type
from framework.startup import Problem


def clashes(parameters: Iterable[Parameter]) -> Iterator[Problem]:
    """Report what the parameters of a request, the innermost last, cannot have together."""
    found = _flattened(parameters)
    yield from _two_bodies(found)
    yield from _form_and_json(found)
    yield from two_types(found)


def two_types(parameters: Iterable[Parameter]) -> Iterator[Problem]:
    """Report one value of the session that is taken as different types."""
    takers: dict[str, Parameter] = {}
    for each in _flattened(parameters):
        if not each.where.startswith("session:"):
            continue
        other = takers.setdefault(each.where, each)
        kinds = (each.annotation, other.annotation)
        # Of what cannot be changed in place, no change can be lost.
        if kept_type(kinds[0]) != kept_type(kinds[1]) and any(map(can_change, kinds)):
            key = each.where.partition(":")[2]
            yield Problem(
                each.taken_by,
                f"parameter {each.name!r} takes session[{key!r}] as {_type(each)}, but parameter"
                f" {_name(other, each.taken_by)} as {_type(other)}: only one of the two could"
                " store its changes",
                "Use one type for the key, or another key for one of them.",
            )


def missing_bodies(method: str, where: str, parameters: Iterable[Parameter]) -> Iterator[Problem]:
    """Report parameters that need a body where a method has none; RFC 9110, section 9.3.1."""
    if method not in ("GET", "HEAD"):
        return
    for each in _flattened(parameters):
        if each.needs_body:
            yield Problem(
                where,
                f"parameter {_name(each, where)} reads the {each.source}, but a {method} request"
                " has no body",
                "Read the values from the query, as in page: int or Query[T]; or answer POST, or"
                " give the parameter a default.",
            )


def _flattened(parameters: Iterable[Parameter]) -> list[Parameter]:
    return [part for each in parameters for part in each.flattened()]


def _two_bodies(found: Sequence[Parameter]) -> Iterator[Problem]:
    """Report several bodies of one function; a guard may read the body as well."""
    names: dict[str, list[str]] = {}
    for each in found:
        if each.source == "body" and each.name not in names.setdefault(each.taken_by, []):
            names[each.taken_by].append(each.name)
    for where, several in names.items():
        if len(several) > 1:
            yield Problem(
                where,
                f"parameters {' and '.join(map(repr, several))} each read the whole body",
                "Use one Body[...] of a class that has both as its fields.",
            )


def _form_and_json(found: Sequence[Parameter]) -> Iterator[Problem]:
    """Report a body that is read both as JSON and as a form."""
    readers = [each for each in found if each.source in ("body", "form")]
    if len({each.source for each in readers}) < 2:
        return
    where = readers[-1].taken_by
    names = {
        source: [_name(each, where) for each in readers if each.source == source]
        for source in ("body", "form")
    }
    forms = " and ".join(dict.fromkeys(names["form"]))
    yield Problem(
        where,
        f"parameter {names['body'][0]} reads the body as JSON, and {forms} as a form, but a"
        " request has one body",
        "Use Body[...] for JSON, or Form[...] for all of a form's fields.",
    )


def _name(parameter: Parameter, where: str) -> str:
    """Name a parameter, and its function unless it is the one of the report."""
    name = repr(parameter.name)
    return name if parameter.taken_by == where else f"{name} of {parameter.taken_by}"


def _type(parameter: Parameter) -> str:
    base, limits = kept_type(parameter.annotation)
    return " with ".join([describe(base), *map(repr, limits)])
