"""Two real server processes with two workers each share one Valkey server."""

import http.client
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest

redis = pytest.importorskip("redis", reason="redis-py is not installed")
pytest.importorskip("gunicorn", reason="gunicorn is not installed")

from tests.support.processes import free_port, wait_for_port, wait_until  # noqa: E402
from tests.support.redis_servers import (  # noqa: E402
    WHY_NOT,
    redis_server,
    server_binary,
)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(server_binary() is None, reason=WHY_NOT),
]
ROOT = Path(__file__).parents[3]
APP = """
import os
from framework import Application, controller, get, session

@controller("/")
class Pages:
    @get("/login/<name>")
    def login(self, name: str, session: session) -> str:
        session.set_user(name)
        return "hello"

    @get("/who")
    def who(self, session: session) -> str:
        return session.user_id or "nobody"

    @get("/logout")
    def logout(self, session: session) -> str:
        session.destroy()
        return "bye"

    @get("/count")
    def count(self, session: session) -> int:
        return session.increment("count")

    @get("/worker")
    def worker(self) -> int:
        return os.getpid()

app = Application(Pages)
"""


class _Visitor:
    """Keep the cookie of one browser, for both servers."""

    def __init__(self) -> None:
        self.cookie = ""

    def get(self, port: int, path: str) -> str:
        """Return the text of an answer of 200."""
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        try:
            connection.request("GET", path, headers={"Cookie": self.cookie} if self.cookie else {})
            answer = connection.getresponse()
            text = answer.read().decode()
            if answer.status == 503:
                raise http.client.HTTPException(text)
            assert answer.status == 200, (answer.status, text)
            for value in answer.headers.get_all("Set-Cookie") or []:
                self.cookie = value.partition(";")[0]
            return text
        finally:
            connection.close()


@contextmanager
def _site(folder: Path, url: str) -> Iterator[int]:
    """Give the port of a server with two workers."""
    port = free_port()
    command = [sys.executable, "-m", "gunicorn", "--workers", "2", "--timeout", "60"]
    command += ["--bind", f"127.0.0.1:{port}", "shop:app"]
    environment = {
        **os.environ,
        "SESSION_STORE": url,
        "SESSION_KEYS": "3h8Wb1kq-n9S4ZpR_v7TtYc2XeGfLmJd",
        "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]),
    }
    log = folder / f"{port}.log"
    with log.open("w") as to:
        process = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=to, stderr=to, start_new_session=True
        )
    try:
        wait_for_port(port, process.poll, log)
        yield port
    finally:
        # With its workers. A test may have killed them.
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@pytest.fixture
def sites(tmp_path: Path) -> Iterator[tuple[int, int]]:
    """Give the ports of two servers that share their sessions."""
    folder = tmp_path
    (folder / "shop.py").write_text(APP)
    with ExitStack() as stack:
        url = stack.enter_context(redis_server(folder)).url
        one, two = (stack.enter_context(_site(folder, url)) for _ in range(2))
        yield one, two


def test_a_user_of_one_server_is_a_user_of_the_other(sites: tuple[int, int]) -> None:
    """A logout on one server counts on the other at the very next request."""
    one, two = sites
    visitor = _Visitor()
    visitor.get(one, "/login/ada")
    assert [visitor.get(port, "/who") for port in (two, one, two)] == ["ada"] * 3
    earlier = visitor.cookie
    visitor.get(two, "/logout")
    visitor.cookie = earlier

    assert [visitor.get(port, "/who") for port in (one, two)] == ["nobody"] * 2


class _Traffic:
    """Visitors of one session count together on both servers."""

    def __init__(self, cookie: str, ports: tuple[int, ...]) -> None:
        self.acknowledged: list[int] = []
        self.failures: list[Exception] = []
        self._cookie = cookie
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=self._visit, args=(port,)) for port in ports for _ in range(2)
        ]

    def __enter__(self) -> "_Traffic":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(10)

    def wait_for_more(self, count: int) -> None:
        """Wait until so many more visits are counted."""
        wanted = len(self.acknowledged) + count
        wait_until(lambda: len(self.acknowledged) >= wanted)

    def _visit(self, port: int) -> None:
        while not self._stop.is_set():
            mine = _Visitor()
            mine.cookie = self._cookie
            try:
                self.acknowledged.append(int(mine.get(port, "/count")))
            except (OSError, http.client.HTTPException) as error:
                self.failures.append(error)
                time.sleep(0.01)


@pytest.mark.parametrize("whole_server", [False, True], ids=["a worker", "a server"])
def test_a_process_that_is_killed_loses_no_acknowledged_write(
    sites: tuple[int, int], whole_server: bool
) -> None:
    """The other processes go on with all acknowledged writes, and a logout counts."""
    visitor = _Visitor()
    visitor.get(sites[0], "/login/ada")
    with _Traffic(visitor.cookie, sites) as traffic:
        traffic.wait_for_more(100)
        worker = int(visitor.get(sites[0], "/worker"))
        if whole_server:
            # The server has a group of its own.
            os.killpg(os.getpgid(worker), signal.SIGKILL)
        else:
            os.kill(worker, signal.SIGKILL)
        traffic.wait_for_more(100)

    # Each number was given once, and the count goes on from the highest.
    acknowledged = traffic.acknowledged
    assert len(set(acknowledged)) == len(acknowledged)
    assert int(visitor.get(sites[1], "/count")) > max(acknowledged)
    # What failed may have been counted.
    assert int(visitor.get(sites[1], "/count")) <= len(acknowledged) + len(traffic.failures) + 2
    earlier = visitor.cookie
    visitor.get(sites[1], "/logout")
    visitor.cookie = earlier
    assert visitor.get(sites[1], "/who") == "nobody"
