"""One request of the development server: its log line, its version of HTTP, and its end."""

import re
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from werkzeug.serving import WSGIRequestHandler

# The sequences that begin and end a colour: ECMA-48, 8.3.117.
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


class Requests:
    """Count the requests that are being answered."""

    def __init__(self) -> None:
        self._count = 0
        self._changed = threading.Condition()

    @property
    def count(self) -> int:
        """Return the number of requests that are being answered now."""
        return self._count

    @contextmanager
    def one_more(self) -> Iterator[None]:
        """Count a request in the `with` block."""
        with self._changed:
            self._count += 1
        try:
            yield
        finally:
            with self._changed:
                self._count -= 1
                self._changed.notify_all()

    def wait(self, seconds: float) -> None:
        """Wait until every request has its answer, but at most `seconds`."""
        with self._changed:
            self._changed.wait_for(lambda: self._count == 0, seconds)


def handler_of(requests: Requests) -> type[WSGIRequestHandler]:
    """Return a handler class whose requests are counted."""

    class Handler(WSGIRequestHandler):
        """Answer one request of a connection."""

        def run_wsgi(self) -> None:
            """Answer the request in the HTTP version that the request has."""
            if self.request_version < "HTTP/1.1":
                # HTTP/1.0 knows neither chunks (RFC 9112, 6.1) nor 100 Continue (RFC 9110, 10.1.1).
                self.protocol_version = "HTTP/1.0"
                del self.headers["Expect"]
            with requests.one_more():
                super().run_wsgi()

        def log(self, type: str, message: str, *args: Any) -> None:
            """Write one line of the log; remove its colours unless the output is a terminal."""
            if not sys.stdout.isatty():
                args = tuple(_COLOUR.sub("", arg) if isinstance(arg, str) else arg for arg in args)
            super().log(type, message, *args)

    # Without this, Werkzeug sets the version on the class when it makes a server.
    Handler.protocol_version = "HTTP/1.1"
    return Handler
