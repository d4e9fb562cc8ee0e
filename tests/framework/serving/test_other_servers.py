"""Start hooks under production servers: before the first request, as in the docs."""

import sys
from pathlib import Path

import pytest

from tests.support.serving import Program

APP = """
from framework import Application, configuration, controller, get

@controller("/")
class Page:
    @get("/")
    def show(self) -> str:
        return "shown"

@configuration
class Jobs:
    def on_start(self) -> None:
        print("the jobs run", flush=True)

app = Application(Page, Jobs)
"""
SERVERS = {
    "granian": ("granian", "--interface", "wsgi", "--port", "0"),
    "uvicorn": ("uvicorn", "--interface", "wsgi", "--port", "0"),
}


@pytest.fixture(params=SERVERS)
def command(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, ...]:
    """Write the application and the module that starts it; return the command of a server."""
    pytest.importorskip(request.param)
    (tmp_path / "shop.py").write_text(APP)
    (tmp_path / "wsgi.py").write_text("from shop import app\n\napp.start()\n")
    return (sys.executable, "-m", *SERVERS[request.param], "wsgi:app")


def test_a_module_that_starts_the_application_needs_no_visitor(
    tmp_path: Path, command: tuple[str, ...]
) -> None:
    """The hooks run when the worker starts."""
    with Program(*command, folder=tmp_path) as program:
        assert program.wait_for("the jobs run")


def test_a_worker_that_cannot_start_says_why(tmp_path: Path, command: tuple[str, ...]) -> None:
    """The import fails with the error of the hook."""
    (tmp_path / "shop.py").write_text(APP.replace("print(", "raise LookupError("))
    with Program(*command, folder=tmp_path) as program:
        assert program.wait_for("LookupError")
        status = program.finish()

    assert status != 0
