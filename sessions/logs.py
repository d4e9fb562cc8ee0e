"""Keep the ids of sessions out of access logs, because a URL can contain an id."""

import logging
import re
from collections.abc import Callable, Iterator, Mapping

from sessions.transports.url import spelled

HIDDEN = "hidden"

# A URL inside of another URL has its percent signs escaped once more for each level.
_PERCENT = "%(?:25)*"
_PLAIN = (int, float, type(None))


class _Hidden(Mapping[str, object]):
    """The arguments of a log line, without ids.

    In the mapping of gunicorn and other servers, a lookup finds more names than a loop over the
    mapping. So a copy of the mapping would lose values. A value is looked up, and its ids are
    hidden, when the log line needs the value.
    """

    def __init__(self, arguments: Mapping[str, object], hidden: Callable[[object], object]) -> None:
        self._arguments = arguments
        self._hide = hidden

    def __getitem__(self, name: str) -> object:
        return self._hide(self._arguments[name])

    def __iter__(self) -> Iterator[str]:
        return iter(self._arguments)

    def __len__(self) -> int:
        return len(self._arguments)


class HideIds(logging.Filter):
    """Write `wSession=hidden` in place of an id in a log line.

    Add the filter to the logger or the handler of the server's access log:
    `logging.getLogger("uvicorn.access").addFilter(HideIds())`. Give the same `parameter` as to
    `URLTransport`. The filter finds an id even if the name of the parameter has percent escapes, or
    if the URL is a parameter of another URL.
    """

    def __init__(self, parameter: str = "wSession") -> None:
        super().__init__()
        before = f"^|[^A-Za-z0-9_-]|{_PERCENT}[0-9A-Fa-f]{{2}}"
        name = f"{spelled(parameter, _PERCENT)}(?:=|{_PERCENT}3[Dd])"
        # A signature, a quote or a space ends the value in every usual form of log lines.
        self._value = re.compile(rf"((?:{before}){name})[^&#;\s\"'<>]+")

    def filter(self, record: logging.LogRecord) -> bool:
        """Hide the ids in the message and in its arguments; return True to log the message."""
        arguments = record.args
        record.msg = self.hidden(record.msg)
        if isinstance(arguments, Mapping):
            record.args = _Hidden(arguments, self.hidden)
        elif isinstance(arguments, tuple):
            record.args = tuple(map(self.hidden, arguments))
        return True

    def hidden(self, value: object) -> object:
        """Return the text of a value, even of an object such as a URL, with the ids hidden.

        A value without ids is returned as it is.
        """
        if isinstance(value, _PLAIN):
            return value
        try:
            text = f"{value}"
        # The application's object cannot become a text. The log handler reports this error.
        except Exception:  # noqa: BLE001
            return value
        hidden = self._value.sub(rf"\1{HIDDEN}", text)
        return value if hidden == text else hidden
