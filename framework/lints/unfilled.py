"""Find class attributes that are annotated with the type of a component, but get no value."""

import inspect
import sys
from typing import Any, get_args

from framework.binding.source import Brackets, Marker
from framework.decorators import is_component, scope_of
from framework.lints.program import Program
from framework.report import Report
from framework.types.signatures import EMPTY, annotated_names

_FOREIGN = ("framework", "sessions", "werkzeug")


def note_unfilled(program: Program, report: Report) -> None:
    """Report an annotation such as `mailer: Inject[Mailer]` if nothing sets the attribute."""
    for target in program.classes:
        # A start hook may give an attribute its value.
        if scope_of(target) == "request" or hasattr(target, "on_start"):
            continue
        for base in target.__mro__:
            if base.__module__.partition(".")[0] not in _FOREIGN:
                _note_attributes(base, target, program, report)


def _note_attributes(base: type, target: type, program: Program, report: Report) -> None:
    names = [name for name in annotated_names(base) if _is_component(base, name)]
    if not names:
        return
    with report.at(target):
        filled: object = program.graph.get(target)
        for name in names:
            if not hasattr(filled, name):
                report.at(base).note(
                    f"nothing gives {base.__name__}.{name} its value: an annotation in a class"
                    " injects nothing",
                    f"Let the constructor take it, as in def __init__(self, {name}: ...), and set"
                    f" self.{name} = {name}.",
                )


def _is_component(base: type, name: str) -> bool:
    """Return whether an attribute's annotation is the class of a component, or has a marker."""
    annotation = _annotation(base, name)
    if isinstance(annotation, type):
        return is_component(annotation)
    is_marked = any(isinstance(element, Marker) for element in get_args(annotation)[1:])
    return is_marked or isinstance(annotation, Brackets)


def _annotation(base: type, name: str) -> Any:
    try:
        found: Any = inspect.get_annotations(base)[name]
        names = vars(sys.modules[base.__module__])
        # The text is the user's own code, which Python itself would evaluate, too.
        return eval(found, names, dict(vars(base))) if isinstance(found, str) else found  # noqa: S307
    # The annotation is the user's own code and may raise anything: most often, it names a type that
    # exists only for type checkers.
    except Exception:  # noqa: BLE001
        return EMPTY
