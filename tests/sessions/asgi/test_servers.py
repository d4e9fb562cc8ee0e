"""A Starlette application under real servers: requests, clients that leave, the shutdown."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path

import pytest
import websocket

from tests.sessions.asgi.site import KINDS
from tests.support.processes import free_port

pytestmark = pytest.mark.slow

SECONDS = 30.0
"""How long a test waits for what must happen before it gives up."""

PROGRAM = "tests.sessions.asgi.program:app"
COMMANDS: dict[str, list[str]] = {
    "uvicorn": ["uvicorn", PROGRAM, "--lifespan", "on"],
    "granian": ["granian", PROGRAM, "--interface", "asgi", "--workers", "1"],
}


@dataclass
class Server:
    """Be a server that runs in a process of its own."""

    name: str
    port: int
    folder: Path
    process: subprocess.Popen[bytes]

    @property
    def log(self) -> list[str]:
        """Return what the application has noted so far."""
        path = self.folder / "log"
        return path.read_text().splitlines() if path.exists() else []

    def ask(self, path: str, cookie: str = "", method: str = "GET") -> HTTPResponse:
        """Send a request, and read the response to its end."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=SECONDS)
        connection.request(method, path, headers={"Cookie": cookie} if cookie else {})
        response = connection.getresponse()
        response.text = response.read().decode()  # type: ignore[attr-defined]
        connection.close()
        return response

    def text(self, path: str, cookie: str = "") -> str:
        """Return the body of a page."""
        text: str = self.ask(path, cookie).text  # type: ignore[attr-defined]
        return text

    def new_cookie(self) -> str:
        """Return the cookie of a new session."""
        return cookie_of(self.ask("/"))

    def stop(self) -> None:
        """End the process as an operator does."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(SECONDS)
        finally:
            self.process.kill()


def cookie_of(response: HTTPResponse) -> str:
    """Return the one cookie that a response sets."""
    (text,) = response.headers.get_all("Set-Cookie", [])
    return text.partition(";")[0]


def until(condition: Callable[[], object]) -> None:
    """Wait until another process has done its work."""
    end = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.01)


def start(name: str, kind: str, folder: Path) -> Server:
    """Start a server on a free port of this machine, and wait until it answers."""
    port = free_port()
    environment = {**os.environ, "TESTS_KIND": kind, "TESTS_FOLDER": f"{folder}"}
    command = [sys.executable, "-m", *COMMANDS[name], "--host", "127.0.0.1", "--port", f"{port}"]
    with open(folder / "output", "wb") as output:
        process = subprocess.Popen(command, env=environment, stdout=output, stderr=output)
    server = Server(name, port, folder, process)
    try:
        until(lambda: process.poll() is not None or answers(server))
        assert process.poll() is None, (folder / "output").read_text()
    except BaseException:
        server.stop()
        raise
    return server


def answers(server: Server) -> bool:
    """Return whether the server already answers."""
    try:
        return server.text("/health") == "alive"
    except OSError:
        return False


@pytest.fixture(scope="module", params=[f"{name}-{kind}" for name in COMMANDS for kind in KINDS])
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """Return each server with each kind of store in turn."""
    name, _, kind = request.param.partition("-")
    pytest.importorskip(name, reason=f"{name} is not installed")
    started = start(name, kind, tmp_path_factory.mktemp("server"))
    yield started
    started.stop()


@pytest.fixture(autouse=True)
def mended(request: pytest.FixtureRequest) -> Iterator[None]:
    """Repair the store after each test."""
    yield
    if "server" in request.fixturenames:
        request.getfixturevalue("server").ask("/break")


def test_visits_are_counted(server: Server) -> None:
    """The cookie from the server finds the session in the next request."""
    cookie = server.new_cookie()

    assert [server.text("/", cookie) for _ in range(2)] == ["2", "3"]


def test_the_headers_are_those_of_the_session(server: Server) -> None:
    """Each session header is sent once, also for HEAD."""
    first, second = server.ask("/"), server.ask("/", method="HEAD")

    for response in (first, second):
        assert response.headers.get_all("Vary") == ["Cookie"]
        assert response.headers.get_all("Cache-Control") == ["no-store"]
        assert len(response.headers.get_all("Set-Cookie", [])) == 1


def test_a_page_without_session_use_sends_no_header(server: Server) -> None:
    """The response has neither a cookie nor Vary."""
    response = server.ask("/health", server.new_cookie())

    assert response.headers.get_all("Vary") is None
    assert response.headers.get_all("Set-Cookie") is None


def test_logout_ends_the_session(server: Server) -> None:
    """The response also clears the cookie."""
    cookie = server.new_cookie()

    response = server.ask("/logout", cookie)

    assert cookie_of(response) == "session="
    assert server.text("/look", cookie) == "{}"


@pytest.mark.parametrize("calls", ["load", "commit"])
def test_a_broken_store_is_a_503(server: Server, calls: str) -> None:
    """A page that does not use the session still works."""
    cookie = server.new_cookie()
    server.ask(f"/break?calls={calls}")

    response, health = server.ask("/", cookie), server.ask("/health", cookie)

    assert (response.status, response.headers["Retry-After"]) == (503, "1")
    assert response.headers.get_all("Set-Cookie") is None
    assert health.status == 200


def test_a_client_that_leaves_during_a_stream_has_its_session(server: Server) -> None:
    """It was saved before the first byte; the stream ends."""
    cookie = server.new_cookie()
    ended = server.log.count("stream ended")

    connection = HTTPConnection("127.0.0.1", server.port, timeout=SECONDS)
    connection.request("GET", "/stream", headers={"Cookie": cookie})
    response = connection.getresponse()
    response.read(10)
    response.close()
    connection.close()
    until(lambda: server.log.count("stream ended") > ended)

    assert server.text("/look", cookie) == '{"visits":1,"streamed":true}'


def test_a_client_that_leaves_before_the_answer_changes_nothing(server: Server) -> None:
    """The application gives up, and the server serves the next request."""
    cookie = server.new_cookie()
    before = server.log

    connection = HTTPConnection("127.0.0.1", server.port, timeout=SECONDS)
    connection.request("GET", "/waits", headers={"Cookie": cookie})
    until(lambda: server.log.count("waiting") > before.count("waiting"))
    connection.close()
    until(lambda: server.log.count("client left") > before.count("client left"))

    assert server.text("/look", cookie) == '{"visits":1}'


def test_a_websocket_has_the_session(server: Server) -> None:
    """The session is saved at the handshake."""
    cookie = server.new_cookie()
    url = f"ws://127.0.0.1:{server.port}/socket"

    sockets = [websocket.create_connection(url, timeout=SECONDS, cookie=cookie) for _ in range(2)]

    assert [socket.recv() for socket in sockets] == ["2", "3"]
    for connection in sockets:
        connection.close()


def test_a_handshake_carries_the_cookie_of_a_new_session(server: Server) -> None:
    """This holds for servers that send the headers of `websocket.accept`."""
    if server.name == "granian":
        pytest.skip("granian 2.8 sends no headers of websocket.accept, whatever they are")
    url = f"ws://127.0.0.1:{server.port}/socket"

    first = websocket.create_connection(url, timeout=SECONDS)
    cookie = first.headers["set-cookie"].partition(";")[0]
    second = websocket.create_connection(url, timeout=SECONDS, cookie=cookie)

    assert (first.recv(), second.recv()) == ("1", "2")
    first.close()
    second.close()


def test_a_refused_websocket_keeps_the_changes(server: Server) -> None:
    """The refusal is a 403, which keeps changes."""
    cookie = server.new_cookie()

    with pytest.raises(websocket.WebSocketBadStatusException) as refused:
        websocket.create_connection(
            f"ws://127.0.0.1:{server.port}/socket?refuse=1", timeout=SECONDS, cookie=cookie
        )

    assert refused.value.status_code == 403
    assert server.text("/look", cookie) == '{"visits":2}'


@pytest.mark.parametrize("name", COMMANDS)
def test_the_store_is_closed_after_the_application(name: str, tmp_path: Path) -> None:
    """The store is closed when the server stops."""
    pytest.importorskip(name, reason=f"{name} is not installed")
    server = start(name, "threads", tmp_path)
    server.ask("/")

    server.stop()

    assert server.log == ["application ended", "store closed"]
