"""The benchmarks still run and still check what they measure."""

from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.benchmarks.__main__ import run
from tests.benchmarks.contenders import Visitor, WrongAnswerError
from tests.benchmarks.peers import bare
from tests.benchmarks.report import TARGETS

PEERS = ("falcon", "bottle", "flask", "beaker")


@pytest.mark.skipif(
    not all(find_spec(peer) for peer in PEERS),
    reason="the peers are installed by `make bench`, not by `make test`",
)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_one_round_measures_every_target(tmp_path: Path) -> None:
    """A single round verifies every contender and gives a ratio for each target."""
    results, _ = run(str(tmp_path), rounds=1)

    assert all(results.ratio(target) > 0 for target in TARGETS)


def test_a_wrong_answer_is_not_measured() -> None:
    """A contender that answers something else is refused before it is timed."""
    visitor = Visitor(bare)

    with pytest.raises(WrongAnswerError, match="not 'Hello, grace!'"):
        visitor.expect("/hello/ada", "Hello, grace!")
