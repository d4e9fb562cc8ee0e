"""Processes use shared sessions at random, in a server that speaks MongoDB's protocol."""

from functools import partial
from pathlib import Path

import pytest

pymongo = pytest.importorskip("pymongo", reason="pymongo is not installed")

from sessions.stores.mongo import MongoStore  # noqa: E402
from tests.support.history_workers import assert_nothing_lost, workers  # noqa: E402
from tests.support.mongo_servers import WHY_NOT, has_server, mongo_server  # noqa: E402

pytestmark = pytest.mark.skipif(not has_server(), reason=WHY_NOT)


def test_processes_on_a_server(tmp_path: Path) -> None:
    """The calls of this server are slow, so there are fewer of them."""
    with (
        mongo_server(tmp_path) as server,
        workers(tmp_path, partial(MongoStore.from_url, server.url)) as history,
    ):
        history.wait_for_more(300)

    assert_nothing_lost(history)


def test_a_server_that_is_frozen_for_a_while(tmp_path: Path) -> None:
    """The server may do the waiting calls later, so their outcome counts as unknown."""
    with (
        mongo_server(tmp_path) as server,
        workers(tmp_path, partial(MongoStore.from_url, server.url)) as history,
    ):
        history.wait_for_more(150)
        server.freeze()
        history.wait_for_a_failure()
        server.thaw()
        history.wait_for_more(150)

    assert_nothing_lost(history)
