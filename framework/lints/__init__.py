"""Checks that only start-up can make, because they need the whole program; see `LINTS`."""

from collections.abc import Callable

from framework.lints.clashes import note_clashes
from framework.lints.decorators import note_misplaced, note_undecorated
from framework.lints.functions import note_functions
from framework.lints.lost_definitions import note_lost
from framework.lints.lost_variables import note_lost_variables
from framework.lints.program import Program
from framework.lints.session_classes import note_session_classes
from framework.lints.taken_parameters import note_taken
from framework.lints.unfilled import note_unfilled
from framework.lints.unused import note_no_controller, note_unused
from framework.report import Report

__all__ = ["Program", "check_program"]

LINTS: tuple[Callable[[Program, Report], None], ...] = (
    note_undecorated,
    note_misplaced,
    note_functions,
    note_no_controller,
    note_lost,
    note_lost_variables,
    note_unfilled,
    note_clashes,
    note_taken,
    note_session_classes,
    note_unused,
)


def check_program(program: Program, report: Report) -> None:
    """Report every mistake that can be found only by looking at the whole program."""
    for lint in LINTS:
        lint(program, report)
