"""Programs of users: they run, and type checkers see in them what their authors meant.

`make check` shows them to basedpyright as well, whose inference is another.
"""

import importlib
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent
PROGRAMS = sorted(path.stem for path in FOLDER.glob("*.py") if "test_" not in path.stem)


@pytest.mark.slow
def test_mypy_accepts_them() -> None:
    """mypy --strict agrees with every `assert_type`."""
    pytest.importorskip("mypy", reason="mypy is one of the tools of `make check`")

    command = [sys.executable, "-m", "mypy", "--strict", str(FOLDER)]
    done = subprocess.run(command, cwd=FOLDER.parent.parent, capture_output=True, text=True)

    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
def test_mypy_refuses_what_is_wrong(tmp_path: Path) -> None:
    """The markers hide no type: a wrong one is an error."""
    pytest.importorskip("mypy", reason="mypy is one of the tools of `make check`")
    program = tmp_path / "wrong.py"
    program.write_text(
        "from framework import Query\n\ndef f(x: Query[int]) -> str:\n    return x\n"
    )

    command = [sys.executable, "-m", "mypy", "--strict", str(program)]
    done = subprocess.run(command, cwd=FOLDER.parent.parent, capture_output=True, text=True)

    assert 'got "int", expected "str"' in done.stdout


@pytest.mark.parametrize("program", [name for name in PROGRAMS if not name.startswith("__")])
def test_a_program_runs(program: str) -> None:
    """What type checkers accept is a working program."""
    assert importlib.import_module(f"tests.typing.{program}")
