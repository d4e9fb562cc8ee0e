"""Every line of docs/behaviours.md names its tests, and only this page uses its numbers."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from sessions.testing import AsyncStoreContract, StoreContract

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "behaviours.md"

TEST = re.compile(r"\[`(?P<path>[\w/]+\.py)::(?P<name>[\w:]+)`\]\(\.\./(?P<link>[\w/.]+)\)")
NUMBER = re.compile(r"[SF]\d+[a-z]?")
NUMBER_IN_NAME = re.compile(r"(?<![^\W_])([sf]\d+[a-z]?)(?![^\W_])", re.IGNORECASE)
WITHOUT_TESTS = ("Not yet", "Known to be missing")
CONTRACT = "sessions/testing/"

Documented = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


class Line(NamedTuple):
    """A line of the list."""

    section: str
    number: str
    text: str
    last: str


class Named(NamedTuple):
    """A test that a line names."""

    path: str
    name: str
    link: str


def _lines() -> Iterator[Line]:
    section = ""
    for row in PAGE.read_text(encoding="utf-8").splitlines():
        if row.startswith("## "):
            section = row.removeprefix("## ")
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", row)[1:-1]]
        if section and len(cells) == 3 and cells[0].strip("-"):
            yield Line(section, *cells)


LINES = [*_lines()]
TESTS = sorted({Named(**found.groupdict()) for line in LINES for found in TEST.finditer(line.last)})


def defined(path: Path) -> set[str]:
    """Return the tests of a file by name; a test of a class has the class in its name."""
    names = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        names |= {node.name} if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) else set()
        if isinstance(node, ast.ClassDef):
            methods = [
                n for n in node.body if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)
            ]
            names |= {f"{node.name}::{method.name}" for method in methods}
    return names


def test_every_line_has_a_number_and_says_something() -> None:
    """Otherwise the other tests would miss a row without a cell."""
    rows = [row for row in PAGE.read_text("utf-8").splitlines() if NUMBER.match(row.strip("| "))]

    assert len(rows) == len(LINES)
    assert [line for line in LINES if not NUMBER.fullmatch(line.number)] == []
    assert [line for line in LINES if not (line.text and line.last)] == []


def test_no_number_stands_twice() -> None:
    """Each number belongs to one behaviour."""
    numbers = [line.number for line in LINES]

    assert sorted(numbers) == sorted(set(numbers))


def test_every_line_names_a_test() -> None:
    """Only lines of features that do not exist yet have no test."""
    for line in LINES:
        left = TEST.sub("", line.last).strip()

        assert (not TEST.search(line.last)) if line.section in WITHOUT_TESTS else (not left), line


@pytest.mark.parametrize("test", TESTS, ids=lambda test: f"{test.path}::{test.name}")
def test_a_named_test_exists(test: Named) -> None:
    """Its file defines it, and the link leads to that file."""
    assert test.name.rpartition("::")[2].startswith("test_")
    assert test.link == test.path
    assert test.name in defined(ROOT / test.path)


@pytest.mark.parametrize(
    "test", [t for t in TESTS if t.path.startswith(CONTRACT)], ids=lambda t: t.name
)
def test_a_named_test_of_the_contract_exists(test: Named) -> None:
    """Such a test runs only as part of a suite that stores subclass."""
    owner, _, name = test.name.partition("::")

    bases = {base.__name__ for suite in (StoreContract, AsyncStoreContract) for base in suite.mro()}
    assert owner in bases
    assert hasattr(StoreContract, name)


@pytest.mark.parametrize("folder", ["tests", "sessions/testing"])
def test_no_test_cites_a_number(folder: str) -> None:
    """Test names are words; only the page knows the numbers."""
    numbers = {line.number.lower() for line in LINES}
    citing = [
        f"{path.relative_to(ROOT)}:{where} {text}"
        for path in sorted((ROOT / folder).rglob("*.py"))
        for where, text in _names_and_docstrings(path)
        if numbers.intersection(number.lower() for number in NUMBER_IN_NAME.findall(text))
    ]

    assert citing == []


def _names_and_docstrings(path: Path) -> Iterator[tuple[int, str]]:
    yield 0, path.stem
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, Documented):
            yield getattr(node, "lineno", 1), ast.get_docstring(node) or ""
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.lineno, node.name
