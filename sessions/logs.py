"""Keep the ids of sessions out of access logs, for sessions whose id may be in a URL."""

import logging
import re
from collections.abc import Mapping

HIDDEN = "hidden"


class HideIds(logging.Filter):
    """Write `wSession=hidden` in place of an id in a log line.

    Add it to the logger or the handler of the server's access log:
    `logging.getLogger("uvicorn.access").addFilter(HideIds())`. `parameter` is the
    `parameter` of the `URLTransport`.
    """

    def __init__(self, parameter: str = "wSession") -> None:
        super().__init__()
        # A signature, a quote or a space ends the value in every usual form of log lines.
        self._value = re.compile(rf"(?<![A-Za-z0-9_-])({re.escape(parameter)}=)[^&#;\s\"'<>]+")

    def filter(self, record: logging.LogRecord) -> bool:
        """Hide the ids in the message and in its arguments; no line is left out."""
        arguments = record.args
        if isinstance(arguments, Mapping):
            # A server may give a mapping of its own, which only its own format can read.
            record.msg, record.args = self.hidden(record.getMessage()), None
            return True
        record.msg = self.hidden(record.msg)
        if isinstance(arguments, tuple):
            record.args = tuple(map(self.hidden, arguments))
        return True

    def hidden(self, value: object) -> object:
        """Return a text without ids, and any other value as it is."""
        return self._value.sub(rf"\1{HIDDEN}", value) if isinstance(value, str) else value
