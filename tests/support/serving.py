"""Programs and applications under test, served for real on a free port of the loopback address."""

import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from http.client import HTTPConnection
from pathlib import Path
from types import TracebackType
from typing import IO
from urllib.parse import urlsplit
from wsgiref.types import WSGIApplication

from werkzeug.serving import make_server

SECONDS = 20.0

FRAMEWORK = str(Path(sys.executable).with_name("framework"))

# Where the tests run in the background, Ctrl-C is ignored, and programs inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


class Program:
    """A running program whose output is read line by line."""

    def __init__(
        self, *command: str, folder: Path, environment: Mapping[str, str] | None = None
    ) -> None:
        self._lines: queue.Queue[str | None] = queue.Queue()
        self.process = subprocess.Popen(
            command,
            cwd=folder,
            env=_clean_environment() | dict(environment or {}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            # A group of its own, so that the end of the test ends the reloader's child too.
            start_new_session=True,
        )
        self.output: list[str] = []
        self._reader = threading.Thread(target=self._read, args=(self.process.stdout,), daemon=True)
        self._reader.start()

    def __enter__(self) -> "Program":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(SECONDS)
        self._reader.join(SECONDS)

    def wait_for(self, text: str) -> str:
        """Return the next line that contains a text."""
        with suppress(queue.Empty):
            while (line := self._lines.get(timeout=SECONDS)) is not None:
                if text in line:
                    return line
        raise AssertionError(f"{text!r} never came, but:\n{''.join(self.output)}")

    def url(self) -> str:
        """Return the address of the next "Serving on" line."""
        return self.wait_for("Serving on ").split()[2]

    def stop(self, number: signal.Signals = signal.SIGINT) -> int:
        """Send a signal to the whole group, as a terminal does, and return the exit status."""
        os.killpg(self.process.pid, number)
        return self.finish()

    def finish(self) -> int:
        """Wait for the end of the program and return its exit status."""
        status = self.process.wait(SECONDS)
        self._reader.join(SECONDS)
        return status

    def _read(self, stream: IO[str] | None) -> None:
        for line in stream or ():
            self.output.append(line)
            self._lines.put(line)
        self._lines.put(None)


class Visitor:
    """A client over the network that keeps the cookies of one site."""

    def __init__(self) -> None:
        self.cookies: dict[str, str] = {}

    def get(self, url: str) -> tuple[int, str]:
        """Send a GET request and return the status and the body."""
        parts = urlsplit(url)
        connection = HTTPConnection(parts.hostname or "", parts.port, timeout=SECONDS)
        cookie = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        connection.request("GET", parts.path or "/", headers={"Cookie": cookie} if cookie else {})
        response = connection.getresponse()
        for header in response.headers.get_all("Set-Cookie", ()):
            name, _, rest = header.partition("=")
            self.cookies[name] = rest.partition(";")[0]
        body = response.read().decode()
        connection.close()
        return response.status, body


@contextmanager
def served(
    application: WSGIApplication, *, certificate: tuple[str, str] | None = None
) -> Iterator[str]:
    """Serve an application from a thread of this process, and yield its address."""
    server = make_server("127.0.0.1", 0, application, threaded=True, ssl_context=certificate)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"{'https' if certificate else 'http'}://127.0.0.1:{server.port}"
    finally:
        server.shutdown()
        thread.join(SECONDS)


def _clean_environment() -> dict[str, str]:
    """Return the environment without variables that change sessions."""
    own = {"SESSION_KEYS", "WERKZEUG_RUN_MAIN", "WERKZEUG_SERVER_FD"}
    kept = {name: value for name, value in os.environ.items() if name not in own}
    return kept | {"PYTHONUNBUFFERED": "1"}
