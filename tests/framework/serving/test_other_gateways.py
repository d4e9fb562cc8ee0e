"""Servers with another protocol than WSGI: the advice that they and their users get."""

import asyncio
import sys
from pathlib import Path

import pytest

from framework import Application, controller, get
from tests.support.serving import Program

APP = """
from framework import Application, controller, get

@controller("/")
class Page:
    @get("/")
    def show(self) -> str:
        return "shown"

app = Application(Page)
"""
SERVERS = [
    ("uvicorn", "--port", "0"),
    ("uvicorn", "--port", "0", "--interface", "asgi3"),
    ("granian", "--port", "0"),
    ("granian", "--port", "0", "--interface", "asgi"),
]


@pytest.mark.parametrize("server", SERVERS, ids=" ".join)
def test_a_server_for_another_protocol_ends_with_advice(
    tmp_path: Path, server: tuple[str, ...]
) -> None:
    """The server ends at its start, before a request."""
    pytest.importorskip(server[0])
    (tmp_path / "app.py").write_text(APP)
    command = (sys.executable, "-m", *server, "app:app")
    with Program(*command, folder=tmp_path) as program:
        line = program.wait_for("This application is for WSGI")
        status = program.finish()

    assert "uvicorn --interface wsgi" in line
    assert "granian --interface wsgi" in line
    assert status != 0


@controller("/")
class Page:
    @get("/")
    def show(self) -> str:
        return "shown"


async def _say_nothing(*_: object) -> None: ...


@pytest.mark.parametrize("version", [2, 3])
def test_a_request_over_asgi_gets_the_same_advice(version: int) -> None:
    """Some servers do not announce their start."""
    application: object = Application(Page)
    assert callable(application)

    async def ask() -> None:
        scope = {"type": "http", "method": "GET", "path": "/"}
        if version == 2:
            await application(scope)(_say_nothing, _say_nothing)
        else:
            await application(scope, _say_nothing, _say_nothing)

    with pytest.raises(TypeError, match="is for WSGI, and the server speaks ASGI"):
        asyncio.run(ask())


def test_a_call_without_start_response_gets_advice() -> None:
    """A call without `start_response` is not WSGI."""
    with pytest.raises(TypeError, match="is for WSGI"):
        Application(Page)({"REQUEST_METHOD": "GET"})
