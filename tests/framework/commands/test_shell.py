"""`framework shell`: the names that its prompt knows, and programs from a pipe."""

import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from threading import Timer

import pytest

from tests.support.commands import Framework

ROOT = Path(__file__).parent.parent.parent.parent
SHOP = """
from framework import Application, controller, get, service, session

@service
class Prices:
    tea = 3

@controller("/")
class Shop:
    def __init__(self, prices: Prices) -> None:
        self.prices = prices

    @get("/")
    def show(self, session: session) -> int:
        return self.prices.tea

app = Application(Shop, Prices)
"""


def test_the_application_is_at_hand(framework: Framework) -> None:
    """The prompt knows the application, its sessions, a client and the components."""
    Path("app.py").write_text(SHOP)
    typed = (
        "print('answer', client.get('/').text)\n"
        "print('prices', components.Prices.tea, components.Shop.prices is components.Prices)\n"
        "print('sessions', manager is app.sessions)\n"
    )
    result = framework("shell", typed=typed)

    assert result.exit_code == 0
    assert "answer 3\n" in result.output
    assert "prices 3 True\n" in result.output
    assert "sessions True\n" in result.output


def test_the_banner_names_the_objects_of_the_shell(framework: Framework) -> None:
    """The banner names the components, and a trusted host for the client."""
    trusting = """
from framework import HTTPSettings, Middleware, component, configuration

@configuration
class Web:
    @component
    def http(self) -> HTTPSettings:
        return HTTPSettings(trusted_hosts=[".shop.example"])

    @component
    def middleware(self) -> list[Middleware]:
        return []

app = Application(Shop, Prices, Web)
"""
    Path("app.py").write_text(SHOP.replace("app =", "_ =") + trusting)
    request = 'client.get("/", base_url="https://shop.example").text'
    status, shown = at_a_terminal(f"print('answer', {request})\n")

    assert status == 0
    assert f"sends requests to the application: {request}\n" in shown
    assert "by name: Shop, Prices, Web, HTTPSettings\n" in shown
    assert "answer 3\n" in shown


def test_a_mistake_at_a_terminal_is_shown_and_the_shell_goes_on(framework: Framework) -> None:
    """An exception in the shell does not end it, and values are shown."""
    Path("app.py").write_text(SHOP)
    status, shown = at_a_terminal("1 / 0\ncomponents.Prices.tea + 40\n")

    assert status == 0
    assert ">>> 1 / 0\n" in shown
    assert "ZeroDivisionError" in shown
    assert "\n43\n" in shown


def at_a_terminal(typed: str) -> tuple[int, str]:
    """Return the exit status of a shell, and what its terminal shows when somebody types this."""
    terminal, end = os.openpty()
    command = [sys.executable, "-m", "framework", "shell"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TERM": "dumb"}
    process = subprocess.Popen(command, stdin=end, stdout=end, stderr=end, env=environment)
    os.close(end)
    timer = Timer(60, process.kill)
    timer.start()
    shown = b""
    # At the end of the process, the terminal gives an error.
    with suppress(OSError):
        while read := os.read(terminal, 4096):
            shown += read
            if shown.endswith(b">>> "):
                line, _, typed = typed.partition("\n")
                # Ctrl-D ends the shell.
                os.write(terminal, f"{line}\n".encode() if line else b"\x04")
    timer.cancel()
    os.close(terminal)
    return process.wait(30), shown.decode().replace("\r\n", "\n")


def test_a_program_from_a_pipe_is_run_as_a_whole(framework: Framework) -> None:
    """Blocks need no empty line after them, functions may have one inside; no prompt is shown."""
    Path("app.py").write_text(SHOP)
    program = """\ufeff
from __future__ import annotations
import dataclasses

def price(name: str) -> int:
    tea = components.Prices.tea

    return tea if name == "tea" else 0

@dataclasses.dataclass
class Order:
    count: Undefined

"a value that nobody prints"
if __name__ == "__main__":
    for count in range(2):
        print("order", Order(count).count, price("tea"))"""
    result = framework("shell", typed=program)

    assert (result.exit_code, result.output) == (0, "order 0 3\norder 1 3\n")


@pytest.mark.parametrize("program", ["", "\n", "# nothing\n"])
def test_an_empty_program_does_nothing(framework: Framework, program: str) -> None:
    """Such as the input of a job."""
    Path("app.py").write_text(SHOP)
    result = framework("shell", typed=program)

    assert (result.exit_code, result.output) == (0, "")


@pytest.mark.parametrize(
    ("program", "shown"),
    [
        ("print('a')\nprint(undefined)\nprint('b')\n", "NameError: name 'undefined'"),
        ("print('a')\nfor\n", "SyntaxError: invalid syntax"),
        ("print('a')\nraise KeyError('b')\n", "KeyError: 'b'"),
        ("print('a')\n'\0'\n", "null bytes"),
    ],
)
def test_a_program_that_fails_has_exit_status_1(
    framework: Framework, program: str, shown: str
) -> None:
    """The traceback begins in the program; nothing runs after the exception."""
    Path("app.py").write_text(SHOP)
    result = framework("shell", typed=program)

    assert result.exit_code == 1
    assert shown in result.stderr
    assert str(ROOT) not in result.stderr
    assert "b\n" not in result.stdout


def test_a_traceback_shows_the_line_of_the_program(framework: Framework) -> None:
    """As for a program in a file."""
    Path("app.py").write_text(SHOP)
    result = framework("shell", typed="one = 1\nprint(one / 0)\n")

    assert 'File "<stdin>", line 2, in <module>\n    print(one / 0)\n' in result.stderr


@pytest.mark.parametrize(("code", "status"), [("3", 3), ("", 0), ("None", 0)])
def test_a_program_chooses_its_exit_status(framework: Framework, code: str, status: int) -> None:
    """sys.exit() ends the command."""
    Path("app.py").write_text(SHOP)

    assert framework("shell", typed=f"import sys\nsys.exit({code})\n").exit_code == status


def test_an_application_that_does_not_start_has_no_shell(framework: Framework) -> None:
    """The report is printed in place of a prompt."""
    Path("app.py").write_text(SHOP.replace("session: session", "session"))
    result = framework("shell", typed="print('prompt')\n")

    assert result.exit_code == 1
    assert "1 mistake keeps the application from starting" in result.output
    assert "\nprompt" not in result.output
