"""`framework new`: the project it writes, and the names it refuses."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.support.commands import Framework


def run_in(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=folder, capture_output=True, text=True)


@pytest.mark.slow
def test_a_project_passes_its_own_tests(framework: Framework, tmp_path: Path) -> None:
    """The tests of a new project pass before any change."""
    framework("new", "shop")
    done = run_in(tmp_path / "shop", sys.executable, "-m", "pytest", "-q")

    assert done.returncode == 0, done.stdout
    assert "3 passed" in done.stdout


@pytest.mark.slow
def test_a_project_has_strict_types(framework: Framework, tmp_path: Path) -> None:
    """A new project passes its own type check."""
    pytest.importorskip("mypy", reason="mypy is one of the tools of `make check`")
    framework("new", "shop")
    done = run_in(tmp_path / "shop", sys.executable, "-m", "mypy", "--strict")

    assert done.returncode == 0, done.stdout
    assert "no issues found in 6 source files" in done.stdout


def test_a_project_is_found_by_the_commands(
    framework: Framework, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """pyproject.toml of the project names its application."""
    framework("new", "shop")
    monkeypatch.chdir(tmp_path / "shop")
    result = framework("check")

    assert result.output.startswith("shop.app:app starts: 1 route in 1 controller")


def test_the_next_commands_are_shown(framework: Framework) -> None:
    """The command names the new folder and says how to start the project."""
    assert framework("new", "shop").output == (
        "Wrote shop/. Next:\n\n"
        "  cd shop\n"
        "  framework run                       # http://127.0.0.1:8000\n"
        "  python -m pip install pytest mypy   # once, for its tests\n"
        "  python -m pytest\n"
    )


def test_the_page_of_a_project_installs_the_tools_that_it_names(framework: Framework) -> None:
    """The README installs the tools of the group `test` before it uses them."""
    framework("new", "shop")
    lines = Path("shop/README.md").read_text().splitlines()
    tools = tomllib.loads(Path("shop/pyproject.toml").read_text())["dependency-groups"]["test"]
    install = f"python -m pip install {' '.join(tools)}"
    uses = [number for number, line in enumerate(lines) if line.startswith("python -m ")]

    assert lines[uses[0]].startswith(install)
    assert [lines[number].split()[2] for number in uses[1:]] == tools


def test_an_existing_folder_is_left_alone(framework: Framework) -> None:
    """No file is overwritten."""
    Path("shop").mkdir()
    result = framework("new", "shop")

    assert result.exit_code == 1
    assert result.output == (
        "Error: The folder 'shop' cannot be made: File exists."
        " Fix: choose another name, or go to another folder.\n"
    )
    assert list(Path("shop").iterdir()) == []


@pytest.mark.parametrize(
    ("name", "similar"),
    [
        ("Cafe", "cafe"),
        ("my-shop", "my_shop"),
        ("a b", "a_b"),
        ("1shop", "shop"),
        ("../shop", "shop"),
        ("class", "shop"),
        ("", "shop"),
        ("żubr", "shop"),
    ],
)
def test_a_name_that_no_package_has_is_refused(
    framework: Framework, name: str, similar: str
) -> None:
    """The name must be a lowercase identifier, and not a keyword."""
    result = framework("new", name)

    assert result.exit_code == 1
    assert result.output == (
        f"Error: {name!r} cannot be the name of a package. Fix: use lowercase letters, digits and"
        f" '_', such as {similar!r}, and not a Python keyword.\n"
    )
    assert list(Path.cwd().iterdir()) == []


def test_a_missing_name_is_explained(framework: Framework) -> None:
    """The message shows the whole command."""
    assert framework("new").output == (
        "Error: the name is missing. Fix: write framework new shop\n"
    )


@pytest.mark.parametrize("name", ["json", "winreg", "framework", "sessions", "tests", "werkzeug"])
def test_a_name_of_another_module_is_refused(framework: Framework, name: str) -> None:
    """Otherwise the project would hide a module that it needs."""
    result = framework("new", name)

    assert result.exit_code == 1
    assert "is the name of another module" in result.output
    assert list(Path.cwd().iterdir()) == []
