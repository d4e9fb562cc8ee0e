"""Fixtures for tests of an application: a client, a real server, and a clock for its sessions.

Turn the fixtures on in the conftest.py at the root of the tests:

    pytest_plugins = ["framework.pytest_plugin"]

The same conftest.py needs a fixture `app` that returns the application.
"""

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from werkzeug.serving import WSGIRequestHandler, make_server

from framework.advice.collisions import collision_in
from framework.advice.errors import note_remedy
from framework.application import Application
from framework.defaults import SessionClock
from framework.testing import Client, Replacement, replace
from sessions.testing import ManualClock

_POLL_SECONDS = 0.02
_JOIN_SECONDS = 10

_NO_APP = """the tests have no fixture `app`. Write one in conftest.py that returns the application:

    @pytest.fixture(scope="session")
    def app() -> Application:
        return shop.app.app
"""


@dataclass(frozen=True)
class LiveServer:
    """An application that is being served, and its address."""

    url: str
    """The address, without a slash at its end: `http://127.0.0.1:41234`."""
    app: Application

    def url_for(self, endpoint: str, /, **values: Any) -> str:
        """Build the URL of a handler, with the address of the server."""
        return self.url + self.app.url_for(endpoint, **values)


def pytest_configure(config: pytest.Config) -> None:
    """Stop pytest if the project has a module named `framework` or `sessions`."""
    message = collision_in(config.rootpath)
    if message is not None:
        raise pytest.UsageError(message)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_makereport(call: "pytest.CallInfo[object]") -> None:
    """Add the remedy to the error of a test, if the remedy is known."""
    if call.excinfo is not None:
        note_remedy(call.excinfo.value)


@pytest.fixture(scope="session")
def app() -> Application:
    """Raise an error: a fixture `app` in conftest.py has to return the application under test."""
    raise pytest.UsageError(_NO_APP)


@pytest.fixture
def replacements() -> Sequence[Replacement]:
    """Return no replacements: a fixture `replacements` in conftest.py can return some."""
    return ()


@pytest.fixture
def session_clock() -> ManualClock:
    """Return the clock of the sessions, which moves only when a test moves it."""
    return ManualClock(time.time())


@pytest.fixture
def client(
    app: Application, replacements: Sequence[Replacement], session_clock: ManualClock
) -> Iterator[Client]:
    """Yield a client for an application that is built again for this test."""
    given: object = app
    if not isinstance(given, Application):
        raise pytest.UsageError(
            f"the fixture `app` returned {given!r}, which is not an Application: return the"
            " application itself"
        )
    chosen = [*replacements]
    if app.sessions is not None and all(choice.key is not SessionClock for choice in chosen):
        chosen.append(replace(SessionClock).to(session_clock))
    with app.test(*chosen) as client:
        yield client


@pytest.fixture
def live_server(client: Client) -> Iterator[LiveServer]:
    """Serve the client's application on a free port of the loopback address."""
    with _served(client.app) as server:
        yield server


@contextmanager
def _served(application: Application) -> Iterator[LiveServer]:
    server = make_server("127.0.0.1", 0, application, threaded=True, request_handler=_Quiet)
    thread = threading.Thread(target=server.serve_forever, args=(_POLL_SECONDS,), daemon=True)
    thread.start()
    try:
        yield LiveServer(f"http://127.0.0.1:{server.port}", application)
    finally:
        server.shutdown()
        thread.join(_JOIN_SECONDS)
        server.server_close()


class _Quiet(WSGIRequestHandler):
    """Log errors only."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Do nothing, so that the lines of requests do not fill the output of a test."""
