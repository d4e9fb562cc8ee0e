"""The MongoDB stores give out their expired records, each to one process."""

import asyncio
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest

pymongo = pytest.importorskip("pymongo", reason="pymongo is not installed")

from sessions import SessionContainer, SessionExpired, SessionManager  # noqa: E402
from sessions.errors import StoreUnavailable  # noqa: E402
from sessions.stores.base import PURGE_DELAY  # noqa: E402
from sessions.stores.mongo import AsyncMongoStore, MongoStore  # noqa: E402
from sessions.testing import SECRET, ManualClock, a_record, some_changes  # noqa: E402
from tests.support.apps import KEY  # noqa: E402
from tests.support.mongo_servers import (  # noqa: E402
    WHY_NOT,
    MongoServer,
    has_server,
    mongo_server,
    url_of,
)
from tests.support.tcp_proxy import passing, proxy_to  # noqa: E402
from tests.support.told_ends import ends_told_by_two_processes, expected_ends  # noqa: E402

pytestmark = pytest.mark.skipif(not has_server(), reason=WHY_NOT)

SESSIONS = 12
DAY = 24 * 3600.0


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MongoServer]:
    """Give a server."""
    with mongo_server(tmp_path_factory.mktemp("mongo")) as server:
        yield server


@pytest.fixture
def documents(server: MongoServer) -> Iterator[Any]:
    """Give the empty collection."""
    with pymongo.MongoClient(server.url) as client:
        collection = client["shop"]["sessions"]
        collection.delete_many({})
        yield collection


@pytest.fixture
def clock() -> ManualClock:
    """Return a clock that the test moves."""
    return ManualClock()


@pytest.fixture
def store(server: MongoServer, documents: Any, clock: ManualClock) -> Iterator[MongoStore]:
    """Give a store that gives out its expired records."""
    store = MongoStore.from_url(server.url)
    store.clock = clock
    store.collects_expired = True
    yield store
    store.close()


def test_two_processes_report_each_end_once(server: MongoServer, documents: Any) -> None:
    """Requests find the expired sessions at the same time as purges do."""
    opened = partial(MongoStore.from_url, server.url)

    ends = ends_told_by_two_processes(opened, SESSIONS, asynchronous=False)

    assert ends == expected_ends(SESSIONS)


def test_two_processes_with_event_loops_report_each_end_once(
    server: MongoServer, documents: Any
) -> None:
    """The asynchronous store does the same."""
    opened = partial(AsyncMongoStore.from_url, server.url)

    ends = ends_told_by_two_processes(opened, SESSIONS, asynchronous=True)

    assert ends == expected_ends(SESSIONS)


@pytest.mark.parametrize(("collects", "kept"), [(True, DAY), (False, PURGE_DELAY)])
def test_the_ttl_index_leaves_a_day_for_the_end(
    store: MongoStore, documents: Any, clock: ManualClock, collects: bool, kept: float
) -> None:
    """If nobody wants to know of the ends, an expired document goes after a minute."""
    store.collects_expired = collects
    for key in ("created", "touched", "committed"):
        store.create(key, a_record(clock, lives=100))
    store.touch("touched", SECRET, clock() + 200, clock())
    store.commit("committed", some_changes(clock, lives=300))
    store.add_to_user("ada", "created", clock() + 400)

    found = {one["_id"]: one["purge_at"].replace(tzinfo=UTC) for one in documents.find()}
    found["entry"] = found.pop(next(key for key in found if key.startswith("user:")))

    lives = {"created": 100, "touched": 200, "committed": 300, "entry": 400}
    for name, seconds in lives.items():
        assert found[name] == datetime.fromtimestamp(clock() + seconds + kept, UTC), name


def test_records_that_an_interrupted_purge_marked_are_not_returned(
    store: MongoStore, documents: Any, clock: ManualClock
) -> None:
    """The purge may have told these ends; its documents go after an hour, without an index, too."""
    store.create("key", a_record(clock, lives=100))
    clock.advance(1000)
    hour = datetime.fromtimestamp(clock() + 3600, UTC)
    documents.update_one({"_id": "key"}, {"$set": {"taken": "a mark", "purge_at": hour}})

    assert store.take_expired("key") is None
    assert store.purge_expired(10) == []
    assert documents.count_documents({}) == 1
    clock.advance(3601)
    assert store.purge_expired(10) == []
    assert documents.count_documents({}) == 0


def test_a_lost_reply_loses_no_end(server: MongoServer, store: MongoStore) -> None:
    """Wherever the connection is cut in a purge, each record is given out once."""
    store.clock = time.time
    keys = [f"key {number}" for number in range(10)]
    with proxy_to(server.port) as proxy:
        behind = MongoStore.from_url(f"{url_of(proxy.port)}&serverMonitoringMode=poll")
        behind.collects_expired = True
        cuts = 0
        for count in range(0, 6000, 400):
            for key in keys:
                assert store.create(key, a_record(time.time, expires_at=time.time() - 1000))
            assert behind.load("unknown") is None
            proxy.change = cut = CutOnce(count)

            given = purged(behind)
            cuts += cut.is_done
            proxy.change = passing

            assert sorted([*given, *purged(store)]) == keys, count
        behind.close()
    assert cuts > 5


def test_get_says_that_the_session_has_expired(server: MongoServer, documents: Any) -> None:
    """Also without listeners, until the server removes the document."""
    clock = ManualClock()
    container = SessionContainer(keys=[KEY], store=MongoStore.from_url(server.url), clock=clock)
    manager = SessionManager(container)
    session = manager.create({"a": 1})
    clock.advance(DAY)

    with pytest.raises(SessionExpired):
        manager.get(session.id)


def test_the_asynchronous_store_knows_expired_records(
    server: MongoServer, store: MongoStore, clock: ManualClock
) -> None:
    """As the blocking one does."""
    store.create("key", a_record(clock, lives=100))
    clock.advance(100)

    async def look() -> list[bool]:
        other = AsyncMongoStore.from_url(server.url)
        other.clock = clock
        found = [await other.has_expired(key) for key in ("key", "unknown")]
        await other.close()
        return found

    assert asyncio.run(look()) == [True, False]


class CutOnce:
    """Cut one connection after so many bytes of the replies."""

    def __init__(self, count: int) -> None:
        self.left = count
        self.is_done = False

    def __call__(self, data: bytes) -> tuple[bytes, bool]:
        """Return what to pass on, and whether the connection goes on."""
        if self.is_done or len(data) <= self.left:
            self.left -= len(data)
            return data, True
        self.is_done = True
        return data[: self.left], False


def purged(store: MongoStore) -> list[str]:
    """Return the keys that a purge gives out, also one whose connection is lost."""
    try:
        return [key for key, _ in store.purge_expired(100)]
    except StoreUnavailable:
        return []
