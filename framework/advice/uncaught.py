"""Uncaught errors: the report of an error that ends `python app.py` also says how to correct it.

The commands and the log give the same advice. But Python itself writes the report
of an error that ends `python app.py`, so this module adds the advice to this report.
"""

import sys
from types import TracebackType

from framework.advice.errors import note_remedy
from framework.advice.our_frames import frames_of, is_deliberate, is_ours
from framework.report import StartupError


def explain_uncaught_errors() -> None:
    """Add advice to uncaught errors; the earlier `sys.excepthook` still prints the traceback."""
    report = sys.excepthook
    # Tests import this module again, and then the hook is already there.
    if getattr(report, "__module__", None) == __name__:
        return

    def explained(
        kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        note_remedy(error)
        shown = _of_the_user(error, trace)
        report(kind, error.with_traceback(shown), shown)

    sys.excepthook = explained


def _of_the_user(error: BaseException, trace: TracebackType | None) -> TracebackType | None:
    """Return the traceback of an error, without frames that do not help the user.

    If the framework raised the error on purpose, the framework's frames at the end are left out.
    """
    frames = list(frames_of(trace))
    is_said = isinstance(error, StartupError) or (frames and is_deliberate(frames[-1]))
    kept = len(frames)
    while is_said and kept and is_ours(frames[kept - 1]):
        kept -= 1
    if kept in (0, len(frames)):
        return trace
    shown: TracebackType | None = None
    for frame in reversed(frames[:kept]):
        shown = TracebackType(shown, frame.tb_frame, frame.tb_lasti, frame.tb_lineno)
    return shown
