"""A Redis store over TLS; a proxy speaks it, because the server of the tests was built without."""

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

redis = pytest.importorskip("redis", reason="redis-py is not installed")
pytest.importorskip("cryptography", reason="cryptography is not installed")

from sessions.errors import StoreUnavailable  # noqa: E402
from sessions.record import Ended, Outcome, Record  # noqa: E402
from sessions.stores.redis import AsyncRedisStore, RedisStore  # noqa: E402
from sessions.testing import a_record, some_changes  # noqa: E402
from tests.support.redis_servers import WHY_NOT, redis_server, server_binary  # noqa: E402
from tests.support.tls_proxy import TLSProxy, tls_proxy_to  # noqa: E402

pytestmark = pytest.mark.skipif(server_binary() is None, reason=WHY_NOT)
KEY = "c" * 64


@pytest.fixture
def proxy(tmp_path: Path) -> Iterator[TLSProxy]:
    """Give a server behind TLS."""
    with redis_server(tmp_path) as server, tls_proxy_to(server.port, tmp_path) as proxy:
        yield proxy


def url_of(proxy: TLSProxy) -> str:
    """Return the URL of the server for a client that trusts its certificate."""
    return f"rediss://127.0.0.1:{proxy.port}/0?ssl_ca_certs={proxy.certificate}"


def a_live_record() -> Record:
    """Return a record that lives for an hour."""
    return a_record(time.time, {"a": b"x" * 100}, lives=3600)


def test_each_call_works(proxy: TLSProxy) -> None:
    """Connections are kept, and closed ones are replaced."""
    store = RedisStore.from_url(url_of(proxy))
    for _ in range(2):
        assert store.create(KEY, a_live_record())
        changes = some_changes(time.time, lives=3600, set={"a": b"2"})
        assert store.commit(KEY, changes) is Outcome.APPLIED
        assert isinstance(store.load(KEY), Record)
        assert store.delete(KEY)
        assert isinstance(store.load(KEY), Ended)
        store.close()


def test_an_event_loop_can_use_it(proxy: TLSProxy) -> None:
    """Both kinds of store read the same options."""

    async def create_and_load() -> object:
        store = AsyncRedisStore.from_url(url_of(proxy))
        await store.create(KEY, a_live_record())
        found = await store.load(KEY)
        await store.close()
        return found

    assert isinstance(asyncio.run(create_and_load()), Record)


def test_a_certificate_that_nobody_trusts_is_refused(proxy: TLSProxy) -> None:
    """Without the option, the certificates of the system count."""
    store = RedisStore.from_url(f"rediss://127.0.0.1:{proxy.port}/0")

    with pytest.raises(StoreUnavailable, match="certificate"):
        store.load(KEY)
    store.close()


@pytest.mark.usefixtures("punctual")
def test_a_reply_in_small_parts_costs_no_more_than_its_time(proxy: TLSProxy) -> None:
    """The socket is shut down without a word of TLS to a server that is slow."""
    store = RedisStore.from_url(url_of(proxy))
    assert store.create(KEY, a_live_record())
    proxy.pause = 0.1
    began = time.monotonic()

    with pytest.raises(StoreUnavailable):
        store.load(KEY)

    assert time.monotonic() - began < 2
    proxy.pause = 0
    assert isinstance(store.load(KEY), Record)
    store.close()
