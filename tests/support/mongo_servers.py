"""A server for tests that speaks MongoDB's protocol, on a free port, in a folder of its own.

There is no MongoDB server that pip or apt installs, so SecantusDB stands in for it.
`SESSIONS_TEST_MONGODB_URL` names a real one, for the tests that break nothing.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from tests.support.processes import LocalServer, wait_for_port

REAL_URL = os.environ.get("SESSIONS_TEST_MONGODB_URL")
WHY_NOT = "no server that speaks MongoDB's protocol is here: pip install secantusdb"


def has_server() -> bool:
    """Return whether a server can be started."""
    return find_spec("secantus") is not None


class MongoServer(LocalServer):
    """A server that a test starts, stops, breaks and starts again."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder

    @property
    def url(self) -> str:
        """Return the URL of a database."""
        return url_of(self.port)

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
