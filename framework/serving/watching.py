"""Find a changed or removed file of the program, for the development server."""

import os
import sys
from collections.abc import Iterator

# The time, the size and the number of a file. A file that replaces another may have an older time.
_State = tuple[int, int, int]

_SYSTEM = tuple({sys.prefix, sys.base_prefix, sys.exec_prefix, sys.base_exec_prefix})


class Files:
    """Watch the files of the imported modules, and the Python files in the folders of `sys.path`.

    The folders are watched, too, because a module with a mistake is not imported.
    """

    def __init__(self) -> None:
        self._states: dict[str, _State] = {}
        self._modules: set[str] = set()
        self._missing: set[str] = set()
        self.change()

    def change(self, *, is_new_a_change: bool = False) -> str | None:
        """Return a file that changed since the last call, or a module's file that is gone."""
        self._modules |= set(_files_of_modules())
        folders = set(_files_of_folders())
        found = {path: _state(path) for path in self._modules | folders}
        states = {path: state for path, state in found.items() if state is not None}
        before, self._states = self._states, self._states | states
        for path, state in states.items():
            # A module that is imported late, as those of Python are, is not a new file.
            is_new = is_new_a_change and path in folders
            if before.get(path, None if is_new else state) != state:
                return path
        missing = {path for path in self._modules & before.keys() if path not in states}
        # An editor may remove a file for a moment as it saves the file: a second look decides.
        gone, self._missing = missing & self._missing, missing
        for path in gone:
            del self._states[path]
        return min(gone, default=None)


def _files_of_modules() -> Iterator[str]:
    for module in list(sys.modules.values()):
        file = getattr(module, "__file__", None)
        if isinstance(file, str):
            yield os.path.abspath(file)


def _files_of_folders() -> Iterator[str]:
    for folder in dict.fromkeys(map(os.path.abspath, sys.path)):
        if not folder.startswith(_SYSTEM):
            yield from _files_below(folder)


def _files_below(folder: str, *, is_far: bool = False) -> Iterator[str]:
    """Yield the Python files of a folder, and of the folders in it.

    `is_far` says that the folder above has no Python file. If this folder has none either, the
    folders in it hold only data, and are not read.
    """
    files, folders = _listed(folder)
    if "pyvenv.cfg" in files:
        return
    modules = [os.path.join(folder, name) for name in files if name.endswith(".py")]
    yield from modules
    if modules or not is_far:
        for name in folders:
            path = os.path.join(folder, name)
            if not path.startswith(_SYSTEM):
                yield from _files_below(path, is_far=not modules)


def _listed(folder: str) -> tuple[list[str], list[str]]:
    files: list[str] = []
    folders: list[str] = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if not entry.is_dir(follow_symlinks=False):
                    files.append(entry.name)
                elif not entry.name.startswith((".", "__pycache__", "node_modules")):
                    folders.append(entry.name)
    # The folder of the path may not exist, or not be a folder.
    except OSError:
        pass
    return files, folders


def _state(path: str) -> _State | None:
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino
