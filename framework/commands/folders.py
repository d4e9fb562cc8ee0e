"""The folders of the application's modules, and modules that Python finds elsewhere."""

import os
import sys
from collections.abc import Iterator
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import find_spec
from pathlib import Path

import click

from framework.advice.collisions import collision_in, collision_of


def folders() -> list[Path]:
    """Return the current folder and its folder `src`, in which a project can keep its packages."""
    here = Path.cwd()
    source = here / "src"
    return [here, source] if source.is_dir() else [here]


def prepare_path(module: str) -> None:
    """Add the folder `src` to Python's path; refuse modules named `framework` or `sessions`."""
    for folder in folders():
        message = collision_in(folder)
        if message is not None:
            raise click.ClickException(message)
    here, *sources = map(str, folders())
    top = module.partition(".")[0]
    for source in sources:
        if PathFinder.find_spec(top, [source]) is not None and source not in sys.path:
            # After the first entry, which is this folder.
            sys.path.insert(sys.path.index(here) + 1 if here in sys.path else 0, source)


def find_module(module: str) -> ModuleSpec | None:
    """Return where a module is, as far as that is possible without importing a module."""
    top, *inner = module.split(".")
    found = find_spec(top)
    for name in inner:
        places = None if found is None else found.submodule_search_locations
        if places is None:
            return None
        top = f"{top}.{name}"
        found = PathFinder.find_spec(top, places)
    return found


def hidden_file(module: str, found: ModuleSpec | None) -> Path | None:
    """Return the project's file for a module, if Python would import another file instead."""
    for file in _files(module):
        if found is None or not _is_file(found.origin, file):
            return file
        return None
    return None


def is_below(file: str | None) -> bool:
    """Return whether a file is in the current folder or below."""
    return file is not None and Path(file).is_relative_to(Path.cwd())


def advice_on(error: BaseException) -> str | None:
    """Return what to do after a failed import, if a folder is named `framework` or `sessions`."""
    return next(filter(None, (collision_of(error, folder) for folder in folders())), None)


def _files(module: str) -> Iterator[Path]:
    for folder in folders():
        place = folder.joinpath(*module.split("."))
        for file in (place / "__init__.py", place.with_suffix(".py")):
            if file.is_file():
                yield file


def _is_file(origin: str | None, file: Path) -> bool:
    return origin is not None and os.path.exists(origin) and os.path.samefile(origin, file)
