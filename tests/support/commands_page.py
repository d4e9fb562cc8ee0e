"""The page of commands: what it shows of each is what the command prints.

`python -m tests.support.commands_page` writes it anew.
"""

import re
import shlex
import tempfile
from pathlib import Path

import pytest

from tests.support.commands import commands_in

PAGE = Path(__file__).parents[2] / "docs" / "commands.md"

PROGRAM = re.compile(r"^```py\n(?P<program>.*?)^```$", re.MULTILINE | re.DOTALL)
SHOWN = re.compile(r"^\$ framework (?P<arguments>.+)\n(?P<output>(?:(?!```).*\n)*)", re.MULTILINE)


def written(page: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return the page with what its commands print about its program in a folder."""
    program = PROGRAM.search(page)
    (folder / "app.py").write_text(program["program"] if program else "", encoding="utf-8")

    def printed(shown: re.Match[str]) -> str:
        with commands_in(folder, monkeypatch) as framework:
            output = framework(*shlex.split(shown["arguments"])).output
        return f"$ framework {shown['arguments']}\n{output.replace(f'{folder}/', '')}"

    return SHOWN.sub(printed, page)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place, pytest.MonkeyPatch.context() as patch:
        PAGE.write_text(written(PAGE.read_text(encoding="utf-8"), Path(place), patch), "utf-8")
