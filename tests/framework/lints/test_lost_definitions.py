"""Definitions that another definition replaces, without a message of Python."""

import importlib.util
import re
import sys
import textwrap
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

import pytest

from framework.report import Mistake
from tests.support.redefinitions import HEAD, KEPT, LOST
from tests.support.small_applications import problems_of


def module_of(program: str, folder: Path) -> ModuleType:
    """Import a program from a file of its own."""
    file = folder / "shop.py"
    file.write_text(HEAD + textwrap.dedent(program), encoding="utf-8")
    spec = importlib.util.spec_from_file_location("shop", file)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def lost_in(
    program: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[Sequence[Mistake], list[str]]:
    """Return the mistakes of a program, and the places that its comments mark."""
    module = module_of(program, folder)
    monkeypatch.setitem(sys.modules, "shop", module)
    classes = [
        getattr(module, name)
        for name in ("Settings", "Jobs", "Pages", "Others")
        if hasattr(module, name)
    ]
    lines = enumerate((folder / "shop.py").read_text(encoding="utf-8").splitlines(), 1)
    return problems_of(*classes), [f"shop.py:{at})" for at, line in lines if "# lost" in line]


@pytest.mark.parametrize("program", LOST.values(), ids=LOST)
def test_a_definition_that_is_lost_is_a_mistake(
    program: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Start-up names each lost definition, with its own line."""
    mistakes, marked = lost_in(program, tmp_path, monkeypatch)

    names = [mistake for mistake in mistakes if "name" in mistake.remedy]
    assert [re.sub(r".*/", "", mistake.where) for mistake in names] == marked


@pytest.mark.parametrize("program", KEPT.values(), ids=KEPT)
def test_a_definition_in_use_is_accepted(
    program: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An `if` with two definitions, a use of the first one, and an override are allowed."""
    mistakes, _ = lost_in(program, tmp_path, monkeypatch)

    assert [mistake for mistake in mistakes if "Application(…)" not in mistake.where] == []


def test_the_message_names_both_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message names the lost definition and the one that replaces it."""
    mistakes, _ = lost_in(LOST["two handlers"], tmp_path, monkeypatch)

    (mistake,) = mistakes
    assert mistake.what == "Pages.index is defined again in line 19, so this definition is lost"
    assert mistake.remedy == "Give one of the two another name."
