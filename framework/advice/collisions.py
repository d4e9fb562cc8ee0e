"""Modules of the application that are named like a package: `framework` or `sessions`.

Python imports the module or package that it finds first under a name. It cannot import a second
module with this name, and its message does not say why. `framework` imports this module before all
others, so this module imports nothing from the two packages.
"""

import os
import sys
from importlib.machinery import PathFinder
from importlib.util import find_spec
from pathlib import Path

_PACKAGES = Path(__file__).parent.parent.parent
NAMES = ("framework", "sessions")
"""The names that a module of the application must not have."""
# A checkout of this project has the packages themselves, perhaps beside an installed version.
_FILES_OF_OURS = {"framework": "pytest_plugin.py", "sessions": "edges.py"}


def require_our_sessions() -> None:
    """Raise ImportError if `import sessions` finds a module of the application."""
    found = _found("sessions")
    ours = _PACKAGES / "sessions" / "__init__.py"
    if found is None or not ours.is_file() or os.path.samefile(found, ours):
        return
    raise ImportError(_message(_top(found)), name="sessions", path=str(found))


def collision_in(folder: Path) -> str | None:
    """Return the message about a module `framework` or `sessions` in the folder, or None."""
    for name in NAMES:
        spec = PathFinder.find_spec(name, [str(folder)])
        file = None if spec is None or spec.origin is None else Path(spec.origin)
        if file is not None and not _is_ours(name, file):
            return _message(_top(file))
    return None


def collision_of(error: BaseException, folder: Path) -> str | None:
    """Return the message about a folder `framework` or `sessions` after a failed import, or None.

    The folder belongs to the application and has no `__init__.py`, so Python imports our package
    in place of the folder.
    """
    name = (getattr(error, "name", None) or "").partition(".")[0]
    place = folder / name
    if not isinstance(error, ImportError) or name not in NAMES or not place.is_dir():
        return None
    return None if _is_ours(name, place / "__init__.py") else _message(place)


def _found(name: str) -> Path | None:
    """Return the file that `import name` imports, or has imported before."""
    if name in sys.modules:
        file = getattr(sys.modules[name], "__file__", None)
    else:
        spec = find_spec(name)
        file = None if spec is None else spec.origin
    return Path(file) if file and os.path.isfile(file) else None


def _is_ours(name: str, file: Path) -> bool:
    return file.with_name(_FILES_OF_OURS[name]).is_file()


def _top(file: Path) -> Path:
    return file.parent if file.stem == "__init__" else file


def _message(place: Path) -> str:
    name = place.name.partition(".")[0]
    kind = "folder" if place.is_dir() else "file"
    return (
        f"The {kind} {str(place)!r} has the name of the package {name!r} of Satsuma, and Python can"
        f" import only one of the two. Fix: rename the {kind}, for example to"
        f" {place.name.replace(name, f'my_{name}', 1)!r}, and change the imports of it."
    )
