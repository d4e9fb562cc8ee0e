"""Parameters that no request can fill together, such as two bodies."""

from collections.abc import Iterable, Iterator, Sequence

from framework.binding.body import BodyMarker
from framework.binding.form import FormMarker
from framework.binding.session_value import SessionValueMarker, kept_type
from framework.binding.source import Parameter
from framework.report import Mistake
from framework.types.fitting import can_change
from framework.types.signatures import describe

BODILESS = ("GET", "HEAD")
"""The methods whose requests have no body."""


def clashes(parameters: Iterable[Parameter]) -> Iterator[Mistake]:
    """Yield a mistake for parameters that no request can fill together.

    The handler's parameters come last in `parameters`. Each mistake has its own file and line,
    because the parameters may belong to several functions.
    """
    found = _flattened(parameters)
    yield from _two_bodies(found)
    yield from _form_and_json(found)
    yield from two_types(found)


def two_types(parameters: Iterable[Parameter]) -> Iterator[Mistake]:
    """Yield a mistake for parameters that take one value of the session as different types."""
    takers: dict[str, Parameter] = {}
    for parameter in _flattened(parameters):
        if not isinstance(parameter.marker, SessionValueMarker):
            continue
        other = takers.setdefault(parameter.where, parameter)
        kinds = (parameter.field.annotation, other.field.annotation)
        # If a value cannot be changed in place, no change of the value can be lost.
        if kept_type(kinds[0]) != kept_type(kinds[1]) and any(map(can_change, kinds)):
            key = parameter.where.partition(":")[2]
            yield Mistake(
                f"parameter {parameter.name!r} takes session[{key!r}] as {_type(parameter)}, but"
                f" parameter {_name(other, parameter.taken_by)} takes this value as"
                f" {_type(other)}, so a change by one parameter would overwrite a change by the"
                " other",
                "Annotate both parameters with the same type, or use two different keys.",
                where=parameter.taken_by,
            )


def missing_bodies(method: str, where: str, parameters: Iterable[Parameter]) -> Iterator[Mistake]:
    """Yield a mistake for each parameter that needs a body that the HTTP method does not have.

    Source: RFC 9110, 9.3.1.
    """
    if method not in BODILESS:
        return
    for parameter in _flattened(parameters):
        if parameter.requires_body:
            yield Mistake(
                f"parameter {_name(parameter, where)} reads the {parameter.source}, but a"
                f" {method} request has no body",
                "Read the values from the query, as in page: int or Query[T]. Or write @post, or"
                " give the parameter a default.",
                where=where,
            )


def _flattened(parameters: Iterable[Parameter]) -> list[Parameter]:
    return [part for parameter in parameters for part in parameter.flattened()]


def _two_bodies(found: Sequence[Parameter]) -> Iterator[Mistake]:
    """Yield a mistake for each function with two parameters that read the whole body.

    A guard and a handler can both read the body, because they are two functions.
    """
    names: dict[str, list[str]] = {}
    for parameter in found:
        if isinstance(parameter.marker, BodyMarker) and parameter.name not in names.setdefault(
            parameter.taken_by, []
        ):
            names[parameter.taken_by].append(parameter.name)
    for where, several in names.items():
        if len(several) > 1:
            yield Mistake(
                f"parameters {' and '.join(map(repr, several))} each read the whole body",
                "Write one class that has both values as fields, and use one Body[...] of this"
                " class.",
                where=where,
            )


def _form_and_json(found: Sequence[Parameter]) -> Iterator[Mistake]:
    """Report a body that is read both as JSON and as a form."""
    json = [parameter for parameter in found if isinstance(parameter.marker, BodyMarker)]
    forms = [parameter for parameter in found if isinstance(parameter.marker, FormMarker)]
    if not json or not forms:
        return
    readers = [
        parameter for parameter in found if isinstance(parameter.marker, BodyMarker | FormMarker)
    ]
    where = readers[-1].taken_by
    shown = " and ".join(dict.fromkeys(_name(parameter, where) for parameter in forms))
    yield Mistake(
        f"parameter {_name(json[0], where)} reads the body as JSON, and {shown} as a form, but a"
        " request has one body",
        "Use Body[...] for JSON, or Form[...] for all of a form's fields.",
        where=where,
    )


def _name(parameter: Parameter, where: str) -> str:
    """Return the name of a parameter, and of its function unless `where` is this function."""
    name = repr(parameter.name)
    return name if parameter.taken_by == where else f"{name} of {parameter.taken_by}"


def _type(parameter: Parameter) -> str:
    base, limits = kept_type(parameter.field.annotation)
    return " with ".join([describe(base), *map(repr, limits)])
