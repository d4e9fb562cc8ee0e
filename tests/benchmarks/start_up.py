"""The processor time of the first and of the second start of an application.

`python -m tests.benchmarks.start_up [ROOT] [NUMBER]`: the folder of the version to measure, this
one if it is left out, and a number of controllers, each of which has five handlers.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from importlib import import_module
from pathlib import Path

SOURCE = """
from dataclasses import dataclass
from typing import Annotated

from framework import *


@service
class Names{number}: ...


@dataclass
class Item{number}:
    name: str
    price: int = 0


class LoggedIn{number}:
    def check(self, session: session) -> bool:
        return True


@controller("/items{number}")
class Items{number}:
    def __init__(self, names: Names{number}) -> None: ...

    @get("/<int:item_id>")
    def show(
        self, item_id: int, page: Annotated[int, query(ge=1)] = 1, q: str | None = None
    ) -> Item{number}: ...

    @post("/", status=201)
    def create(self, item: Body[Item{number}], session: Session) -> Item{number}: ...

    @get("/mine")
    @guard(LoggedIn{number})
    def mine(self, x_token: Header[str] = "") -> dict[str, int]: ...

    @get("/")
    def index(self) -> list[Item{number}]: ...

    @delete("/<int:item_id>")
    def delete(self, item_id: int) -> None: ...
"""


HANDLERS_OF_ONE = 5
SIZES = (60, 500)
"""The numbers of controllers that `make bench` measures."""

AT_MOST = {"first": 0.3, "second": 0.1}
"""The milliseconds that a handler may cost."""


@dataclass(frozen=True)
class StartUp:
    """The milliseconds of the first start of an application, and of another one after it."""

    handlers: int
    first: float
    second: float

    @property
    def first_each(self) -> float:
        """Return the milliseconds of one handler in the first start."""
        return self.first / self.handlers

    @property
    def second_each(self) -> float:
        """Return the milliseconds of one handler in the second start."""
        return self.second / self.handlers

    @property
    def shown(self) -> str:
        """Return the result as one line."""
        return (
            f"{self.handlers} handlers: the first start {self.first:.0f} ms,"
            f" {self.first_each:.2f} each; the second {self.second:.0f} ms,"
            f" {self.second_each:.2f} each"
        )

    def verdicts(self) -> Iterator[str]:
        """Yield a line for each target that says whether it was reached."""
        found = {"first": self.first_each, "second": self.second_each}
        for start, limit in AT_MOST.items():
            verdict = "pass" if round(found[start], 2) <= limit else "MISS"
            yield (
                f"  {verdict}  start-up: the {start} start of {self.handlers} handlers takes"
                f" {found[start]:.2f} ms each (at most {limit:g} ms)"
            )


def measured(root: Path, controllers: int) -> StartUp:
    """Measure a version in a process of its own, which has imported nothing else."""
    command = [sys.executable, "-m", "tests.benchmarks.start_up", str(root), str(controllers)]
    here = Path(__file__).parent.parent.parent
    answer = subprocess.run(command, cwd=here, capture_output=True, text=True, check=True)
    return StartUp(**json.loads(answer.stdout.splitlines()[-1]))


def main(root: str = ".", controllers: str = str(SIZES[0])) -> None:
    """Print the milliseconds of both starts, for a reader and for a program."""
    sys.path.insert(0, str(Path(root).resolve()))
    application = import_module("framework").Application
    count = int(controllers)
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        sys.path.insert(0, folder)
        for number in range(count):
            text = SOURCE.replace("{number}", str(number))
            Path(f"items{number}.py").write_text(text, encoding="utf-8")
        modules = [import_module(f"items{number}") for number in range(count)]
        first = _milliseconds(lambda: application(*modules))
        second = min(_milliseconds(lambda: application(*modules)) for _ in range(3))
    found = StartUp(HANDLERS_OF_ONE * count, first, second)
    print(found.shown)
    print(json.dumps(asdict(found)))


def _milliseconds(run: Callable[[], object]) -> float:
    before = time.process_time()
    run()
    return (time.process_time() - before) * 1000


if __name__ == "__main__":
    main(*sys.argv[1:])
