"""Changes of files that the development server notices."""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from framework.serving.watching import Files


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a project on the path, with a module that is imported and one that is not."""
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    monkeypatch.setitem(sys.modules, "watched_shop", _module(tmp_path / "shop.py"))
    for name in ("shop.py", "other.py", "pages/deep/page.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("a = 1\n")
    return tmp_path


def _module(file: Path) -> ModuleType:
    module = ModuleType(file.stem)
    module.__file__ = str(file)
    return module


def _put_older(file: Path) -> None:
    backup = file.with_suffix(".bak")
    backup.write_text("a = 2\n")
    os.utime(backup, (1, 1))
    backup.replace(file)


def _keep_time(file: Path) -> None:
    times = file.stat().st_atime_ns, file.stat().st_mtime_ns
    file.write_text("a = 100\n")
    os.utime(file, ns=times)


def _touch_later(file: Path) -> None:
    later = file.stat().st_mtime + 2
    os.utime(file, (later, later))


@pytest.mark.parametrize("name", ["shop.py", "other.py", "pages/deep/page.py"])
@pytest.mark.parametrize("change", [_put_older, _keep_time, _touch_later])
def test_a_change_is_seen_once(project: Path, name: str, change: Callable[[Path], None]) -> None:
    """This includes a file that is replaced by an older one."""
    files = Files()
    change(project / name)

    assert files.change() == str(project / name)
    assert files.change() is None


def test_a_module_that_is_gone_is_seen(project: Path) -> None:
    """The second look reports the moved or deleted file, and the third does not."""
    files = Files()
    (project / "shop.py").rename(project / "moved.py")

    assert [files.change() for _ in range(3)] == [None, str(project / "shop.py"), None]


def test_a_file_that_is_away_for_a_moment_is_not_gone(project: Path) -> None:
    """An editor may save in this way; the new content is a normal change."""
    files = Files()
    (project / "shop.py").unlink()
    while_away = files.change()
    (project / "shop.py").write_text("a = 2  # new\n")

    assert while_away is None
    assert files.change() == str(project / "shop.py")


def test_a_file_that_no_module_needs_may_go(project: Path) -> None:
    """A deleted file that was not imported is not a change."""
    files = Files()
    (project / "other.py").unlink()

    assert [files.change() for _ in range(3)] == [None, None, None]


def test_a_new_file_is_a_change_where_that_is_asked_for(project: Path) -> None:
    """The new file may be the module that an import did not find."""
    files = Files()
    (project / "new.py").write_text("")
    (project / "tools").mkdir()
    (project / "tools" / "new.py").write_text("")

    assert files.change(is_new_a_change=True) in {
        str(project / "new.py"),
        str(project / "tools" / "new.py"),
    }
    (project / "newer.py").write_text("")
    assert files.change() is None


def test_a_module_that_is_imported_late_is_not_a_new_file(
    project: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Python imports some of its modules late, and the server would start again for each."""
    files = Files()
    late = tmp_path_factory.mktemp("python") / "late.py"
    late.write_text("")
    monkeypatch.setitem(sys.modules, "watched_late", _module(late))

    assert files.change(is_new_a_change=True) is None
    late.write_text("a = 1")
    assert files.change(is_new_a_change=True) == str(late)


@pytest.mark.parametrize("folder", [".git", "__pycache__", "node_modules", "venv", "a/b/c"])
def test_folders_without_modules_of_the_project_are_not_looked_at(
    project: Path, folder: str
) -> None:
    """These are hidden folders, environments, and folders of data."""
    (project / folder).mkdir(parents=True)
    (project / folder / "data.py").write_text("")
    (project / "venv" if folder == "venv" else project / ".git").mkdir(exist_ok=True)
    if folder == "venv":
        (project / "venv" / "pyvenv.cfg").write_text("")
    files = Files()
    _touch_later(project / folder / "data.py")

    assert files.change() is None
