"""Report components and middleware that nothing uses, and folders that do not exist."""

from framework.around.middleware import note_lost_middleware
from framework.injection.graph import Graph
from framework.lints.program import Program
from framework.report import Report, call_site
from framework.static import note_wrong_folders
from framework.types.signatures import describe
from sessions.container import CookieSettings
from sessions.stores.base import AsyncStore, Store

# The parts of a SessionContainer, and the arguments that take them.
_PARTS: dict[type, str] = {CookieSettings: "cookie", Store: "store", AsyncStore: "store"}


def note_no_controller(program: Program, report: Report) -> None:
    """Report that the application has no controller."""
    # Another mistake may be the reason why a part is not a controller.
    if not program.controllers and not report.mistakes:
        report.note(
            f"Application(…){call_site()}",
            "no controller is given, so the application answers no request",
            "Give classes decorated with @controller, or the modules that define them.",
        )


def note_unused(program: Program, report: Report) -> None:
    """Report unused middleware and components, and folders that do not exist; call this last."""
    note_lost_middleware(program.graph, program.middleware, report)
    note_wrong_folders(program.handlers, program.graph, report)
    _note_parts_of_sessions(program.graph, report)
    program.graph.note_unused()


def _note_parts_of_sessions(graph: Graph, report: Report) -> None:
    """Report session settings that have no effect, because no SessionContainer takes them."""
    for keys, where, value in graph.unasked():
        kind = value if isinstance(value, type) else type(value)
        argument = next((name for part, name in _PARTS.items() if issubclass(kind, part)), None)
        if argument is not None:
            report.note(
                where,
                f"nothing asks for {describe(keys[0])}, so it changes nothing",
                f"Return a SessionContainer(keys=..., {argument}=...) from the method, with the"
                f" {kind.__name__} in {argument}.",
            )
