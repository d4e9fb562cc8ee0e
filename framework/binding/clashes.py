"""Parameters that no request can fill together, such as two bodies."""

from collections.abc import Iterable, Iterator, Sequence

from framework.binding.body import BodyMarker
from framework.binding.form import FormMarker
from framework.binding.session_value import SessionValueMarker, kept_type
from framework.binding.source import Parameter
from framework.report import Mistake
from framework.types.fitting import can_change
from framework.types.signatures import describe


def clashes(parameters: Iterable[Parameter]) -> Iterator[Mistake]:
    """Yield what the parameters of a request, the innermost last, cannot have together.

    Each mistake knows its place: the parameters may be of several functions.
    """
    found = _flattened(parameters)
    yield from _two_bodies(found)
    yield from _form_and_json(found)
    yield from two_types(found)


def two_types(parameters: Iterable[Parameter]) -> Iterator[Mistake]:
    """Report one value of the session that is taken as different types."""
    takers: dict[str, Parameter] = {}
    for part in _flattened(parameters):
        if not isinstance(part.marker, SessionValueMarker):
            continue
        other = takers.setdefault(part.where, part)
        kinds = (part.field.annotation, other.field.annotation)
        # A value that cannot be changed in place cannot lose a change.
        if kept_type(kinds[0]) != kept_type(kinds[1]) and any(map(can_change, kinds)):
            key = part.where.partition(":")[2]
            yield Mistake(
                f"parameter {part.name!r} takes session[{key!r}] as {_type(part)}, but parameter"
                f" {_name(other, part.taken_by)} as {_type(other)}: only one of the two could"
                " store its changes",
                "Use one type for the key, or another key for one of them.",
                where=part.taken_by,
            )


def missing_bodies(method: str, where: str, parameters: Iterable[Parameter]) -> Iterator[Mistake]:
    """Report parameters that need a body where a method has none; RFC 9110, section 9.3.1."""
    if method not in ("GET", "HEAD"):
        return
    for part in _flattened(parameters):
        if part.requires_body:
            yield Mistake(
                f"parameter {_name(part, where)} reads the {part.source}, but a {method} request"
                " has no body",
                "Read the values from the query, as in page: int or Query[T]; or answer POST, or"
                " give the parameter a default.",
                where=where,
            )


def _flattened(parameters: Iterable[Parameter]) -> list[Parameter]:
    return [part for parameter in parameters for part in parameter.flattened()]


def _two_bodies(found: Sequence[Parameter]) -> Iterator[Mistake]:
    """Report several bodies of one function; a guard may read the body as well."""
    names: dict[str, list[str]] = {}
    for candidate in found:
        if isinstance(candidate.marker, BodyMarker) and candidate.name not in names.setdefault(
            candidate.taken_by, []
        ):
            names[candidate.taken_by].append(candidate.name)
    for where, several in names.items():
        if len(several) > 1:
            yield Mistake(
                f"parameters {' and '.join(map(repr, several))} each read the whole body",
                "Use one Body[...] of a class that has both as its fields.",
                where=where,
            )


def _form_and_json(found: Sequence[Parameter]) -> Iterator[Mistake]:
    """Report a body that is read both as JSON and as a form."""
    json = [candidate for candidate in found if isinstance(candidate.marker, BodyMarker)]
    forms = [candidate for candidate in found if isinstance(candidate.marker, FormMarker)]
    if not json or not forms:
        return
    readers = [
        candidate for candidate in found if isinstance(candidate.marker, BodyMarker | FormMarker)
    ]
    where = readers[-1].taken_by
    shown = " and ".join(dict.fromkeys(_name(form, where) for form in forms))
    yield Mistake(
        f"parameter {_name(json[0], where)} reads the body as JSON, and {shown} as a form, but a"
        " request has one body",
        "Use Body[...] for JSON, or Form[...] for all of a form's fields.",
        where=where,
    )


def _name(parameter: Parameter, where: str) -> str:
    """Name a parameter, and its function unless it is the one of the report."""
    name = repr(parameter.name)
    return name if parameter.taken_by == where else f"{name} of {parameter.taken_by}"


def _type(parameter: Parameter) -> str:
    base, limits = kept_type(parameter.field.annotation)
    return " with ".join([describe(base), *map(repr, limits)])
