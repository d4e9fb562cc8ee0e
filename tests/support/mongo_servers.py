"""A server for tests that speaks MongoDB's protocol, on a free port, in a folder of its own.

There is no MongoDB server that pip or apt installs, so SecantusDB stands in for it. mongoeco is
another one, for a second opinion.
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


def why_no_mongoeco() -> str | None:
    """Return why mongoeco cannot be started, None if it can."""
    if find_spec("mongoeco") is not None:
        return None
    is_old = sys.version_info < (3, 13)
    return f"mongoeco {'needs Python 3.13' if is_old else 'is not here: pip install mongoeco'}"


class MongoServer(LocalServer):
    """A server that a test starts, stops, breaks and starts again."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder

    @property
    def url(self) -> str:
        """Return the URL of a database."""
        return url_of(self.port)

    def command(self) -> list[str]:
        """Return what starts the server."""
        command = [sys.executable, "-m", "secantus", "--standalone", "--host", "127.0.0.1"]
        return [*command, "--port", str(self.port), "--storage-path", str(self._folder / "data")]

    def start(self) -> None:
        """Start the server and wait until it listens."""
        log = self._folder / "log"
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                self.command(), cwd=self._folder, stdout=output, stderr=output
            )
        wait_for_port(self.port, self._process.poll, log)


class MongoecoServer(MongoServer):
    """A second server, which forgets all data when it stops."""

    def command(self) -> list[str]:
        """Return what starts the server."""
        return [sys.executable, str(Path(__file__).with_name("mongoeco_server.py")), str(self.port)]


@contextmanager
def mongoeco_server(folder: Path) -> Iterator[MongoServer]:
    """Give a running server that is mongoeco."""
    with _running(MongoecoServer(folder)) as server:
        yield server


@contextmanager
def mongo_server(folder: Path) -> Iterator[MongoServer]:
    """Give a running server."""
    with _running(MongoServer(folder)) as server:
        yield server


@contextmanager
def _running(server: MongoServer) -> Iterator[MongoServer]:
    server.start()
    try:
        yield server
    finally:
        server.stop()


def url_of(port: int) -> str:
    """Return the URL of a database on this port, and on no other that the server may name."""
    return f"mongodb://127.0.0.1:{port}/shop?directConnection=true"
