"""One version of this project in its own process, which times cases on request.

`python -m tests.benchmarks.worker ROOT FOLDER`: the applications are those of ROOT, and so are the
packages that they use; visitor and stopwatch are those of the folder in which it was started. Each
line of its input names a case and a number of calls; it answers the seconds of one call. At the end
of its input it checks that the writes were kept.
"""

import sys
from collections.abc import Iterator
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import TextIO

from tests.benchmarks.measuring import Contender
from tests.benchmarks.visitor import WrongAnswerError, count_of, counted, greeted

HELLO = "hello"
MEMORY_READ, MEMORY_WRITE = "memory read", "memory write"
SQLITE_READ, SQLITE_WRITE = "SQLite read", "SQLite write"
CASES = (HELLO, MEMORY_READ, MEMORY_WRITE, SQLITE_READ, SQLITE_WRITE)


def serve(root: Path, folder: Path, orders: TextIO, answers: TextIO) -> None:
    """Time slices until there are no more orders."""
    cases = {contender.name: contender for contender in _cases(_applications(root), folder)}
    done = dict.fromkeys(cases, 0)
    print("ready", file=answers, flush=True)
    for order in orders:
        name, _, calls = order.rpartition(" ")
        print(cases[name].seconds(int(calls)), file=answers, flush=True)
        done[name] += int(calls)
    for name in (MEMORY_WRITE, SQLITE_WRITE):
        count = count_of(cases[name].application, cases[name].environ)
        if count < done[name]:
            raise WrongAnswerError(f"{name} of {root} kept {count} of {done[name]} writes")


def _applications(root: Path) -> ModuleType:
    """Import the applications of a version; make sure that its own packages serve them."""
    sys.path.insert(0, str(root))
    name = "tests.benchmarks.ours"
    spec = spec_from_file_location(name, root / "tests" / "benchmarks" / "ours.py")
    if spec is None or spec.loader is None:
        raise ImportError(f"{root} has no tests/benchmarks/ours.py to measure")
    ours = sys.modules[name] = module_from_spec(spec)
    spec.loader.exec_module(ours)
    for package in ("framework", "sessions"):
        origin = sys.modules[package].__file__ or "nowhere"
        if not Path(origin).is_relative_to(root):
            raise ImportError(f"{package} came from {origin}, not from the version in {root}")
    return ours


def _cases(ours: ModuleType, folder: Path) -> Iterator[Contender]:
    hello = ours.hello()
    yield Contender(group="", name=HELLO, application=hello, environ=greeted(hello))
    memory, sqlite = ours.in_memory(), ours.in_sqlite(f"{folder}/sessions.db")
    for names, application in (
        ((MEMORY_READ, MEMORY_WRITE), memory),
        ((SQLITE_READ, SQLITE_WRITE), sqlite),
    ):
        for name, environ in zip(names, counted(application), strict=True):
            yield Contender(group="", name=name, application=application, environ=environ)


if __name__ == "__main__":
    answers, sys.stdout = sys.stdout, sys.stderr
    serve(Path(sys.argv[1]).resolve(), Path(sys.argv[2]), sys.stdin, answers)
