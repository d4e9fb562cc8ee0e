"""A server for tests that speaks MongoDB's protocol, on a free port, in a folder of its own.

There is no MongoDB server that pip or apt installs, so SecantusDB stands in for it.
`SESSIONS_TEST_MONGODB_URL` names a real one, for the tests that break nothing.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from tests.support.processes import free_port, freeze, thaw, wait_for_port

REAL_URL = os.environ.get("SESSIONS_TEST_MONGODB_URL")
WHY_NOT = "no server that speaks MongoDB's protocol is here: pip install secantusdb"


def has_server() -> bool:
    """Return whether a server can be started."""
    return find_spec("secantus") is not None


class MongoServer:
    """A server that a test starts, stops, breaks and starts again."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Return the URL of a database."""
        return url_of(self.port)

    @property
    def process(self) -> int:
        """Return the id of the running process."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start the server and wait until it listens."""
        command = [sys.executable, "-m", "secantus", "--standalone", "--host", "127.0.0.1"]
        command += ["--port", str(self.port), "--storage-path", str(self._folder / "data")]
        log = self._folder / "log"
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                command, cwd=self._folder, stdout=output, stderr=output
            )
        wait_for_port(self.port, self._process.poll, log)

    def stop(self) -> None:
        """End the server at once."""
        if self._process is not None:
            self._process.send_signal(signal.SIGCONT)
            self._process.kill()
            self._process.wait()
            self._process = None

    def freeze(self) -> None:
        """Let the server keep its connections and answer nobody."""
        freeze(self.process)

    def thaw(self) -> None:
        """Let the server go on."""
        thaw(self.process)


@contextmanager
def mongo_server(folder: Path) -> Iterator[MongoServer]:
    """Give a running server."""
    server = MongoServer(folder)
    server.start()
    try:
        yield server
    finally:
        server.stop()


def url_of(port: int) -> str:
    """Return the URL of a database on this port, and on no other that the server may name."""
    return f"mongodb://127.0.0.1:{port}/shop?directConnection=true"
