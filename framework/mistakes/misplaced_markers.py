"""Markers where they mark nothing: a marker stands beside a type, inside `Annotated`."""

from typing import Annotated, get_args, get_origin

from framework import parameters
from framework.annotations.signatures import EMPTY, Declared, describe
from framework.markers import Marker, Unbindable
from framework.sources.brackets import Brackets

# What makes a marker once it is called.
_FUNCTIONS = (
    parameters.query,
    parameters.header,
    parameters.cookie,
    parameters.form,
    parameters.session_value,
)


def refuse_misplaced(declared: Declared) -> None:
    """Raise `Unbindable` for a marker in another place, or for what only looks like one."""
    name, annotation = declared.name, declared.annotation
    written = "T" if annotation is EMPTY else describe(annotation)
    for each in declared.metadata:
        if not isinstance(each, Marker) and (shown := _shown(each)):
            raise Unbindable(
                f"the Annotated type of parameter {name!r} holds {shown},"
                " which marks nothing there",
                f"Write {_beside(each, written, name)}.",
            )
    # The markers with brackets, but without a type in them, are another mistake.
    if not isinstance(annotation, Brackets) and (shown := _shown(annotation)):
        raise Unbindable(
            f"the annotation of parameter {name!r} is {shown}, which is a marker and no type",
            f"Write {name}: {_beside(annotation, 'T', name)} with the type of the value as T.",
        )
    if shown := _shown(declared.default):
        right = _beside(declared.default, written, name)
        raise Unbindable(
            f"the default of parameter {name!r} is {shown}, which marks nothing there",
            f"Write {name}: {right}, or {name}: {right} = … with a default value.",
        )


def _shown(value: object) -> str | None:
    """Write a marker as its author did; None for anything else."""
    if isinstance(value, Marker):
        is_silent = type(value).__repr__ is object.__repr__
        return f"{describe(type(value))}()" if is_silent else repr(value)
    if isinstance(value, Brackets):
        return repr(value)
    function = next((each for each in _FUNCTIONS if each is value), None)
    if function is not None:
        return function.__name__
    is_marked = get_origin(value) is Annotated and isinstance(get_args(value)[-1], Marker)
    return describe(value) if is_marked else None


def _beside(value: object, written: str, name: str) -> str:
    """Write a marker beside a type, or the type in its brackets."""
    shown = _shown(value)
    if isinstance(value, Brackets):
        return f"{shown}[{written}]"
    if get_origin(value) is Annotated:
        return f"{shown}"
    if value is parameters.session_value:
        return f'Annotated[{written}, session_value("{name}")]'
    return f"Annotated[{written}, {shown}{'' if isinstance(value, Marker) else '()'}]"
