"""Parts of a program that nothing uses: components, replacements, middleware, folders."""

from framework.around.middleware import note_lost_middleware
from framework.lints.program import Program
from framework.report import Report, call_site
from framework.static import note_wrong_folders


def note_no_controller(program: Program, report: Report) -> None:
    """Note that the application has no controller."""
    # Another mistake may be the reason why a part is not a controller.
    if not program.controllers and not report.mistakes:
        report.note(
            f"Application(…){call_site()}",
            "no controller is given, so the application answers no request",
            "Give classes decorated with @controller, or the modules that define them.",
        )


def note_unused(program: Program, report: Report) -> None:
    """Note middleware, folders and components that nothing uses; call this last."""
    note_lost_middleware(program.graph, program.middleware, report)
    note_wrong_folders(program.handlers, program.graph, report)
    program.graph.note_unused()
