"""The table of requirements in docs/security.md is complete, and its tests exist."""

import re

import pytest

from tests.test_behaviours import ROOT, TEST, Named, defined

ROW = re.compile(r"^\| (7\.\d\.\d) \|(.*)\|$", re.MULTILINE)
# The number of requirements in each section of the chapter.
SECTIONS = {1: 3, 2: 4, 3: 2, 4: 5, 5: 3, 6: 2}

ROWS = ROW.findall((ROOT / "docs" / "security.md").read_text(encoding="utf-8"))
TESTS = sorted({Named(**found.groupdict()) for _, row in ROWS for found in TEST.finditer(row)})


def test_each_requirement_has_one_row() -> None:
    """In the order of the standard."""
    expected = [f"7.{section}.{n + 1}" for section, count in SECTIONS.items() for n in range(count)]

    assert [number for number, _ in ROWS] == expected


def test_each_row_names_a_test() -> None:
    """And says what is asked, and where it is kept."""
    assert [number for number, row in ROWS if not TEST.search(row)] == []
    assert [
        number for number, row in ROWS if len([c for c in row.split("|") if c.strip()]) != 3
    ] == []


@pytest.mark.parametrize("test", TESTS, ids=lambda test: f"{test.path}::{test.name}")
def test_a_named_test_exists(test: Named) -> None:
    """Its file defines it, and the link leads to that file."""
    assert test.link == test.path
    assert test.name in defined(ROOT / test.path)
