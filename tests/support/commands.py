"""The commands of `framework`, run in an empty folder of their own."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import pytest
from click.testing import CliRunner, Result

from framework.cli import main


class Framework(Protocol):
    """Run `framework` with arguments and typed input."""

    def __call__(self, *arguments: str, typed: str = "") -> Result: ...


@contextmanager
def commands_in(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Framework]:
    """Run the commands in a folder, and forget its modules afterwards."""
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "path", sys.path.copy())
    monkeypatch.delenv("SESSION_KEYS", raising=False)

    def run(*arguments: str, typed: str = "") -> Result:
        return CliRunner().invoke(main, arguments, input=typed)

    yield run
    for name, module in list(sys.modules.items()):
        if str(getattr(module, "__file__", None)).startswith(str(folder)):
            del sys.modules[name]
