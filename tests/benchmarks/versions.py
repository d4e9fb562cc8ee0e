"""This version and an earlier one: each in its own process, measured in turns."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.benchmarks.measuring import SLICE_SECONDS
from tests.benchmarks.worker import CASES

ROOT = Path(__file__).parent.parent.parent

VERSIONS = "this version and the one before"
BEFORE, NOW = "before", "now"


class NoRevisionError(Exception):
    """The earlier version cannot be found."""


class WorkerError(Exception):
    """A version could not be measured; its process has written why."""


@dataclass(frozen=True, eq=False, kw_only=True)
class VersionCase:
    """One case of one version, timed in the process of that version."""

    worker: "Worker"
    case: str
    version: str
    group: str = VERSIONS
    slice_seconds: float = SLICE_SECONDS

    @property
    def name(self) -> str:
        """Return case and version."""
        return name_of(self.case, self.version)

    def seconds(self, calls: int) -> float:
        """Return the seconds of one call, out of so many."""
        return self.worker.seconds(self.case, calls)


class Worker:
    """Let another process time the cases of one version."""

    def __init__(self, root: Path, folder: str) -> None:
        self._root = root
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.benchmarks.worker", str(root), folder],
            cwd=ROOT,
            # Two versions differ by their code, not by the order of their dictionaries.
            env={**os.environ, "PYTHONHASHSEED": "0"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> "Worker":
        try:
            self._answer()
        except WorkerError:
            self._process.communicate()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, *error: object) -> None:
        """End the process, which first checks that the writes were kept."""
        if kind is not None:
            self._process.kill()
        self._process.communicate()
        if kind is None and self._process.returncode != 0:
            raise self._failure()

    def seconds(self, case: str, calls: int) -> float:
        """Return the seconds of one call, out of so many."""
        try:
            print(case, calls, file=self._process.stdin, flush=True)
        except BrokenPipeError:
            raise self._failure() from None
        return float(self._answer())

    def _answer(self) -> str:
        answers = self._process.stdout
        answer = "" if answers is None else answers.readline()
        if not answer:
            raise self._failure()
        return answer

    def _failure(self) -> WorkerError:
        return WorkerError(f"the version in {self._root} could not be measured; see above")


@contextmanager
def beside(before: Path, now: Path = ROOT) -> Iterator[list[VersionCase]]:
    """Return every case of both versions; the two versions of a case are neighbours."""
    with ExitStack() as stack:
        workers = [
            (version, stack.enter_context(_worker(root)))
            for version, root in ((BEFORE, before), (NOW, now))
        ]
        yield [
            VersionCase(worker=worker, case=case, version=version)
            for case in CASES
            for version, worker in workers
        ]


@contextmanager
def checked_out(revision: str, repository: Path = ROOT) -> Iterator[Path]:
    """Give a folder with a revision of the repository; it is removed at the end.

    Raises NoRevisionError if there is no git, no repository or no such revision.
    """
    with TemporaryDirectory() as folder:
        root = Path(folder, "before")
        _git(repository, "worktree", "add", "--quiet", "--detach", str(root), revision)
        try:
            yield root.resolve()
        finally:
            _git(repository, "worktree", "remove", "--force", str(root))


def name_of(case: str, version: str) -> str:
    """Return the name of a case of one version."""
    return f"{case}, {version}"


@contextmanager
def _worker(root: Path) -> Iterator[Worker]:
    with TemporaryDirectory() as folder, Worker(root, folder) as worker:
        yield worker


def _git(repository: Path, *arguments: str) -> None:
    command = ["git", "-C", str(repository), *arguments]
    # A hook of git names its own repository there.
    environment = {name: value for name, value in os.environ.items() if name[:4] != "GIT_"}
    try:
        subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    except FileNotFoundError as error:
        raise NoRevisionError("there is no git on this machine") from error
    except subprocess.CalledProcessError as error:
        raise NoRevisionError(f"git says: {error.stderr.strip()}") from error
