"""Errors that end a program: Python prints what to write instead."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from framework import Application, controller, get
from framework.advice.uncaught import explain_uncaught_errors

ROOT = Path(__file__).parents[2]
BEGINNING = """\
from framework import Application, controller, get

@controller("/")
class Pages:
    @get("/")
    def show(self) -> str:
        return "shown"

app = Application(Pages)
"""

# The last lines of a program, and the end of what Python prints.
PROGRAMS = [
    ('with app.test() as client:\n    client.get("/").json()', "Write .json without parentheses"),
    (
        'with app.test() as client:\n    client.session["a"] = 1',
        "Fix: write `with client.session() as session:`",
    ),
    (
        'with app.test() as client:\n    client.session.get("a")',
        "Fix: write `with client.session() as session:`",
    ),
    (
        'with app.test() as client:\n    session = client.session()\n    print("a" in session)',
        "Fix: write `with client.session() as session:`",
    ),
    ('client = app.test()\nclient.get("/")', "Fix: write `with app.test() as client:`"),
    ('client = app.test()\nclient["a"]', "Fix: write `with app.test() as client:`"),
    ("Application.test()", "and write app.test(...)."),
    ("Application.test(Pages)", "and write app.test(...)"),
    ("Application.run()", "and write app.run(...)"),
    ('Application.url_for("Pages.show")', "and write app.url_for(...)."),
    ("Pages.show()", "make an object of Pages first, and call show() on the object"),
    ("from framework import cors\ncors(origins=[])", "Write `from framework.cors import CORS`."),
    ("import datetime\ndatetime.now()", "Write datetime.datetime, the class"),
    ("import datetime\ndef f(day: datetime | None): ...", "Write datetime.datetime, the class"),
    (
        'from sessions import session\nsession["a"] = 1',
        "Write `from framework import session`, and let the handler take session: session.",
    ),
    (
        'from framework.static import StaticFiles\nStaticFiles("/static", "static")',
        'folder = Path(__file__).with_name("static")` in the class;',
    ),
    (
        "from framework.static import StaticFiles\nApplication(Pages, StaticFiles)",
        'write a class of your own, as in @controller("/files") class Files(StaticFiles)',
    ),
]


@pytest.mark.parametrize(("ending", "told"), PROGRAMS)
def test_a_program_that_ends_in_an_error_says_what_to_write(
    ending: str, told: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """The traceback ends in the user's file, and the remedy is the last line of all."""
    printed = _printed(BEGINNING + ending, tmp_path, capfd)

    *_, last = printed.rstrip().splitlines()
    assert "Fix: " in last
    assert told.lower() in last.lower()
    assert str(ROOT / "framework") not in printed


def test_python_itself_prints_the_remedy(tmp_path: Path) -> None:
    """The user does not have to turn anything on."""
    program = tmp_path / "app.py"
    program.write_text(BEGINNING + "app.config", encoding="utf-8")
    ended = subprocess.run(
        [sys.executable, str(program)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert ended.returncode == 1
    assert "line 10, in <module>" in ended.stderr
    assert "Fix: return a SessionContainer" in ended.stderr
    assert "advice" not in ended.stderr


def test_an_error_of_another_kind_is_printed_as_usual(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """No line is hidden, and none is added."""
    printed = _printed("from framework import get\n{}['x']", tmp_path, capfd)

    assert printed.endswith("KeyError: 'x'\n")
    assert "line 2, in <module>" in printed


def test_frames_of_ours_are_shown_where_the_error_is_not_deliberate(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """The error may be a bug of the packages, so its place is shown."""
    program = "from framework.report import location\nlocation(type('C', (), {'__qualname__': 1}))"
    printed = _printed(program, tmp_path, capfd)

    assert "line 2, in <module>" in printed


def test_a_hook_that_was_there_reports_the_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tools that collect errors have hooks of their own."""
    told: list[BaseException] = []
    monkeypatch.setattr(sys, "excepthook", lambda _, error, __: told.append(error))
    explain_uncaught_errors()
    explain_uncaught_errors()
    error = AttributeError("no", name="route", obj=Application(_pages()))
    sys.excepthook(type(error), error, None)

    assert told == [error]
    assert len(error.__notes__) == 1


def test_an_error_that_has_no_text_is_still_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    """The search for advice must not hide the error."""

    class Silent(Exception):
        def __str__(self) -> str:
            raise RuntimeError

    told: list[BaseException] = []
    monkeypatch.setattr(sys, "excepthook", lambda _, error, __: told.append(error))
    explain_uncaught_errors()
    error = Silent()
    sys.excepthook(type(error), error, None)

    assert told == [error]


def _pages() -> type:
    @controller("/")
    class Pages:
        @get("/")
        def show(self) -> str:
            return "shown"

    return Pages


def _printed(program: str, folder: Path, capfd: pytest.CaptureFixture[str]) -> str:
    """Run a program, and return what Python prints about the error that ends it."""
    file = folder / "app.py"
    file.write_text(program, encoding="utf-8")
    code = compile(program, str(file), "exec")
    try:
        exec(code, {"__name__": "app"})  # noqa: S102
    # The programs raise errors of any kind.
    except Exception as error:  # noqa: BLE001
        explain_uncaught_errors()
        # The frame of this function is not one of the program.
        trace = error.__traceback__ and error.__traceback__.tb_next
        sys.excepthook(type(error), error.with_traceback(trace), trace)
    return capfd.readouterr().err
