"""The pytest plugin, as a project uses it: each test runs pytest on a small project."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

APPLICATION = """
    from framework import Application, controller, get, session

    @controller("/")
    class Visits:
        @get("/visits")
        def count(self, session: session) -> int:
            session["visits"] = session.get("visits", 0) + 1
            return session["visits"]

    @controller("/plain")
    class Plain:
        @get("/<name>")
        def show(self, name: str) -> str:
            return name

    app = Application(Visits, Plain)
"""
CONFTEST = """
    import pytest
    from framework import Application
    import shop

    pytest_plugins = ["framework.pytest_plugin"]

    @pytest.fixture(scope="session")
    def app() -> Application:
        return shop.app
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    _write(tmp_path / "shop.py", APPLICATION)
    _write(tmp_path / "conftest.py", CONFTEST)
    return tmp_path


def test_a_client_for_each_test(project: Path) -> None:
    """Each test has sessions of its own."""
    tests = """
        import pytest

        @pytest.mark.parametrize("turn", [1, 2])
        def test_client(client, turn):
            assert client.get("/visits").json == 1
            assert client.get("/visits").json == 2
    """

    assert "2 passed" in _run(project, tests)


def test_time_travel(project: Path) -> None:
    """A session ends when the test says so, in the client and behind the server."""
    tests = """
        from datetime import timedelta
        from http.cookiejar import CookieJar
        from urllib.request import HTTPCookieProcessor, build_opener

        def test_client(client, session_clock):
            assert [client.get("/visits").json for _ in range(2)] == [1, 2]
            session_clock.advance(timedelta(hours=25))
            assert client.get("/visits").json == 1

        def test_server(live_server, session_clock):
            browser = build_opener(HTTPCookieProcessor(CookieJar()))
            url = live_server.url + "/visits"
            assert [browser.open(url, timeout=5).read() for _ in range(2)] == [b"1", b"2"]
            session_clock.advance(timedelta(hours=25))
            assert browser.open(url, timeout=5).read() == b"1"
    """

    assert "2 passed" in _run(project, tests)


def test_the_server_is_real_and_ends(project: Path) -> None:
    """The server listens on a loopback port until its test ends, and leaves no thread."""
    tests = """
        import socket
        import threading
        import time
        from urllib.parse import urlsplit
        from urllib.request import urlopen
        import pytest

        used = []

        def test_served(live_server):
            used.append(live_server.url)
            url = live_server.url_for("Plain.show", name="ada")
            assert url == f"{live_server.url}/plain/ada"
            assert urlopen(url, timeout=5).read() == b"ada"

        def test_ended():
            deadline = time.monotonic() + 10
            # The thread that has answered may still be closing its connection.
            while threading.active_count() > 1 and time.monotonic() < deadline:
                time.sleep(0.01)
            assert [each.name for each in threading.enumerate()] == ["MainThread"]
            address = urlsplit(used[0])
            with pytest.raises(ConnectionRefusedError):
                socket.create_connection((address.hostname, address.port), timeout=5)
    """

    assert "2 passed" in _run(project, tests)


def test_client_and_server_share_an_application(project: Path) -> None:
    """What a test prepares with the client, a browser finds on the server."""
    tests = """
        def test_shared(client, live_server):
            assert live_server.app is client.app
    """

    assert "1 passed" in _run(project, tests)


def test_replacements_of_a_project(project: Path) -> None:
    """A fixture names what is replaced in every test of the project."""
    tests = """
        import pytest
        from framework import replace
        from sessions import MemoryStore, Store

        STORE = MemoryStore()

        @pytest.fixture
        def replacements():
            return [replace(Store).to(STORE)]

        def test_stored(client):
            client.get("/visits")
            assert len(STORE) == 1
    """

    assert "1 passed" in _run(project, tests)


def test_a_clock_of_the_project_stays(project: Path) -> None:
    """A project that replaces the clock itself has its own."""
    tests = """
        import pytest
        from framework import replace
        from framework.testing import SessionClock

        @pytest.fixture
        def replacements():
            return [replace(SessionClock).to(lambda: 2_000_000_000.0)]

        def test_time(client):
            client.get("/visits")
            with client.session() as session:
                assert session.created_at.year == 2033
    """

    assert "1 passed" in _run(project, tests)


def test_an_application_without_sessions(project: Path) -> None:
    """Such an application needs no clock."""
    _write(
        project / "shop.py", APPLICATION.replace("Application(Visits, Plain)", "Application(Plain)")
    )
    tests = """
        def test_plain(client):
            assert client.get("/plain/ada").text == "ada"
    """

    assert "1 passed" in _run(project, tests)


def test_a_project_without_an_application_fixture_is_explained(project: Path) -> None:
    """The message shows the fixture to write."""
    _write(project / "conftest.py", 'pytest_plugins = ["framework.pytest_plugin"]')

    report = _run(project, "def test_nothing(client): ...")
    assert "the tests have no fixture `app`" in report
    assert "1 error" in report


def test_a_fixture_that_returns_no_application_is_explained(project: Path) -> None:
    """A fixture that returns the module is a likely mistake."""
    _write(project / "conftest.py", CONFTEST.replace("return shop.app", "return shop"))

    report = _run(project, "def test_nothing(client): ...")
    assert "the fixture `app` returned <module 'shop'" in report
    assert "which is not an Application" in report


def _write(path: Path, code: str) -> None:
    path.write_text(textwrap.dedent(code))


def _run(project: Path, tests: str) -> str:
    """Run pytest on a project, and return what it prints."""
    _write(project / "test_project.py", tests)
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-W", "error", "."]
    # The plugins that are installed here are no part of the project, and take long to start.
    alone = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    done = subprocess.run(
        command, cwd=project, env=alone, capture_output=True, text=True, timeout=60
    )
    return done.stdout + done.stderr


@pytest.mark.parametrize(
    ("line", "remedy"),
    [
        ('client.get("/plain/a").json()', "Fix: Write .json without parentheses"),
        ('client.session["visits"] = 1', "Fix: write `with client.session() as session:`"),
        ("app.url_for()", "Fix: Give 'endpoint'. url_for takes"),
        ("jsonify({})", "Fix: Return the dict, list or dataclass"),
    ],
)
def test_a_failed_test_says_what_to_write(project: Path, line: str, remedy: str) -> None:
    """The remedy follows the error of Python."""
    tests = f"""
        def test_of_another_framework(client, app):
            {line}
    """

    told = _run(project, tests)

    assert "1 failed" in told
    assert remedy in told
