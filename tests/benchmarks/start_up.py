"""How long an application takes to start, at first and again.

`python -m tests.benchmarks.start_up [ROOT] [NUMBER]`: the folder of the version to measure, this
one if it is left out, and a number of controllers, each of which has five handlers.
"""

import os
import sys
import tempfile
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

CONTROLLERS = 60

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


def main(root: str = ".", controllers: str = str(CONTROLLERS)) -> None:
    """Print the milliseconds of both starts."""
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
    handlers = 5 * count
    print(
        f"{handlers} handlers: the first start takes {first:.0f} ms, {first / handlers:.2f} each;"
    )
    ratio = second / first
    print(f"the second {second:.0f} ms, {second / handlers:.2f} each, {ratio:.2f} times as long")


def _milliseconds(run: Callable[[], object]) -> float:
    before = time.perf_counter()
    run()
    return (time.perf_counter() - before) * 1000


if __name__ == "__main__":
    main(*sys.argv[1:])
