"""The development server as a program: its output, when it waits, and how it ends."""

import os
import re
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from framework import Application, controller, get
from tests.support.serving import FRAMEWORK, SECONDS, Program, Visitor

pytestmark = pytest.mark.slow

APP = """
from framework import Application, controller, get

with open("built.txt", "a") as file:
    file.write("once ")

@controller("/")
class Pages:
    @get("/")
    def show(self) -> str:
        return "hello"

    @get("/broken")
    def fail(self) -> str:
        raise RuntimeError("the fuse blew")

app = Application(Pages)
"""
HOOKED = (
    APP.replace("app =", "_ =")
    + """
from framework import configuration

def note(word):
    with open("hooks.txt", "a") as file:
        file.write(word + " ")

@configuration
class Hooked:
    def on_start(self) -> None:
        note("start")

    def on_stop(self) -> None:
        note("stop")

app = Application(Pages, Hooked)
"""
)
SERVE = (FRAMEWORK, "run", "--port", "0")
ONCE = (*SERVE, "--no-reload")
IN_CODE = (sys.executable, "-c", "from app import app; app.run(port=0)")
IN_CODE_ONCE = (sys.executable, "-c", "from app import app; app.run(port=0, reload=False)")


@pytest.fixture
def app_file(tmp_path: Path) -> Path:
    """Write an application into an empty folder."""
    file = tmp_path / "app.py"
    file.write_text(APP)
    return file


def _rewrite(file: Path, text: str) -> None:
    """Change a file and its time, also on a file system with a coarse clock."""
    later = file.stat().st_mtime + 2
    file.write_text(text)
    os.utime(file, (later, later))


def _hooks_run(app_file: Path) -> list[str]:
    return (app_file.parent / "hooks.txt").read_text().split()


@pytest.mark.parametrize("command", [SERVE, ONCE, IN_CODE, IN_CODE_ONCE])
def test_the_banner_shows_the_address_and_the_number_of_routes(
    app_file: Path, command: tuple[str, ...]
) -> None:
    """The server prints its address and the number of routes, and logs requests."""
    with Program(*command, folder=app_file.parent) as program:
        url = program.url()
        routes = program.wait_for("routes")
        answer = Visitor().get(url)
        program.wait_for('"GET / HTTP/1.1" 200')

    assert answer == (200, "hello")
    assert routes.split() == ["routes", "2"]
    assert "WARNING" not in "".join(program.output)


def test_the_development_key_is_announced(app_file: Path) -> None:
    """Without a configured key, the banner names the file of the new key."""
    with_session = APP.replace("show(self)", "show(self, session: session)")
    app_file.write_text(with_session.replace("controller, get", "controller, get, session"))
    with Program(*ONCE, folder=app_file.parent) as program:
        store = program.wait_for("sessions")
        key = program.wait_for("key")

    assert "SQLiteStore" in store
    assert ".framework/sessions.db" in store
    assert ".framework/session.key" in key


def test_the_application_is_built_once_under_the_reloader(app_file: Path) -> None:
    """The process that owns the socket never imports the application."""
    with Program(*SERVE, folder=app_file.parent) as program:
        Visitor().get(program.url())

    assert (app_file.parent / "built.txt").read_text().split() == ["once"]


def test_hooks_run_once_under_the_reloader(app_file: Path) -> None:
    """Each process that serves runs both hooks, also a process that a change ends."""
    app_file.write_text(HOOKED)
    with Program(*SERVE, folder=app_file.parent) as program:
        Visitor().get(program.url())
        _rewrite(app_file, HOOKED.replace('"hello"', '"good day"'))
        answer = Visitor().get(program.url())
        program.stop()

    assert answer == (200, "good day")
    assert _hooks_run(app_file) == ["start", "stop", "start", "stop"]


@pytest.mark.parametrize("command", [SERVE, ONCE])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("send", [os.killpg, os.kill], ids=["to all", "to the first"])
def test_the_end_of_the_server_runs_the_stop_hooks(
    app_file: Path,
    command: tuple[str, ...],
    number: signal.Signals,
    send: Callable[[int, int], None],
) -> None:
    """A terminal sends its signal to all processes, a supervisor only to the first."""
    app_file.write_text(HOOKED)
    with Program(*command, folder=app_file.parent) as program:
        Visitor().get(program.url())
        send(program.process.pid, number)
        status = program.finish()

    assert status == 0
    assert _hooks_run(app_file) == ["start", "stop"]


def test_a_stop_hook_that_fails_is_shown(app_file: Path) -> None:
    """The server still ends, without a traceback through the framework."""
    app_file.write_text(HOOKED.replace('note("stop")', 'raise LookupError("no pool")'))
    with Program(*SERVE, folder=app_file.parent) as program:
        Visitor().get(program.url())
        status = program.stop()

    assert status == 0
    assert "LookupError: no pool" in "".join(program.output)
    assert "framework/" not in "".join(program.output)


def test_a_change_is_served_from_the_same_address(app_file: Path) -> None:
    """The reloader starts the application again when its file changes."""
    with Program(*SERVE, folder=app_file.parent) as program:
        before = program.url()
        Visitor().get(before)
        _rewrite(app_file, APP.replace('"hello"', '"good day"'))
        after = program.url()
        answer = Visitor().get(after)

    assert before == after
    assert answer == (200, "good day")


@pytest.mark.parametrize(
    ("mistake", "shown"),
    [
        (APP + "def (:\n", "SyntaxError"),
        (APP.replace("show(self)", "show(self, unknown)"), "Pages.show (app.py:"),
        (APP.replace("import Application", "import Aplication"), "ImportError"),
    ],
    ids=["syntax", "start-up problem", "import"],
)
def test_a_mistake_is_shown_and_waited_for(app_file: Path, mistake: str, shown: str) -> None:
    """A start-up error is shown, also in the browser, until the file is corrected."""
    app_file.write_text(mistake)
    with Program(*SERVE, folder=app_file.parent) as program:
        program.wait_for(shown)
        waiting = program.wait_for("Waiting for a change")
        broken = Visitor().get(re.findall(r"http://\S+", waiting)[0])
        _rewrite(app_file, APP)
        mended = Visitor().get(program.url())

    assert broken[0] == 500
    assert shown in broken[1]
    assert mended == (200, "hello")


def test_a_browser_that_shows_a_mistake_asks_again(app_file: Path) -> None:
    """After the file is corrected, the page replaces the report without a click."""
    app_file.write_text(APP.replace("show(self)", "show(self, unknown)"))
    with Program(*SERVE, folder=app_file.parent) as program:
        waiting = program.wait_for("Waiting for a change")
        with pytest.raises(HTTPError) as refusal:
            urlopen(re.findall(r"http://\S+", waiting)[0], timeout=SECONDS)  # noqa: S310
        shown = refusal.value.read()

    assert refusal.value.code == 500
    assert refusal.value.headers["Refresh"] == "1"
    assert refusal.value.headers["Cache-Control"] == "no-store"
    assert b"parameter 'unknown' has no annotation" in shown


def test_a_mistake_ends_a_server_without_reloader(app_file: Path) -> None:
    """Without the reloader, the report is printed and the status is 1."""
    app_file.write_text(APP + "def (:\n")
    with Program(*ONCE, folder=app_file.parent) as program:
        program.wait_for("SyntaxError")
        status = program.finish()

    assert status == 1
    assert "Traceback" not in "".join(program.output)


@pytest.mark.parametrize("command", [SERVE, ONCE, IN_CODE, IN_CODE_ONCE])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_quietly(
    app_file: Path, command: tuple[str, ...], number: signal.Signals
) -> None:
    """Ctrl-C and SIGTERM end the server with status 0 and nothing more to read."""
    with Program(*command, folder=app_file.parent) as program:
        program.url()
        program.wait_for("debugger")
        before = len(program.output)
        status = program.stop(number)

    assert status == 0
    assert [line for line in program.output[before:] if line.strip()] == []


@pytest.mark.parametrize("command", [SERVE[:-1], ONCE[:3]], ids=["reload", "no reload"])
def test_a_port_in_use_is_one_clear_line(app_file: Path, command: tuple[str, ...]) -> None:
    """The line names the address and the remedy; no traceback follows."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with Program(*command, str(port), folder=app_file.parent) as program:
            status = program.finish()

    assert status == 1
    assert "".join(program.output) == (
        f"Cannot serve on '127.0.0.1', port {port}: Address already in use. Fix: stop the "
        f"program that uses it, or choose another port (such as {port + 1}).\n"
    )


def test_the_debugger_is_on_on_loopback(app_file: Path) -> None:
    """An exception shows Werkzeug's debugger, and the terminal knows its PIN."""
    with Program(*ONCE, folder=app_file.parent) as program:
        url = program.url()
        pin = program.wait_for("debugger")
        status, page = Visitor().get(f"{url}/broken")

    assert "PIN" in pin
    assert status == 500
    assert "the fuse blew" in page
    assert "Werkzeug Debugger" in page


def test_the_debugger_is_refused_on_public_addresses() -> None:
    """Asking for the debugger on an address that others can reach is an error, not a warning."""

    @controller("/")
    class Pages:
        @get("/")
        def show(self) -> str:
            return "hello"

    with pytest.raises(
        ValueError, match=r"debug=True needs a loopback address, but the host is '0\.0\.0\.0'"
    ):
        Application(Pages).run(host="0.0.0.0", debug=True)  # noqa: S104


def test_the_access_log_has_no_colours_in_a_file(app_file: Path) -> None:
    """Only a terminal gets colours; off loopback, there is no debugger."""
    with Program(*ONCE, "--host", "0.0.0.0", folder=app_file.parent) as program:  # noqa: S104
        url = program.url()
        debugger = program.wait_for("debugger")
        Visitor().get(url.replace("0.0.0.0", "127.0.0.1") + "/missing")  # noqa: S104
        line = program.wait_for("/missing")

    assert debugger.strip() == (
        "debugger  off, because 0.0.0.0 is not a loopback address and the debugger runs any code"
        " that a visitor types"
    )
    assert '"GET /missing HTTP/1.1" 404 -' in line
