"""Sign-ins in a real Valkey server: the entry in the index and the session are one call."""

import asyncio
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest

redis = pytest.importorskip("redis", reason="redis-py is not installed")

from sessions import Session, SessionContainer, SessionManager  # noqa: E402
from sessions.errors import StoreUnavailable, TooManySessions  # noqa: E402
from sessions.record import Changes, Outcome, Record  # noqa: E402
from sessions.stores.redis import AsyncRedisStore, RedisStore  # noqa: E402
from sessions.stores.user_index import AsyncStoresSignIns, StoresSignIns  # noqa: E402
from sessions.testing import a_record, some_changes  # noqa: E402
from sessions.testing.records import NEW_SECRET  # noqa: E402
from sessions.transports.cookie import CookieHead  # noqa: E402
from sessions.users import SessionLimit  # noqa: E402
from tests.support.apps import KEY  # noqa: E402
from tests.support.redis_servers import (  # noqa: E402
    WHY_NOT,
    RedisServer,
    redis_server,
    server_binary,
)

pytestmark = pytest.mark.skipif(server_binary() is None, reason=WHY_NOT)

UNTIL = time.time() + 7200


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """Give one server to all tests of the module."""
    with redis_server(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture
def client(server: RedisServer) -> Iterator[Any]:
    """Return a client of the emptied server."""
    with redis.Redis(port=server.port) as client:
        client.flushall()
        yield client


@pytest.fixture
def store(server: RedisServer, client: Any) -> Iterator[RedisStore]:
    """Return a store in the empty server."""
    store = RedisStore.from_url(server.url)
    yield store
    store.close()


def calls_since(client: Any) -> dict[str, int]:
    """Return how often each command was called, without the calls inside of scripts."""
    stats = client.info("commandstats")
    return {name: stats.get(f"cmdstat_{name}", {}).get("calls", 0) for name in ("evalsha", "eval")}


def of_sign_ins() -> dict[str, Changes]:
    """Return the changes of sign-ins that a store applies, and of some that it refuses."""
    common: dict[str, Any] = {"user_id": "ada", "new_secret": NEW_SECRET, "lives": 3600.0}
    return {
        "applied": some_changes(time.time, set={"n": b"1"}, **common),
        "superseded": some_changes(time.time, secret="c" * 64, **common),
        "in conflict": some_changes(time.time, expected={"n": b"other"}, **common),
        "with removals": some_changes(time.time, removed=frozenset({"n"}), clear=True, **common),
    }


def told(found: object) -> object:
    """Return a record without the time of the server."""
    return (found.values, found.secret, found.user_id) if isinstance(found, Record) else found


def test_the_redis_stores_store_sign_ins_in_one_call(server: RedisServer) -> None:
    """The core looks for these methods."""
    with_index = RedisStore.from_url(server.url)
    assert isinstance(with_index, StoresSignIns)
    assert isinstance(AsyncRedisStore.from_url(server.url), AsyncStoresSignIns)
    with_index.close()


def test_a_sign_in_calls_the_server_twice(store: RedisStore, client: Any) -> None:
    """The second sign-in uses scripts that the server knows already."""
    manager = SessionManager(SessionContainer(keys=[KEY], store=store))
    session = manager.create({"n": 1})
    scripts = []
    for user_id in ("ada", "bob", "ada"):
        before = calls_since(client)
        session = manager.get(session.id)
        session.set_user(user_id)
        session.save()
        after = calls_since(client)
        scripts.append(after["evalsha"] - before["evalsha"])

    assert scripts == [1, 1, 1]
    assert len(manager.sessions_of("ada")) == 1


@pytest.mark.parametrize("case", of_sign_ins())
@pytest.mark.parametrize("stored", ["a session", "an ended session", "nothing"])
def test_one_call_has_the_same_result_as_two_calls(
    store: RedisStore, case: str, stored: str
) -> None:
    """The outcome, the record and the index are the same."""
    changes, outcomes = of_sign_ins()[case], []
    for key in ("one", "two"):
        if stored != "nothing":
            store.create(key, a_record(time.time, {"n": b"0"}, lives=3600))
        if stored == "an ended session":
            store.delete(key)
    outcomes.append(store.commit_sign_in("ada", "one", changes, UNTIL))
    store.add_to_user("ada", "two", UNTIL)
    outcomes.append(store.commit("two", changes))

    assert outcomes[0] is outcomes[1]
    assert store.keys_of_user("ada") == {"one": UNTIL, "two": UNTIL}
    first, second = store.load("one"), store.load("two")
    assert type(first) is type(second)
    if isinstance(first, Record):
        assert told(first) == told(second)


@pytest.mark.parametrize("is_taken", [False, True])
def test_a_created_sign_in(store: RedisStore, is_taken: bool) -> None:
    """The key may be taken by another session; the entry is made before."""
    if is_taken:
        store.create("key", a_record(time.time, lives=3600, secret="d" * 64))
    record = a_record(time.time, {"n": b"0"}, lives=3600, user_id="ada")

    assert store.create_sign_in("ada", "key", record, UNTIL) is not is_taken
    assert [*store.keys_of_user("ada")] == ["key"]
    found = store.load("key")
    assert isinstance(found, Record)
    assert found.user_id == (None if is_taken else "ada")


def test_a_full_server_stores_neither_entry_nor_sign_in(store: RedisStore, client: Any) -> None:
    """The answer is 503, and a later sign-in succeeds."""
    store.create("key", a_record(time.time, lives=3600))
    changes = of_sign_ins()["applied"]
    client.config_set("maxmemory", 1)
    try:
        with pytest.raises(StoreUnavailable):
            store.commit_sign_in("ada", "key", changes, UNTIL)
        with pytest.raises(StoreUnavailable):
            store.create_sign_in("ada", "new", a_record(time.time, user_id="ada"), UNTIL)
    finally:
        client.config_set("maxmemory", 0)

    assert store.keys_of_user("ada") == {}
    assert told(store.load("key")) == ({}, a_record(time.time).secret, None)
    assert store.load("new") is None
    assert store.commit_sign_in("ada", "key", changes, UNTIL) is Outcome.APPLIED


def test_a_damaged_index_does_not_stop_a_sign_in(store: RedisStore, client: Any) -> None:
    """A value of another type is replaced."""
    store.create("key", a_record(time.time, lives=3600))
    store.add_to_user("ada", "old", UNTIL)
    (name,) = client.keys("sessions:user:*")
    client.delete(name)
    client.set(name, "damage")

    assert store.commit_sign_in("ada", "key", of_sign_ins()["applied"], UNTIL) is Outcome.APPLIED
    assert [*store.keys_of_user("ada")] == ["key"]


def test_the_asynchronous_store_does_the_same(server: RedisServer, client: Any) -> None:
    """It sends the same scripts."""

    async def main() -> None:
        store = AsyncRedisStore.from_url(server.url)
        record = a_record(time.time, {"n": b"0"}, lives=3600, user_id="ada")
        assert await store.create_sign_in("ada", "one", record, UNTIL)
        await store.create("two", a_record(time.time, lives=3600))
        changes = of_sign_ins()["applied"]
        before = calls_since(client)
        assert await store.commit_sign_in("ada", "two", changes, UNTIL) is Outcome.APPLIED
        after = calls_since(client)
        assert sum(after.values()) - sum(before.values()) <= 2
        assert sorted(await store.keys_of_user("ada")) == ["one", "two"]
        found = await store.load("two")
        assert isinstance(found, Record)
        assert (found.user_id, found.secret) == ("ada", NEW_SECRET)
        await store.close()

    asyncio.run(main())


class Browser:
    """Send requests to a manager with the last cookie."""

    def __init__(self, manager: SessionManager) -> None:
        self.manager = manager
        self.cookie = ""

    def visit(self, handle: Callable[[Session], object]) -> object:
        """Handle one request, and keep the cookie of the response."""
        session = self.manager.open(CookieHead(self.cookie, "/", "https", None))
        result = handle(session)
        for name, value in self.manager.close(session):
            if name == "Set-Cookie":
                self.cookie = value.partition(";")[0]
        return result


def user_of(session: Session) -> str | None:
    """Return the user who is signed in."""
    return session.user_id


def signs_in(session: Session, name: str = "Ada") -> None:
    """Sign ada in."""
    session.set_user("ada", name=name)


def makes(store: RedisStore, **settings: Any) -> SessionManager:
    """Return a manager of a store."""
    return SessionManager(SessionContainer(keys=[KEY], store=store, **settings))


@pytest.mark.parametrize("settings", [{}, {"encryption_keys": ["e" + KEY]}])
def test_a_sign_in_at_the_end_of_a_request_is_one_call(
    store: RedisStore, client: Any, settings: dict[str, Any]
) -> None:
    """The earlier id is invalid afterwards, and the user's values are there."""
    manager = makes(store, **settings)
    browser, other = Browser(manager), Browser(manager)
    for name in ("first", "second"):
        browser.visit(lambda session: session.update(a=1))
        before, other.cookie = calls_since(client)["evalsha"], browser.cookie

        browser.visit(partial(signs_in, name=name))

        assert calls_since(client)["evalsha"] == before + 1
        assert other.visit(user_of) is None
        assert browser.visit(lambda session: (session.user_id, session["a"])) == ("ada", 1)
        assert browser.visit(lambda session: session.user_data) == {"name": name}
    assert len(manager.sessions_of("ada")) == 1


def test_the_oldest_session_over_the_limit_ends(store: RedisStore) -> None:
    """A sign-in in a stored session does more than one call then."""
    manager = makes(store, sessions_per_user=SessionLimit(1))
    browsers = [Browser(manager) for _ in range(3)]
    for browser in browsers:
        browser.visit(lambda session: session.update(a=1))
        browser.visit(signs_in)

    assert [browser.visit(user_of) for browser in browsers] == [None, None, "ada"]


def test_a_sign_in_over_the_limit_is_refused(store: RedisStore) -> None:
    """The session of the refused request stays as it was."""
    manager = makes(store, sessions_per_user=SessionLimit(1, "refuse"))
    first, second = Browser(manager), Browser(manager)
    for browser in (first, second):
        browser.visit(lambda session: session.update(a=1))
    first.visit(signs_in)

    with pytest.raises(TooManySessions):
        second.visit(signs_in)
    assert first.visit(user_of) == "ada"
    assert second.visit(lambda session: (session.user_id, session["a"])) == (None, 1)


@pytest.mark.parametrize("end", ["destroyed", "renewed"])
def test_a_sign_in_that_comes_too_late_begins_a_new_session(store: RedisStore, end: str) -> None:
    """Another request ended the session, or gave it another id, after the sign-in had loaded it."""
    manager = makes(store)
    browser = Browser(manager)
    browser.visit(lambda session: session.update(a=1))
    other = Browser(manager)
    other.cookie = browser.cookie

    def late(session: Session) -> None:
        session.set_user("ada")
        other.visit(Session.destroy if end == "destroyed" else Session.regenerate)

    browser.visit(late)

    assert browser.visit(lambda session: (session.user_id, dict(session))) == ("ada", {})
    assert other.visit(user_of) is None
