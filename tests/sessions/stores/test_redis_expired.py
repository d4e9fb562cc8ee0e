"""Redis stores that keep their expired records for some time, and give them out."""

import asyncio
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

redis = pytest.importorskip("redis", reason="redis-py is not installed")

from sessions import (  # noqa: E402
    SessionContainer,
    SessionEvent,
    SessionExpired,
    SessionManager,
    SessionNotFound,
)
from sessions.core.ids import hash_of  # noqa: E402
from sessions.errors import ConfigurationError  # noqa: E402
from sessions.stores.base import REMEMBERED_FOR, AsyncStore, Store, wall_clock  # noqa: E402
from sessions.stores.expired import AsyncKeepsExpired, KeepsExpired  # noqa: E402
from sessions.stores.expiring import AsyncExpiring, Expiring  # noqa: E402
from sessions.stores.redis import AsyncRedisStore, RedisStore  # noqa: E402
from sessions.testing import (  # noqa: E402
    NEW_SECRET,
    SECRET,
    AsyncStoreContract,
    AsyncUserIndexContract,
    CountableContract,
    ListableContract,
    ManualClock,
    StoreContract,
    UserIndexContract,
    a_record,
    some_changes,
)
from tests.support.apps import KEY  # noqa: E402
from tests.support.patience import patiently  # noqa: E402
from tests.support.redis_servers import (  # noqa: E402
    WHY_NOT,
    RedisServer,
    redis_server,
    server_binary,
)
from tests.support.told_ends import ends_told_by_two_processes, expected_ends  # noqa: E402

pytestmark = pytest.mark.skipif(server_binary() is None, reason=WHY_NOT)

KEPT = timedelta(hours=1)
NAME, OTHER = hash_of("a lineage"), hash_of("another lineage")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """Give one server to all tests of the module."""
    with redis_server(tmp_path_factory.mktemp("redis")) as server:
        yield server


class _OnAServer:
    server: RedisServer
    server_expires = True

    @pytest.fixture(autouse=True)
    def _empty(self, server: RedisServer) -> None:
        self.server = server
        with redis.Redis(port=server.port) as client:
            client.flushall()

    def damage(self, key: str) -> None:
        """Write a value that is not a session under the key."""
        with redis.Redis(port=self.server.port) as client:
            client.hset(f"sessions:{key}", "about", b"\x91\x01")


class TestKeepingRedisStore(
    _OnAServer, CountableContract, ListableContract, StoreContract, UserIndexContract
):
    """RedisStore keeps the contract, and gives out its expired records."""

    def make_store(self, clock: Callable[[], float]) -> Store:
        """Return a store in the empty server."""
        return RedisStore.from_url(self.server.url, keep_expired=KEPT)

    def open_in_another_process(self, store: Store) -> Callable[[], Store]:
        """Return what opens the same server."""
        return patiently(partial(RedisStore.from_url, self.server.url, keep_expired=KEPT))

    def break_store(self, store: Store) -> None:
        """Change the port of the store to one without a server."""
        assert isinstance(store, RedisStore)
        store.close()
        store._make = RedisStore.from_url("redis://127.0.0.1:1")._make

    def damage_record(self, store: Store, key: str) -> None:
        """Write a hash that is not a session under the key."""
        self.damage(key)


class TestKeepingAsyncRedisStore(
    _OnAServer, CountableContract, ListableContract, AsyncStoreContract, AsyncUserIndexContract
):
    """AsyncRedisStore does the same."""

    def make_store(self, clock: Callable[[], float]) -> AsyncStore:
        """Return a store in the empty server."""
        return AsyncRedisStore.from_url(self.server.url, keep_expired=KEPT)

    async def break_store(self, store: Any) -> None:
        """Change the port of the store to one without a server."""
        await store.close()
        store._make = AsyncRedisStore.from_url("redis://127.0.0.1:1")._make

    async def damage_record(self, store: AsyncStore, key: str) -> None:
        """Write a hash that is not a session under the key."""
        self.damage(key)


@pytest.fixture
def client(server: RedisServer) -> Iterator[Any]:
    """Give a client of the empty server."""
    with redis.Redis(port=server.port) as client:
        client.flushall()
        client.config_resetstat()
        yield client


@pytest.fixture
def store(server: RedisServer, client: Any) -> Iterator[RedisStore]:
    """Give a store that keeps its expired records for an hour."""
    store = RedisStore.from_url(server.url, keep_expired=KEPT)
    yield store
    store.close()


@pytest.mark.parametrize("asynchronous", [False, True])
def test_two_processes_report_each_end_once(
    server: RedisServer, client: Any, asynchronous: bool
) -> None:
    """Requests find the expired sessions at the same time as purges do."""
    kind: Any = AsyncRedisStore if asynchronous else RedisStore
    opened = partial(kind.from_url, server.url, keep_expired=KEPT)

    ends = ends_told_by_two_processes(opened, 12, asynchronous=asynchronous)

    assert ends == expected_ends(12)
    assert client.keys("sessions:*") == []


def test_only_a_store_with_the_setting_gives_out_expired_records(server: RedisServer) -> None:
    """Without it, the server removes them, and no call asks for them."""
    features = (Expiring, AsyncExpiring, KeepsExpired, AsyncKeepsExpired)
    for kind in (RedisStore, AsyncRedisStore):
        without, keeping = kind.from_url(server.url), kind.from_url(server.url, keep_expired=KEPT)

        assert not any(isinstance(without, feature) for feature in features)
        assert all(isinstance(keeping, feature) for feature in features)


def test_a_client_can_have_the_setting_too(client: Any) -> None:
    """As a URL can."""
    store = RedisStore(client, keep_expired=KEPT)
    store.create(NAME, a_record(wall_clock, expires_at=time.time() - 10))

    assert store.load(NAME) is None
    assert store.has_expired(NAME)


@pytest.mark.parametrize("kept", [timedelta(0), timedelta(-1), timedelta(days=31), 3600, "1h"])
def test_another_time_is_refused(kept: Any) -> None:
    """The message says what to give."""
    for kind in (RedisStore, AsyncRedisStore):
        with pytest.raises(ConfigurationError, match=r"keep_expired=.*Fix: give a timedelta"):
            kind.from_url("redis://127.0.0.1:1", keep_expired=kept)


def test_the_server_removes_a_record_so_much_later(store: RedisStore, client: Any) -> None:
    """After every call, also after a sign-in."""

    def stays() -> float:
        return float(client.pexpiretime(f"sessions:{NAME}")) / 1000

    now = time.time()
    store.create(NAME, a_record(wall_clock, expires_at=now + 100))
    times = [stays() - 100]
    store.touch(NAME, SECRET, now + 200, time.time())
    times.append(stays() - 200)
    store.commit(NAME, some_changes(wall_clock, expires_at=now + 300, clear=True))
    times.append(stays() - 300)
    changes = some_changes(wall_clock, expires_at=now + 400, user_id="ada", new_secret=NEW_SECRET)
    store.commit_sign_in("ada", NAME, changes, now + 400)
    times.append(stays() - 400)
    store.create_sign_in("ada", OTHER, a_record(wall_clock, expires_at=now + 500), now + 500)
    times.append(float(client.pexpiretime(f"sessions:{OTHER}")) / 1000 - 500)
    store.delete(NAME)

    assert times == pytest.approx([now + KEPT.total_seconds()] * 5, abs=0.01)
    assert client.pttl(f"sessions:{NAME}") <= REMEMBERED_FOR * 1000


def test_a_kept_record_is_neither_counted_nor_listed(server: RedisServer, client: Any) -> None:
    """It has expired, by the clock of the server."""
    store = RedisStore.from_url(server.url, keep_expired=KEPT)
    store.create(NAME, a_record(wall_clock, expires_at=time.time() - 0.1))
    store.create(OTHER, a_record(wall_clock))

    async def look() -> tuple[int, list[str]]:
        other = AsyncRedisStore.from_url(server.url, keep_expired=KEPT)
        found = await other.count(), [key for key, _ in (await other.page(None, 10)).records]
        await other.close()
        return found

    assert (store.count(), [key for key, _ in store.page(None, 10).records]) == (1, [OTHER])
    assert asyncio.run(look()) == (1, [OTHER])


def test_each_call_is_one_round_trip(store: RedisStore, client: Any) -> None:
    """A load asks for the time and for the record in one script."""
    store.create(NAME, a_record(wall_clock))
    store.load(NAME)
    client.config_resetstat()

    store.load(NAME)
    store.touch(NAME, SECRET, time.time() + 200, time.time())
    store.take_expired(NAME)

    sent = {name: stat["calls"] for name, stat in client.info("commandstats").items()}
    assert sent["cmdstat_evalsha"] + sent.get("cmdstat_eval", 0) - _unknown(client) == 3
    assert {"cmdstat_pttl", "cmdstat_scan"} & set(sent) == set()


def test_no_creation_looks_at_all_keys(store: RedisStore, client: Any) -> None:
    """The server removes what nobody purges; a purge is a matter of programs."""
    events: list[SessionEvent] = []
    manager = SessionManager(SessionContainer(keys=[KEY], store=store, listeners=[events.append]))
    for _ in range(45):
        manager.create({"a": 1})

    assert store.collects_expired
    assert "cmdstat_scan" not in client.info("commandstats")
    assert manager.purge() == 0
    assert "cmdstat_scan" in client.info("commandstats")


def test_a_process_without_the_setting_does_not_return_expired_sessions(
    server: RedisServer, store: RedisStore
) -> None:
    """While a site switches to the setting, some processes may not have it yet."""
    past = ManualClock(time.time() - 24 * 3600 - 60)
    session = SessionManager(SessionContainer(keys=[KEY], store=store, clock=past)).create({"a": 1})
    without = SessionContainer(keys=[KEY], store=RedisStore.from_url(server.url))
    with_it = SessionContainer(keys=[KEY], store=store)

    with pytest.raises(SessionNotFound):
        SessionManager(without).get(session.id)
    with pytest.raises(SessionExpired):
        SessionManager(with_it).get(session.id)


def _unknown(client: Any) -> int:
    """Return how many scripts the server did not know, which the store then sent once more."""
    return int(client.info("errorstats").get("errorstat_NOSCRIPT", {}).get("count", 0))
