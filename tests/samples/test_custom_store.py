"""The sample `custom_store`: a store that keeps the contract, and serves a site."""

import json
from functools import partial
from pathlib import Path

import pytest

from samples.custom_store.files import FileStore
from samples.custom_store.test_files import TestFileStore
from tests.support.history_workers import assert_nothing_lost, workers
from tests.support.serving import FRAMEWORK, Program, Visitor

__all__ = ["TestFileStore"]

pytestmark = pytest.mark.slow

RUN = (FRAMEWORK, "run", "samples.custom_store.app:app", "--port", "0")


def test_the_count_goes_on_after_a_restart(tmp_path: Path) -> None:
    """The sessions are files, which outlive the process."""
    visitor = Visitor()
    counts = []
    for _ in range(2):
        with Program(*RUN, folder=tmp_path) as program:
            status, body = visitor.get(program.url())
            assert status == 200, body
            counts.append(json.loads(body)["visits"])
            program.stop()

    assert counts == [1, 2]
    assert len([*(tmp_path / ".framework" / "sessions").glob("*.session")]) == 1


def test_processes_lose_nothing(tmp_path: Path) -> None:
    """No acknowledged change is lost, whatever the processes do at the same time."""
    history_folder = tmp_path / "history"
    history_folder.mkdir()
    with workers(history_folder, partial(FileStore, tmp_path / "sessions")) as history:
        history.wait_for_more(400)

    assert_nothing_lost(history)
