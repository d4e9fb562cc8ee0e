"""The benchmarks run, and check the work that they measure."""

import os
import shutil
import subprocess
from concurrent.futures import ProcessPoolExecutor
from contextlib import redirect_stdout
from importlib.util import find_spec
from io import StringIO
from multiprocessing import get_context
from pathlib import Path

import pytest

from tests.benchmarks.__main__ import run
from tests.benchmarks.floor import Floor
from tests.benchmarks.measuring import measure
from tests.benchmarks.peers import bare
from tests.benchmarks.pieces import pieces
from tests.benchmarks.report import TARGETS
from tests.benchmarks.servers import TITLES
from tests.benchmarks.stages import STAGES
from tests.benchmarks.versions import (
    ROOT,
    VERSIONS,
    NoRevisionError,
    WorkerError,
    beside,
    checked_out,
)
from tests.benchmarks.visitor import Visitor, WrongAnswerError
from tests.support.redis_servers import server_binary
from tests.support.sql_servers import postgresql_folder

pytestmark = pytest.mark.slow

PEERS = ("falcon", "bottle", "flask", "beaker", "flask_session", "django")
NO_REVISION = "no-such-revision"

needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Return a repository with one commit, tagged `first`, and a change since."""
    repository = tmp_path / "repository"
    repository.mkdir()
    note = repository / "note"
    note.write_text("before")
    _git(repository, "init", "--quiet")
    _git(repository, "add", "note")
    _git(repository, "-c", "user.name=a", "-c", "user.email=a@b", "commit", "--quiet", "-m", "a")
    _git(repository, "tag", "first")
    note.write_text("now")
    return repository


@pytest.mark.skipif(
    not all(find_spec(peer) for peer in PEERS),
    reason="the peers are installed by `make bench`, not by `make test`",
)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_one_round_measures_every_target(tmp_path: Path) -> None:
    """A single round verifies every contender; without a version before, its targets are absent."""
    # A process has one set of settings of Django, and other tests of this process have theirs.
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as executor:
        executor.submit(_check_one_round, str(tmp_path)).result()


def _check_one_round(folder: str) -> None:
    printed = StringIO()
    with redirect_stdout(printed):
        results, _ = run(folder, rounds=1, before=NO_REVISION)

    assert NO_REVISION in printed.getvalue()
    has_servers = server_binary() is not None and postgresql_folder() is not None
    absent = {VERSIONS} if has_servers else {VERSIONS, *TITLES}
    assert results.targets == [target for target in TARGETS if target.group not in absent]
    assert all(results.ratio(target) > 0 for target in results.targets)
    assert all(stage.name in results.markdown() for stage in STAGES)


def test_two_versions_are_measured_in_turn() -> None:
    """Each version serves the cases from its own folder, in a process of its own."""
    with beside(ROOT) as cases:
        seconds = measure(cases, rounds=1)

    measured = {(case.case, case.version): spent for case, spent in seconds.items()}
    assert {target.ours for target in TARGETS if target.group == VERSIONS} == {
        case.name for case in cases if case.version == "now"
    }
    assert all(spent > 0 for spent in measured.values())


def test_every_stage_consists_of_pieces() -> None:
    """Each piece that a stage adds or subtracts is measured, of a read or of a write."""
    measured = {piece.name for piece in measure([*pieces()], rounds=1)}

    named = {
        name
        for stage in STAGES
        for names in (stage.of, stage.less, stage.floor, stage.floor_less)
        for name in names
    }
    assert named - measured == set()


def test_a_version_without_applications_is_not_measured(tmp_path: Path) -> None:
    """A folder without a version of this project is refused."""
    with pytest.raises(WorkerError, match="could not be measured"), beside(tmp_path):
        pytest.fail("a folder without applications was measured")


@needs_git
def test_a_version_is_checked_out_for_a_while(repository: Path) -> None:
    """The folder has the old revision, and is removed at the end."""
    with checked_out("first", repository) as root:
        content = (root / "note").read_text()

    assert content == "before"
    assert not root.exists()
    assert _git(repository, "worktree", "list").count("\n") == 1


@needs_git
def test_a_version_is_removed_after_an_error(repository: Path) -> None:
    """An interruption leaves no worktree behind."""
    with pytest.raises(KeyboardInterrupt), checked_out("first", repository):
        raise KeyboardInterrupt

    assert _git(repository, "worktree", "list").count("\n") == 1


@needs_git
def test_a_revision_that_is_not_there_is_told(repository: Path) -> None:
    """An unknown revision is refused with git's own words."""
    with pytest.raises(NoRevisionError, match=NO_REVISION), checked_out(NO_REVISION, repository):
        pytest.fail("a revision that is not there was checked out")


def test_the_floor_signs_and_merges() -> None:
    """The floor refuses a cookie that it did not sign, and keeps values that others set."""
    floor = Floor()
    visitor = Visitor(floor)
    visitor.expect("/write", "1")
    environ = visitor.environ("/write")
    early, late = floor.open(environ), floor.open(environ)
    early.values["early"] = late.values["late"] = True

    floor.close(early, [])
    floor.close(late, [])

    assert {*floor.open(environ).base} == {"count", "early", "late"}
    assert floor.open({**environ, "HTTP_COOKIE": environ["HTTP_COOKIE"][:-1]}).key is None


def test_a_wrong_answer_is_not_measured() -> None:
    """A contender with a wrong answer is refused before it is timed."""
    visitor = Visitor(bare)

    with pytest.raises(WrongAnswerError, match="not 'Hello, grace!'"):
        visitor.expect("/hello/ada", "Hello, grace!")


def _git(repository: Path, *arguments: str) -> str:
    # A hook of git, which may run these tests, names its own repository there.
    environment = {name: value for name, value in os.environ.items() if name[:4] != "GIT_"}
    command = ["git", "-C", str(repository), *arguments]
    return subprocess.run(
        command, env=environment, check=True, capture_output=True, text=True
    ).stdout
