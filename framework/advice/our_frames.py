"""The frames of a traceback that belong to the two packages, and not to the application."""

import linecache
import os
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

_PACKAGES = Path(__file__).parent.parent.parent
_OURS = tuple(f"{_PACKAGES / name}{os.sep}" for name in ("framework", "sessions"))


def frames_of(trace: TracebackType | None) -> Iterator[TracebackType]:
    """Yield the frames of a traceback, the outermost first."""
    while trace is not None:
        yield trace
        trace = trace.tb_next


def is_ours(frame: TracebackType) -> bool:
    """Return whether a frame belongs to the package `framework` or `sessions`."""
    return frame.tb_frame.f_code.co_filename.startswith(_OURS)


def is_deliberate(frame: TracebackType) -> bool:
    """Return whether a frame belongs to `framework` or `sessions`, and ran a `raise` statement."""
    line = linecache.getline(frame.tb_frame.f_code.co_filename, frame.tb_lineno)
    return is_ours(frame) and line.lstrip().startswith("raise ")


def is_all_ours(error: BaseException) -> bool:
    """Return whether a traceback shows no line of the application's code."""
    return all(map(is_ours, frames_of(error.__traceback__)))
