"""Two processes that do the same at once, on a server that speaks MongoDB's protocol."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

pymongo = pytest.importorskip("pymongo", reason="pymongo is not installed")

from sessions.stores.mongo import MongoStore  # noqa: E402
from tests.support.mongo_servers import WHY_NOT, has_server, mongo_server  # noqa: E402
from tests.support.parallel_requests import (  # noqa: E402
    Open,
    assert_limits_are_exact,
    assert_updates_are_exact,
)

pytestmark = pytest.mark.skipif(not has_server(), reason=WHY_NOT)


@pytest.mark.parametrize("check", [assert_updates_are_exact, assert_limits_are_exact])
def test_two_processes_at_once(tmp_path: Path, check: Callable[[Open], None]) -> None:
    """No update is lost, and a limit is exact."""
    with mongo_server(tmp_path) as server:
        check(partial(MongoStore.from_url, server.url))
