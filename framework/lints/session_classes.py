"""Parameters annotated with a session class that the application does not use."""

from collections.abc import Iterator
from itertools import chain

from framework.binding.session import SessionMarker, is_session
from framework.binding.source import Parameter
from framework.dispatch.handlers import Handler
from framework.lints.program import Program
from framework.report import Report
from framework.types.signatures import bare, describe


def note_session_classes(program: Program, report: Report) -> None:
    """Report each parameter annotated with a session class that the application does not use."""
    if program.sessions is None:
        return
    made = program.sessions.container.session_class
    for parameter in dict.fromkeys(chain.from_iterable(map(_sessions, program.handlers))):
        kind, _ = bare(parameter.field.annotation)
        if is_session(kind) and not issubclass(made, kind):
            name, written = parameter.name, describe(kind)
            report.note(
                parameter.taken_by,
                f"parameter {name!r} is {written}, but the sessions of the application are of the"
                f" class {describe(made)}",
                f"Give SessionContainer(session_class={written}) in a configuration class, or write"
                f" {name}: session.",
            )


def _sessions(handler: Handler) -> Iterator[Parameter]:
    guards, catchers = handler.guards, handler.catchers
    for plan in (handler.plan, *(one.plan for one in guards), *(one.plan for one in catchers)):
        for parameter in plan.parameters:
            for part in parameter.flattened():
                if isinstance(part.marker, SessionMarker):
                    yield part
