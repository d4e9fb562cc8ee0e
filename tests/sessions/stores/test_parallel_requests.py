"""Two processes that do the same at once: updates of one session, and sign-ins of one user."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

redis = pytest.importorskip("redis", reason="redis-py is not installed")

from sessions.stores.redis import RedisStore  # noqa: E402
from sessions.stores.sqlite import SQLiteStore  # noqa: E402
from tests.support.parallel_requests import (  # noqa: E402
    Open,
    assert_limits_are_exact,
    assert_updates_are_exact,
)
from tests.support.redis_servers import WHY_NOT, redis_server, server_binary  # noqa: E402

pytestmark = pytest.mark.slow

needs_server = pytest.mark.skipif(server_binary() is None, reason=WHY_NOT)
KINDS: list[Any] = ["sqlite", pytest.param("redis", marks=needs_server)]


@pytest.fixture(params=KINDS)
def opening(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Open]:
    """Return what opens the store in each process."""
    if request.param == "sqlite":
        yield partial(SQLiteStore, tmp_path / "sessions.db")
        return
    with redis_server(tmp_path) as server:
        yield partial(RedisStore.from_url, server.url)


@pytest.mark.parametrize("check", [assert_updates_are_exact, assert_limits_are_exact])
def test_two_processes_at_once(opening: Open, check: Callable[[Open], None]) -> None:
    """No update is lost, and a limit is exact."""
    check(opening)
