"""A reply of a MongoDB server that is cut after each of its bytes."""

import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import count
from typing import Any

import pytest

pytest.importorskip("pymongo", reason="pymongo is not installed")

from sessions.record import Ended, Record
from sessions.stores.mongo import AsyncMongoStore, MongoStore
from tests.support.blocking import Blocking
from tests.support.broken_servers import SECOND, a_live_record, has_failed
from tests.support.mongo_servers import WHY_NOT, MongoServer, has_server, mongo_server, url_of
from tests.support.patience import SECONDS, soon
from tests.support.tcp_proxy import Proxy, passing, proxy_to

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not has_server(), reason=WHY_NOT),
    pytest.mark.usefixtures("punctual"),
]

VERBS = ("load", "create", "commit", "delete")
RECORD = a_live_record(a=b"1", b=b"x" * 8)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MongoServer]:
    """Give one server to all tests of the module."""
    with mongo_server(tmp_path_factory.mktemp("mongo")) as server:
        yield server


@pytest.fixture(autouse=True)
def _soon_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the driver connect again at once, as it does to a server that it has known for longer."""
    monkeypatch.setattr("pymongo.common.MIN_HEARTBEAT_INTERVAL", 0.01)


@pytest.fixture(scope="module")
def direct(server: MongoServer) -> Iterator[MongoStore]:
    """Give a store without a proxy, to prepare and to look: it may take its time."""
    store = MongoStore.from_url(server.url)
    store._deadline = SECONDS
    yield store
    store.close()


def blocking(proxy: Proxy) -> Any:
    """Return a store whose driver seldom asks the server for its state."""
    return MongoStore.from_url(f"{url_of(proxy.port)}&serverMonitoringMode=poll")


def asynchronous(proxy: Proxy) -> Any:
    """Return such an asynchronous store."""
    return Blocking(AsyncMongoStore.from_url(f"{url_of(proxy.port)}&serverMonitoringMode=poll"))


@pytest.mark.parametrize("make", [blocking, asynchronous])
def test_a_reply_that_is_reset_after_any_byte_is_not_a_wrong_answer(
    server: MongoServer, direct: MongoStore, make: Callable[[Proxy], Any]
) -> None:
    """The call is right or raises StoreUnavailable within a second, and the next call is right."""
    for verb in VERBS:
        for size in count():
            if not _is_cut(server, direct, make, verb, size):
                break
        # The last size was the whole reply.
        assert size > 30


def _is_cut(
    server: MongoServer, direct: MongoStore, make: Callable[[Proxy], Any], verb: str, size: int
) -> bool:
    """Make a call whose reply ends after so many bytes; return whether the reply was longer."""
    key = f"{make.__name__} {verb} {size:4}"
    direct.delete(key)
    if verb != "create":
        assert direct.create(key, RECORD)
    with proxy_to(server.port) as proxy:
        proxy.resets = True
        store = make(proxy)
        soon(lambda: store.load("another"))
        proxy.change = partial(_cut, proxy, [size])
        began = time.monotonic()
        failed = has_failed(store, RECORD, verb, key)
        assert time.monotonic() - began < SECOND
        is_cut = proxy.change is passing
        proxy.change = passing
        # On a busy machine, the time of the call may be over before the reply begins.
        if failed and not is_cut:
            store.close()
            return _is_cut(server, direct, make, verb, size)
        found = soon(lambda: store.load(key))
        store.close()
    assert found == direct.load(key)
    if verb == "delete":
        assert isinstance(found, Ended) or (failed and found == RECORD)
    elif verb == "commit":
        assert found.values["b"] == RECORD.values["b"]
        assert failed or found.values["a"] == b"2"
    else:
        assert found == RECORD or (verb == "create" and failed and not isinstance(found, Record))
    return is_cut


def _cut(proxy: Proxy, left: list[int], data: bytes) -> tuple[bytes, bool]:
    """Pass some bytes on, then end this connection, and let all others pass."""
    passed = data[: left[0]]
    left[0] -= len(passed)
    if len(passed) == len(data):
        return passed, True
    proxy.change = passing
    return passed, False
