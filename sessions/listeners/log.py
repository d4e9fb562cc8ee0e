"""A listener that writes one line of the log for each event."""

import logging
import re
from collections.abc import Callable, Mapping
from time import monotonic

from sessions.core.locks import lock_across_forks
from sessions.errors import ConfigurationError
from sessions.events import EventKind, SessionEvent

__all__ = ["LoggingListener"]

LEVELS: Mapping[str, int] = {
    "loaded": logging.DEBUG,
    "conflict": logging.DEBUG,
    "ambiguous": logging.WARNING,
    "insecure": logging.WARNING,
    "misplaced": logging.WARNING,
    "unreadable": logging.ERROR,
    "store_failed": logging.ERROR,
}
"""The log level of each kind of event; INFO for the others."""

_WORD = re.compile(r"[\w.@+/-]+")

_counting = lock_across_forks()


class LoggingListener:
    """Write each event as one line; at most `per_second` lines a second for each kind of event.

    Control characters are escaped. If lines were left out, the next line says how many.
    """

    def __init__(
        self,
        logger: logging.Logger | None = None,
        *,
        levels: Mapping[EventKind, int] | None = None,
        per_second: int = 100,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        if isinstance(per_second, bool) or not isinstance(per_second, int) or per_second < 1:
            raise ConfigurationError(
                f"LoggingListener: per_second={per_second!r} is not a number of lines. Fix: give a"
                " whole number of at least 1"
            )
        self._logger = logging.getLogger("sessions.events") if logger is None else logger
        self._levels = {**LEVELS, **{f"{kind}": level for kind, level in (levels or {}).items()}}
        self._per_second = per_second
        self._clock = clock
        # For each kind: a second, how many lines it has, and how many lines were left out.
        self._written: dict[str, tuple[int, int, int]] = {}

    def __call__(self, event: SessionEvent) -> None:
        """Write the line of an event."""
        level = self._levels.get(event.kind, logging.INFO)
        if not self._logger.isEnabledFor(level):
            return
        left_out = self._left_out(event.kind)
        if left_out is not None:
            more = f" ({left_out} earlier lines were left out)" if left_out else ""
            self._logger.log(level, "%s%s", line_of(event), more)

    def _left_out(self, kind: str) -> int | None:
        """Return how many lines were left out before this line, or None to leave this line out."""
        now = int(self._clock())
        with _counting:
            second, lines, left_out = self._written.get(kind, (now, 0, 0))
            if second != now:
                second, lines = now, 0
            if lines >= self._per_second:
                self._written[kind] = (second, lines, left_out + 1)
                return None
            self._written[kind] = (second, lines + 1, 0)
            return left_out


def line_of(event: SessionEvent) -> str:
    """Return the event as one line, such as `session destroyed reason=logout handle=…: …`."""
    known = {"reason": event.reason, "handle": event.handle, "user": event.user_id}
    fields = "".join(f" {name}={quoted(f'{value}')}" for name, value in known.items() if value)
    return f"session {event.kind}{fields}: {escaped(event.detail)}"


def quoted(text: str) -> str:
    """Return the text of a field; a text that is not a plain word is put into quotes."""
    if _WORD.fullmatch(text):
        return text
    return '"' + escaped(text).replace('"', '\\"') + '"'


def escaped(text: str) -> str:
    """Return the text with escapes for control characters, line ends and backslashes."""
    return "".join(
        one if one.isprintable() and one != "\\" else one.encode("unicode_escape").decode()
        for one in text
    )
