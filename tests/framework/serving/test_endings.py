"""The end of the development server, and its waiting: for requests, and for a corrected file."""

import os
import signal
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.support.serving import FRAMEWORK, Program, Visitor

pytestmark = pytest.mark.slow

APP = """
import logging
import pathlib
import time
from framework import Application, configuration, controller, get

@controller("/")
class Pages:
    @get("/")
    def show(self) -> str:
        return "hello"

    @get("/slow")
    def wait(self) -> str:
        print("the handler waits", flush=True)
        while not pathlib.Path("go.txt").exists():
            time.sleep(0.01)
        return "late"

@configuration
class Hooked:
    def on_start(self) -> None:
        logging.getLogger("shop").info("the shop opens")

    def on_stop(self) -> None:
        print("the shop closes", flush=True)

app = Application(Pages, Hooked)
"""
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


@pytest.mark.parametrize("command", [SERVE, ONCE, IN_CODE, IN_CODE_ONCE])
def test_a_request_that_waits_gets_its_answer(app_file: Path, command: tuple[str, ...]) -> None:
    """Ctrl-C ends the server after the answers, and the hooks run last."""
    with Program(*command, folder=app_file.parent) as program, ThreadPoolExecutor() as threads:
        answer = threads.submit(Visitor().get, f"{program.url()}/slow")
        program.wait_for("the handler waits")
        os.killpg(program.process.pid, signal.SIGINT)
        program.wait_for("Waiting for 1 request; Ctrl-C again ends at once.")
        (app_file.parent / "go.txt").touch()
        program.wait_for("the shop closes")
        status = program.finish()

    assert answer.result() == (200, "late")
    assert status == 0
    assert "Traceback" not in "".join(program.output)


def test_another_ctrl_c_waits_no_longer(app_file: Path) -> None:
    """The request gets no answer, and the hooks still run."""
    with Program(*SERVE, folder=app_file.parent) as program, ThreadPoolExecutor() as threads:
        lost = threads.submit(Visitor().get, f"{program.url()}/slow")
        program.wait_for("the handler waits")
        os.killpg(program.process.pid, signal.SIGINT)
        program.wait_for("Waiting for 1 request")
        os.killpg(program.process.pid, signal.SIGINT)
        program.wait_for("the shop closes")
        status = program.finish()

    assert isinstance(lost.exception(), ConnectionError)
    assert status == 0


def test_a_change_lets_a_request_have_its_answer(app_file: Path) -> None:
    """The old process answers the request before it ends."""
    with Program(*SERVE, folder=app_file.parent) as program, ThreadPoolExecutor() as threads:
        url = program.url()
        answer = threads.submit(Visitor().get, f"{url}/slow")
        program.wait_for("the handler waits")
        app_file.write_text(APP.replace('"hello"', '"good day"'))
        program.wait_for("app.py has changed: starting again.")
        (app_file.parent / "go.txt").touch()
        program.url()
        after = Visitor().get(url)

    assert answer.result() == (200, "late")
    assert after == (200, "good day")


def test_an_exit_at_import_is_waited_for(app_file: Path) -> None:
    """sys.exit() at import is a mistake, also with the status that means a change."""
    with Program(*SERVE, folder=app_file.parent) as program:
        program.url()
        app_file.write_text("import sys\nsys.exit(3)\n")
        program.wait_for("SystemExit: 3")
        program.wait_for("Waiting for a change")
        app_file.write_text(APP)
        answer = Visitor().get(program.url())

    assert answer == (200, "hello")
    assert "line 2, in <module>\n    sys.exit(3)\n" in "".join(program.output)


def test_a_module_that_was_moved_is_noticed(app_file: Path) -> None:
    """First an imported module is moved away, and then the application."""
    helper = app_file.with_name("helper.py")
    helper.write_text("")
    app_file.write_text(f"import helper\n{APP}")
    with Program(*SERVE, folder=app_file.parent) as program:
        program.url()
        helper.rename(helper.with_name("moved.py"))
        program.wait_for("No module named 'helper'")
        program.wait_for("Waiting for a change")
        helper.with_name("moved.py").rename(helper)
        program.url()
        app_file.rename(app_file.with_name("away.py"))
        program.wait_for("No application is named")
        program.wait_for("Waiting for a change")
        app_file.with_name("away.py").rename(app_file)
        answer = Visitor().get(program.url())

    assert answer == (200, "hello")


def test_a_start_hook_that_fails_is_a_mistake_like_others(app_file: Path) -> None:
    """The report names the hook, its place and its error; the server waits."""
    app_file.write_text(APP.replace("logging.getLogger", 'raise LookupError("no pool")\n        #'))
    with Program(*SERVE, folder=app_file.parent) as program:
        program.wait_for("Waiting for a change")
        app_file.write_text(APP)
        program.url()

    told = "".join(program.output)
    assert told.startswith(
        "1 mistake keeps the application from starting:\n\n"
        "1. Hooked.on_start (app.py:22)\n"
        "   on_start raised LookupError: no pool\n"
        "   Fix: Correct the cause. The traceback shows it.\n\n"
        "Traceback (most recent call last):\n"
    )
    assert "framework/" not in told


@pytest.mark.parametrize("command", [SERVE, IN_CODE_ONCE])
def test_log_lines_of_the_user_are_shown(app_file: Path, command: tuple[str, ...]) -> None:
    """Lines from INFO on are shown once, if the application does not set up logging."""
    with Program(*command, folder=app_file.parent) as program:
        program.url()
        program.stop()

    assert [line for line in program.output if "opens" in line] == ["INFO shop: the shop opens\n"]


def test_logging_of_the_user_is_left_alone(app_file: Path) -> None:
    """The application's own setup of logging is used."""
    own = 'logging.basicConfig(level=logging.WARNING, format="own %(message)s")'
    app_file.write_text(APP.replace("\n@controller", f"\n{own}\n@controller", 1))
    with Program(*SERVE, folder=app_file.parent) as program:
        program.url()
        program.stop()

    assert "opens" not in "".join(program.output)
