"""Parts of a program that nothing uses: components, replacements, middleware, folders."""

from framework.around.middleware import note_lost_middleware
from framework.lints.program import Program
from framework.report import Report
from framework.static import note_wrong_folders


def note_no_controller(program: Program, report: Report) -> None:
    """Note that there is nothing to answer."""
    # A part with a mistake may be the missing controller.
    if not program.controllers and not report.mistakes:
        report.note(
            "Application(…)",
            "no controller is given, so there is nothing to answer",
            "Give classes decorated with @controller, or the modules that define them.",
        )


def note_unused(program: Program, report: Report) -> None:
    """Note what was meant for something that nothing asks for, once everything has asked."""
    note_lost_middleware(program.graph, program.middleware, report)
    note_wrong_folders(program.handlers, program.graph, report)
    program.graph.note_unused()
