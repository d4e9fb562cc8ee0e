"""The report of an error that ends a program, such as `python app.py`, says how to correct it.

The commands and the log say the same; here Python itself writes the report.
"""

import linecache
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

from framework.advice.errors import note_remedy
from framework.report import StartupError

_PACKAGES = Path(__file__).parent.parent.parent
_OURS = tuple(f"{_PACKAGES / name}{os.sep}" for name in ("framework", "sessions"))


def explain_uncaught_errors() -> None:
    """Add what is known about an error before Python, or a hook that was there, reports it."""
    report = sys.excepthook
    # A module may be imported anew, as tests do.
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
    """Leave out our frames that end in a deliberate error: the user's line is the last one then."""
    frames = list(_frames(trace))
    is_deliberate = isinstance(error, StartupError) or (frames and _raises(frames[-1]))
    kept = len(frames)
    while is_deliberate and kept and _is_ours(frames[kept - 1]):
        kept -= 1
    if kept in (0, len(frames)):
        return trace
    shown: TracebackType | None = None
    for frame in reversed(frames[:kept]):
        shown = TracebackType(shown, frame.tb_frame, frame.tb_lasti, frame.tb_lineno)
    return shown


def _frames(trace: TracebackType | None) -> Iterator[TracebackType]:
    while trace is not None:
        yield trace
        trace = trace.tb_next


def _is_ours(frame: TracebackType) -> bool:
    return frame.tb_frame.f_code.co_filename.startswith(_OURS)


def _raises(frame: TracebackType) -> bool:
    line = linecache.getline(frame.tb_frame.f_code.co_filename, frame.tb_lineno)
    return line.lstrip().startswith("raise ")
