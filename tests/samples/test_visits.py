"""The sample `visits` as a user runs it."""

import json
import sys
from pathlib import Path

from tests.support.serving import FRAMEWORK, Program, Visitor

RUN = (FRAMEWORK, "run", "samples.visits.app:app", "--port", "0")


def _visits(visitor: Visitor, url: str) -> int:
    status, body = visitor.get(url)
    assert status == 200, body
    count: int = json.loads(body)["visits"]
    return count


def test_the_count_rises_with_each_reload(tmp_path: Path) -> None:
    """A browser that reloads the page sees its own count rise; another starts at one."""
    ada, grace = Visitor(), Visitor()
    with Program(*RUN, folder=tmp_path) as program:
        url = program.url()
        counts = [_visits(ada, url), _visits(ada, url), _visits(grace, url)]

    assert counts == [1, 2, 1]


def test_the_count_goes_on_after_a_restart(tmp_path: Path) -> None:
    """The sessions and the key that signs their cookies outlive the process."""
    visitor = Visitor()
    counts = []
    for _ in range(2):
        with Program(*RUN, folder=tmp_path) as program:
            counts.append(_visits(visitor, program.url()))
            program.stop()

    assert counts == [1, 2]


def test_the_sample_runs_as_a_program(tmp_path: Path) -> None:
    """`app.run()` serves the application too."""
    code = "from samples.visits.app import app; app.run(port=0)"
    with Program(sys.executable, "-c", code, folder=tmp_path) as program:
        count = _visits(Visitor(), program.url())

    assert count == 1
