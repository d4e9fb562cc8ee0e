"""What a request sees while the MongoDB server is broken, and afterwards."""

import os
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

pymongo = pytest.importorskip("pymongo", reason="pymongo is not installed")

from sessions.errors import StoreUnavailable  # noqa: E402
from sessions.record import Ended, Outcome, Record  # noqa: E402
from sessions.stores.mongo import MongoStore  # noqa: E402
from sessions.testing import some_changes  # noqa: E402
from sessions.testing.records import NEW_SECRET  # noqa: E402
from tests.support.broken_servers import (  # noqa: E402
    KEY,
    SECOND,
    a_live_record,
    calls_of,
    has_failed,
)
from tests.support.mongo_servers import (  # noqa: E402
    WHY_NOT,
    MongoServer,
    has_server,
    mongo_server,
    url_of,
)
from tests.support.processes import open_descriptors  # noqa: E402
from tests.support.tcp_proxy import Proxy, garbled, passing, proxy_to  # noqa: E402

pytestmark = [
    pytest.mark.skipif(not has_server(), reason=WHY_NOT),
    pytest.mark.usefixtures("punctual"),
]

PATIENT = 10.0


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MongoServer]:
    """Give a server that each test breaks and mends."""
    with mongo_server(tmp_path_factory.mktemp("mongo")) as server:
        yield server


@pytest.fixture
def direct(server: MongoServer) -> Iterator[MongoStore]:
    """Give a store in the empty server, to prepare and to look: it may take its time."""
    with pymongo.MongoClient(server.url) as client:
        client["shop"]["sessions"].delete_many({})
    store = MongoStore.from_url(server.url)
    store._deadline = PATIENT
    yield store
    store.close()


@pytest.fixture
def store(server: MongoServer, direct: MongoStore) -> Iterator[MongoStore]:
    """Give a store whose connection is open."""
    store = MongoStore.from_url(server.url)
    answer_soon(lambda: store.load(KEY))
    yield store
    store.close()


def every_call_of(store: MongoStore, record: Record) -> list[Callable[[], object]]:
    """Return one call of each kind."""
    return [*calls_of(store, record), lambda: store.purge(10)]


def assert_unavailable(calls: list[Callable[[], object]]) -> None:
    """Check that all calls, made at once, raise StoreUnavailable within a second."""

    def check(call: Callable[[], object]) -> None:
        began = time.monotonic()
        with pytest.raises(StoreUnavailable):
            call()
        assert time.monotonic() - began < SECOND

    with ThreadPoolExecutor(len(calls)) as threads:
        list(threads.map(check, calls))


def answer_soon(call: Callable[[], object]) -> object:
    """Return the result of a call, as soon as the store works again."""
    deadline = time.monotonic() + 10
    while True:
        try:
            return call()
        except StoreUnavailable:
            if time.monotonic() > deadline:
                raise


def through_the(proxy: Proxy) -> MongoStore:
    """Return a store behind a proxy, whose driver seldom asks the server for its state."""
    return MongoStore.from_url(f"{url_of(proxy.port)}&serverMonitoringMode=poll")


def cut_once(proxy: Proxy, count: int) -> None:
    """Cut the connection after so many bytes of the next replies, and no other connection."""
    left = count

    def cut(data: bytes) -> tuple[bytes, bool]:
        nonlocal left
        passed = data[:left]
        left -= len(passed)
        if len(passed) == len(data):
            return passed, True
        proxy.change = passing
        return passed, False

    proxy.change = cut


def test_a_server_that_is_not_there_is_unavailable() -> None:
    """The store can be made before its server is started."""
    store = MongoStore.from_url("mongodb://127.0.0.1:1/shop")

    assert_unavailable(every_call_of(store, a_live_record()))
    store.close()


def test_a_frozen_server_is_unavailable_until_it_continues(
    server: MongoServer, direct: MongoStore, store: MongoStore
) -> None:
    """Connections stay open, and the server does not answer."""
    record = a_live_record(a=b"1")
    assert direct.create(KEY, record)
    server.freeze()
    try:
        assert_unavailable(every_call_of(store, record)[:3])
    finally:
        server.thaw()

    found = answer_soon(lambda: store.load(KEY))
    assert isinstance(found, Record)
    # The commit was sent and may have been applied: its outcome was unknown.
    assert found.values["a"] in (b"1", b"2")


def test_a_store_can_be_closed_while_its_server_is_frozen(server: MongoServer) -> None:
    """The end of the process does not wait for the server."""
    store = MongoStore.from_url(server.url)
    answer_soon(lambda: store.load(KEY))
    server.freeze()
    try:
        began = time.monotonic()
        store.close()
        assert time.monotonic() - began < SECOND
    finally:
        server.thaw()


def test_a_server_that_starts_again_is_used_again(server: MongoServer, store: MongoStore) -> None:
    """The connections that the store has kept are dead; it finds out by itself."""
    record = a_live_record(a=b"1")
    server.stop()
    try:
        assert_unavailable([lambda: store.load(KEY)])
    finally:
        server.start()

    changes = some_changes(time.time, lives=3600)
    assert answer_soon(lambda: store.create("new", record))
    assert answer_soon(lambda: store.commit("new", changes)) is Outcome.APPLIED


def test_a_reply_that_is_cut_off_never_gives_a_wrong_answer(
    server: MongoServer, direct: MongoStore
) -> None:
    """The call returns the right answer or raises StoreUnavailable, and no data is damaged."""
    offsets = [0, 1, 15, 16, 17, *range(20, 420, 20)]

    def cut(number: int) -> bool:
        verb = ("load", "create", "commit", "delete")[number % 4]
        return _cut(server, direct, verb, offsets[number // 4])

    with ThreadPoolExecutor(24) as threads:
        failed = list(threads.map(cut, range(4 * len(offsets))))
    assert any(failed)
    assert not all(failed[-16:]), "no reply has passed"


def _cut(server: MongoServer, direct: MongoStore, verb: str, count: int) -> bool:
    """Return whether the call failed; a call that did not must have given the right answer."""
    key, record = f"{verb} {count}", a_live_record(a=b"1", b=b"x" * 40)
    if verb != "create":
        assert direct.create(key, record)
    with proxy_to(server.port) as proxy:
        store = through_the(proxy)
        answer_soon(lambda: store.load("another"))
        cut_once(proxy, count)
        failed = has_failed(store, record, verb, key)
        proxy.change = passing
        store.close()
    found = direct.load(key)
    if isinstance(found, Record):
        assert verb != "delete" or failed
        assert verb != "commit" or failed or found.values["a"] == b"2"
        assert found.values["b"] == b"x" * 40
    else:
        assert (verb == "delete" and isinstance(found, Ended)) or (verb == "create" and failed)
    return failed


@pytest.mark.usefixtures("direct")
def test_a_reply_in_small_parts_costs_no_more_than_its_time(
    server: MongoServer, direct: MongoStore
) -> None:
    """Each part comes in time, but the whole reply would take many seconds."""
    assert direct.create(KEY, a_live_record(a=b"x" * 100))
    with proxy_to(server.port) as proxy:
        store = through_the(proxy)
        answer_soon(lambda: store.load(KEY))

        proxy.pause = 0.1
        assert_unavailable(every_call_of(store, a_live_record()))
        proxy.pause = 0

        assert isinstance(answer_soon(lambda: store.load(KEY)), Record)
        store.close()


def test_a_call_whose_reply_was_lost_is_sent_again(server: MongoServer) -> None:
    """The call is sent again once, if this does no harm."""
    record = a_live_record(a=b"1")
    renewal = some_changes(time.time, lives=3600, new_secret=NEW_SECRET, set={"a": b"2"})
    with proxy_to(server.port) as proxy:
        through = through_the(proxy)
        through._deadline = PATIENT
        through.load(KEY)
        cut_once(proxy, 0)
        assert through.create(KEY, record)
        cut_once(proxy, 0)
        assert through.commit(KEY, renewal) is Outcome.APPLIED
        cut_once(proxy, 0)
        found = through.load(KEY)
        through.close()

    assert isinstance(found, Record)
    assert (found.secret, found.values) == (NEW_SECRET, {"a": b"2"})


def test_a_commit_with_an_expectation_is_not_sent_again(
    server: MongoServer, direct: MongoStore
) -> None:
    """A repeated call would find its own change and return CONFLICT, so the outcome is unknown."""
    direct.create(KEY, a_live_record(a=b"1"))
    changes = some_changes(time.time, lives=3600, set={"a": b"2"}, expected={"a": b"1"})
    with proxy_to(server.port) as proxy:
        through = through_the(proxy)
        through._deadline = PATIENT
        through.load(KEY)
        cut_once(proxy, 0)

        with pytest.raises(StoreUnavailable):
            through.commit(KEY, changes)

        through.close()


@pytest.mark.usefixtures("direct")
def test_garbage_is_unavailable(server: MongoServer) -> None:
    """Something that speaks another protocol has taken the port."""
    with proxy_to(server.port) as proxy:
        through = through_the(proxy)
        proxy.change = garbled
        assert_unavailable(every_call_of(through, a_live_record()))
        proxy.change = passing

        assert answer_soon(lambda: through.load(KEY)) is None
        proxy.change = garbled
        assert_unavailable([lambda: through.load(KEY)])
        through.close()


def test_broken_calls_leave_nothing_behind(server: MongoServer) -> None:
    """No file descriptor and no thread stays, however often the server fails."""
    with proxy_to(server.port) as proxy:
        before = open_descriptors(), threading.active_count()
        store = through_the(proxy)

        def fail() -> None:
            answer_soon(lambda: store.load(KEY))
            cut_once(proxy, 2)
            with pytest.raises(StoreUnavailable):
                store.commit(KEY, some_changes(time.time, expected={"a": None}))
            answer_soon(lambda: store.load(KEY))

        fail()
        after_one = open_descriptors(), threading.active_count()
        for _ in range(4):
            fail()
        assert _settles(lambda: (open_descriptors(), threading.active_count()), after_one)
        store.close()
        assert _settles(lambda: (open_descriptors(), threading.active_count()), before)


def _settles(measure: Callable[[], tuple[int, int]], limit: tuple[int, int]) -> bool:
    """Return whether both numbers fall to their limits; one monitor may be active."""
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        files, threads = measure()
        if files <= limit[0] and threads <= limit[1]:
            return True
        time.sleep(0.05)
    return False


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_child_of_a_fork_has_connections_of_its_own(direct: MongoStore) -> None:
    """A server may load the application before it forks."""
    record = a_live_record(a=b"1")
    direct.create(KEY, record)
    child = os.fork()
    if child == 0:
        status = 1
        try:
            # The driver warns where a child uses the connections of its parent.
            warnings.simplefilter("error")
            status = 0 if direct.load(KEY) == record and direct.delete(KEY) else 2
        finally:
            os._exit(status)

    assert os.waitpid(child, 0)[1] == 0
    assert isinstance(direct.load(KEY), Ended)
