"""The page of mistakes: its programs, run as app.py, and the messages it shows for them.

`python -m tests.support.errors_page` writes the messages anew.
"""

import logging
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.support.commands import commands_in

PAGE = Path(__file__).parents[2] / "docs" / "errors.md"

SECTION = re.compile(
    r"^## (?P<title>.+?)\n(?P<words>.*?)^```py\n(?P<program>.*?)^```\n"
    r"(?:\n```text\n(?P<message>.*?)^```\n)?",
    re.MULTILINE | re.DOTALL,
)
# The lines of a traceback in which versions of Python differ: marks, and all of a long statement.
MARKS = re.compile(r"^ *[\^~]+\n|^ *\.\.\.<\d+ lines>\.\.\.\n(?: {4}.*\n)*", re.MULTILINE)


class ShownMistake(NamedTuple):
    """A section of the page."""

    title: str
    program: str
    message: str


def mistakes() -> list[ShownMistake]:
    """Read the page."""
    page = PAGE.read_text(encoding="utf-8")
    return [
        ShownMistake(found["title"], found["program"], found["message"] or "")
        for found in SECTION.finditer(page)
    ]


def message_of(program: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return what `framework check` says about a program or, if it starts, what it logs."""
    (folder / "app.py").write_text(program, encoding="utf-8")
    with commands_in(folder, monkeypatch) as framework, _logged() as lines:
        result = framework("check")
    said = "\n".join(lines) + "\n" if lines else result.output
    return MARKS.sub("", said.replace(f"{folder}/", ""))


class _Lines(logging.Handler):
    """Keep log lines: one for the message, and one for its exception."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []

    def __enter__(self) -> list[str]:
        logging.getLogger().addHandler(self)
        return self.lines

    def __exit__(self, *_: object) -> None:
        logging.getLogger().removeHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(f"{record.levelname} {record.name}: {record.getMessage()}")
        if record.exc_info and record.exc_info[1]:
            error = record.exc_info[1]
            self.lines.append(f"{type(error).__name__}: {error}")


def _logged() -> _Lines:
    return _Lines()


def rewritten(page: str) -> Iterator[str]:
    """Yield the parts of the page, with every message that the framework gives now."""
    end = 0
    for found in SECTION.finditer(page):
        yield page[end : found.start()]
        end = found.end()
        with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
            message = message_of(found["program"], Path(folder), patch)
        head = f"## {found['title']}\n{found['words']}"
        yield f"{head}```py\n{found['program']}```\n\n```text\n{message}```\n"
    yield page[end:]


if __name__ == "__main__":
    PAGE.write_text("".join(rewritten(PAGE.read_text(encoding="utf-8"))), encoding="utf-8")
