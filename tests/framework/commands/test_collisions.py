"""Modules of the user with the name of one of our packages, or of a Python module."""

import subprocess
import sys
from pathlib import Path

import pytest

from framework.advice.collisions import collision_in
from tests.support.commands import Framework
from tests.support.serving import FRAMEWORK

pytestmark = pytest.mark.slow

APP = """
from framework import Application, controller, get

@controller("/")
class Page:
    @get("/")
    def show(self) -> str:
        return "shown"

app = Application(Page)
"""
NAMES = ["sessions.py", "framework.py", "sessions/__init__.py", "framework/__init__.py"]
FRAMEWORK_COMMANDS = [("check",), ("routes",), ("run",), ("explain", "GET", "/"), ("shell",)]


def write(name: str, text: str = "LIMIT = 5\n") -> Path:
    file = Path(name)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return file


def message_about(place: Path, name: str) -> str:
    kind = "folder" if place.is_dir() else "file"
    return (
        f"The {kind} {str(place)!r} has the name of the package {name!r} of Satsuma, and Python"
        f" can import only one of the two. Fix: rename the {kind}, for example to"
        f" 'my_{place.name}', and change the imports of it.\n"
    )


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("command", FRAMEWORK_COMMANDS)
@pytest.mark.parametrize("folder", [".", "src"])
def test_the_commands_name_the_module(
    framework: Framework, tmp_path: Path, name: str, command: tuple[str, ...], folder: str
) -> None:
    """The message comes even if the application does not import the module."""
    write("app.py", APP)
    file = write(f"{folder}/{name}")
    place = file.parent if file.name == "__init__.py" else file
    result = framework(*command)

    assert result.exit_code == 1
    assert result.output == f"Error: {message_about(tmp_path / place, place.stem)}"


@pytest.mark.parametrize("name", NAMES)
def test_a_new_project_beside_a_folder_of_our_name_gets_a_warning(
    framework: Framework, name: str
) -> None:
    """The project itself works, but nothing in the folder around it does."""
    write(name)
    result = framework("new", "shop")

    assert result.exit_code == 0
    assert "Nothing that runs in " in result.output
    assert f"has the name of the package {name.partition('/')[0].removesuffix('.py')!r}" in (
        result.output
    )


@pytest.mark.parametrize("name", ["sessions", "framework"])
def test_a_project_does_not_get_a_name_of_ours(framework: Framework, name: str) -> None:
    """This also holds if a file or folder with the name exists."""
    write(f"{name}/data.txt")

    assert "is the name of another module" in framework("new", name).output


@pytest.mark.parametrize("name", ["sessions/data.json", "sessions/old/data.py", "my_sessions.py"])
def test_a_folder_of_data_with_our_name_is_not_a_collision(framework: Framework, name: str) -> None:
    """A folder of data may be called sessions."""
    write("app.py", APP)
    write(name)

    assert framework("check").output.startswith("app:app starts: 1 route in 1 controller")


def test_a_checkout_of_the_project_is_not_a_collision() -> None:
    """A checkout of this project contains our packages themselves."""
    assert collision_in(Path(__file__).parents[3]) is None


def test_a_folder_without_init_is_named_when_an_import_fails(
    framework: Framework, tmp_path: Path
) -> None:
    """Python prefers our package to a folder without `__init__.py`."""
    write("app.py", f"from sessions.limits import LIMIT\n{APP}")
    write("sessions/limits.py")
    output = framework("check").output

    assert "No module named 'sessions.limits'" in output
    assert message_about(tmp_path / "sessions", "sessions") in output


@pytest.mark.parametrize("name", ["sessions.py", "sessions/__init__.py"])
@pytest.mark.parametrize(
    "program",
    [
        [sys.executable, "app.py"],
        [sys.executable, "-c", "import app"],
        [sys.executable, "-c", "import sessions, framework"],
        [sys.executable, "-c", "from framework.settings import HTTPSettings"],
        [sys.executable, "-m", "framework", "check"],
        [sys.executable, "-m", "pytest", "-q", "test_app.py"],
        [sys.executable, "-m", "uvicorn", "--interface", "wsgi", "app:app"],
    ],
    ids=lambda program: " ".join(program[1:3]),
)
def test_the_import_of_ours_names_the_module(tmp_path: Path, name: str, program: list[str]) -> None:
    """If Python finds the user's module first, `import framework` says so."""
    for file, text in {"app.py": APP, "test_app.py": "import app\n", name: "LIMIT = 5\n"}.items():
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).write_text(text)
    done = subprocess.run(program, cwd=tmp_path, capture_output=True, text=True)

    assert done.returncode != 0
    place = tmp_path / name.removesuffix("/__init__.py")
    assert message_about(place, "sessions").strip() in done.stdout + done.stderr


def test_the_plugin_of_pytest_names_the_module(tmp_path: Path) -> None:
    """The plugin is imported before the folder of the tests is on the path."""
    (tmp_path / "sessions.py").write_text("LIMIT = 5\n")
    (tmp_path / "test_limit.py").write_text("from sessions import LIMIT\n")
    pytest_alone = str(Path(sys.executable).with_name("pytest"))
    done = subprocess.run(
        [pytest_alone, "-p", "framework.pytest_plugin"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )

    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert message_about(tmp_path / "sessions.py", "sessions").strip() in done.stderr


@pytest.mark.parametrize("module", ["site", "code", "types", "json", "token", "time", "click"])
@pytest.mark.parametrize("named_by", ["command line", "pyproject.toml"])
def test_an_application_with_a_name_that_is_taken(
    framework: Framework, module: str, named_by: str
) -> None:
    """The message names the user's file and the file that Python has imported."""
    write(f"{module}.py", APP)
    write("pyproject.toml", f'[tool.framework]\napp = "{module}:app"\n')
    result = framework("check", *([f"{module}:app"] if named_by == "command line" else []))

    assert result.exit_code == 1
    assert f"names the module {module!r}, but Python finds " in result.output
    assert result.output.endswith(
        f" instead of {module}.py. Fix: rename {module!r}, for example to '{module}_app'.\n"
    )
    file = getattr(sys.modules[module], "__file__", None)
    assert (file or "a built-in module") in result.output


def test_a_package_with_a_name_that_is_taken(framework: Framework) -> None:
    """Python prefers every package to a folder without `__init__.py`."""
    write("json/shop.py", APP)

    assert "instead of json/shop.py. Fix: rename 'json'" in framework("check", "json.shop").output


def test_a_module_of_python_has_no_application(framework: Framework) -> None:
    """The message names the file, because it does not belong to the user."""
    import json

    assert framework("check", "json:app").output == (
        f"json:app does not exist in {json.__file__}. Fix: make one with Application(...).\n"
    )


@pytest.mark.parametrize("start", [["-m", "framework"], ["-m", "framework.cli"]])
def test_python_runs_the_commands(tmp_path: Path, start: list[str]) -> None:
    """`python -m framework` works like the script, with the same exit status."""
    (tmp_path / "app.py").write_text(APP)
    passed, failed = (
        subprocess.run(
            [sys.executable, *start, "check", name], cwd=tmp_path, capture_output=True, text=True
        )
        for name in ("app:app", "nomodule:app")
    )

    assert (passed.returncode, failed.returncode) == (0, 1)
    assert passed.stdout == "app:app starts: 1 route in 1 controller, no sessions.\n"
    assert "names the module 'nomodule'" in failed.stderr


def test_packages_may_stand_in_src(framework: Framework, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command works from the project's folder and from `src`."""
    write("pyproject.toml", '[tool.framework]\napp = "shop:app"\n')
    write("src/shop/__init__.py", "from shop.pages import app\n")
    write("src/shop/pages.py", APP)
    outside = framework("check").output
    above = Path.cwd()
    monkeypatch.chdir(above / "src")

    assert outside.startswith("shop:app starts: 1 route")
    assert framework("check", "shop:app").output.startswith("shop:app starts: 1 route")
    assert f"go to {above}, whose pyproject.toml names" in framework("check").output


def test_a_module_that_is_in_neither_folder(tmp_path: Path) -> None:
    """If neither folder has the module, the message names both."""
    (tmp_path / "src").mkdir()
    done = subprocess.run(
        [FRAMEWORK, "run", "shpo:app"], cwd=tmp_path, capture_output=True, text=True
    )

    assert f"{tmp_path} and {tmp_path / 'src'} hold no shpo.py." in done.stderr
