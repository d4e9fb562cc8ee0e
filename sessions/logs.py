"""Keep the ids of sessions out of access logs, for sessions whose id may be in a URL."""

import logging
import re
from collections.abc import Mapping

from sessions.transports.url import spelled

HIDDEN = "hidden"

# A URL inside of another URL has its percent signs escaped once more for each level.
_PERCENT = "%(?:25)*"
_PLAIN = (int, float, type(None))


class HideIds(logging.Filter):
    """Write `wSession=hidden` in place of an id in a log line.

    Add it to the logger or the handler of the server's access log:
    `logging.getLogger("uvicorn.access").addFilter(HideIds())`. `parameter` is the
    `parameter` of the `URLTransport`. The name may have percent escapes, and the URL may be a
    parameter of another URL.
    """

    def __init__(self, parameter: str = "wSession") -> None:
        super().__init__()
        before = f"^|[^A-Za-z0-9_-]|{_PERCENT}[0-9A-Fa-f]{{2}}"
        name = f"{spelled(parameter, _PERCENT)}(?:=|{_PERCENT}3[Dd])"
        # A signature, a quote or a space ends the value in every usual form of log lines.
        self._value = re.compile(rf"((?:{before}){name})[^&#;\s\"'<>]+")

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
        """Return a text without ids, even for an object whose text has an id, such as a URL.

        Any other value is returned as it is.
        """
        if isinstance(value, _PLAIN):
            return value
        text = f"{value}"
        hidden = self._value.sub(rf"\1{HIDDEN}", text)
        return value if hidden == text else hidden
