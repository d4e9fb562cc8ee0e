"""A server for tests that speaks MongoDB's protocol, on a free port, in a folder of its own.

There is no MongoDB server that pip or apt installs, so SecantusDB stands in for it.
`SESSIONS_TEST_MONGODB_URL` names a real one, for the tests that break nothing.
"""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

REAL_URL = os.environ.get("SESSIONS_TEST_MONGODB_URL")
WHY_NOT = "no server that speaks MongoDB's protocol is here: pip install secantusdb"


def has_server() -> bool:
    """Return whether a server can be started."""
    return find_spec("secantus") is not None


class MongoServer:
    """A server that a test starts, stops, breaks and starts again."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Return the URL of a database."""
        return url_of(self.port)

    def start(self) -> None:
        """Start the server and wait until it listens."""
        command = [sys.executable, "-m", "secantus", "--standalone", "--host", "127.0.0.1"]
        command += ["--port", str(self.port), "--storage-path", str(self._folder / "data")]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(command, cwd=self._folder, stdout=log, stderr=log)
        deadline = time.monotonic() + 30
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            except OSError:
                assert self._process.poll() is None, (self._folder / "log").read_text()
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.02)
            else:
                return

    def stop(self) -> None:
        """End the server at once."""
        if self._process is not None:
            self._process.send_signal(signal.SIGCONT)
            self._process.kill()
            self._process.wait()
            self._process = None

    def freeze(self) -> None:
        """Let the server keep its connections and answer nobody."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let the server go on."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: int) -> None:
        assert self._process is not None
        self._process.send_signal(number)


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
