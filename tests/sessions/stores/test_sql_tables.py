"""The table of the SQL store: who makes it, who may use it, and what becomes of its rows."""

# The SQL is made of words of the tests, and the passwords are theirs.
# ruff: noqa: S106, S608

import asyncio
import multiprocessing
import os
import time
from collections.abc import Callable, Iterator

import pytest

pytest.importorskip("sqlalchemy", reason="SQLAlchemy is not installed")
pytest.importorskip("psycopg", reason="psycopg is not installed")
pytest.importorskip("asyncpg", reason="asyncpg is not installed")
pytest.importorskip("pymysql", reason="PyMySQL is not installed")
pytest.importorskip("asyncmy", reason="asyncmy is not installed")

from sqlalchemy import create_engine
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool, StaticPool

from sessions.errors import ConfigurationError, StoreUnavailable, UnreadableValue
from sessions.record import Ended, Outcome, Record
from sessions.stores.sql import AsyncSQLStore, SQLStore
from sessions.testing import ManualClock, a_record, some_changes
from tests.support.broken_servers import KEY, a_live_record
from tests.support.sql_servers import SQLServer
from tests.support.sql_stores import KINDS

_PRESENT = {
    "postgresql": "SELECT extract(epoch FROM now())::float8",
    "mariadb": "SELECT UNIX_TIMESTAMP(NOW(6)) + 0e0",
}


@pytest.fixture(scope="module", params=KINDS)
def server(request: pytest.FixtureRequest) -> Iterator[SQLServer]:
    """Give a server."""
    with request.param() as server:
        yield server


@pytest.fixture
def store(server: SQLServer) -> Iterator[SQLStore]:
    """Give a store with an empty table."""
    server.run("DROP TABLE IF EXISTS sessions")
    store = SQLStore.from_url(server.url)
    store.create_schema()
    yield store
    store.close()


def test_a_missing_table_says_how_to_make_it(server: SQLServer) -> None:
    """Every call says so, and the store works as soon as the table is there."""
    server.run("DROP TABLE IF EXISTS sessions")
    store = SQLStore.from_url(server.url)
    record = a_live_record()
    for call in (
        lambda: store.load(KEY),
        lambda: store.create(KEY, record),
        lambda: store.purge(9),
    ):
        with pytest.raises(StoreUnavailable, match=r"no table sessions. Fix: call create_schema"):
            call()

    store.create_schema()
    assert store.create(KEY, record)
    store.create_schema()
    assert store.load(KEY) == record
    store.close()


def _make(url: str, ready: Callable[[], object]) -> None:
    store = SQLStore.from_url(url)
    ready()
    store.create_schema()
    store.close()


def test_processes_that_start_together_make_one_table(server: SQLServer) -> None:
    """The servers of an application may all start at the same time."""
    context = multiprocessing.get_context("spawn")
    server.run("DROP TABLE IF EXISTS sessions")
    barrier = context.Barrier(3)
    processes = [context.Process(target=_make, args=(server.url, barrier.wait)) for _ in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)

    assert [process.exitcode for process in processes] == [0] * 3
    assert server.run("SELECT count(*) FROM sessions") == [(0,)]


def test_rights_on_the_data_are_enough(
    server: SQLServer, store: SQLStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A user without the right to create tables can call `create_schema` if the table exists."""
    is_postgresql = server.url.startswith("postgresql")
    if is_postgresql:
        server.run("DROP ROLE IF EXISTS webapp", "CREATE ROLE webapp LOGIN PASSWORD 'secret'")
        server.run("GRANT SELECT, INSERT, UPDATE, DELETE ON sessions, session_users TO webapp")
        user = "webapp"
    else:
        user = "webapp"
        for name in ("sessions", "session_users"):
            rights = f"GRANT SELECT, INSERT, UPDATE, DELETE ON test.{name}"
            server.run(f"{rights} TO {user}@'127.0.0.1'")
    url = make_url(server.url).set(username=user, password="secret")
    limited = SQLStore.from_url(url)
    record = a_live_record(a=b"1")

    limited.create_schema()
    assert limited.create(KEY, record)
    assert limited.commit(KEY, some_changes(time.time, set={"b": b"2"})) is Outcome.APPLIED
    assert limited.touch(KEY, record.secret, record.expires_at, record.accessed_at)
    assert limited.delete(KEY)
    assert limited.purge(10) == 0
    # A creation that cannot remove what is over is a creation all the same.
    monkeypatch.setattr("random.random", lambda: 0.0)
    table, owner = ("", "") if is_postgresql else ("test.", "@'127.0.0.1'")
    server.run(f"REVOKE DELETE ON {table}sessions FROM webapp{owner}")
    assert limited.create("another", record)
    limited.close()
    if is_postgresql:
        server.run("DROP OWNED BY webapp")


def test_a_transaction_of_the_application_is_not_touched(
    server: SQLServer, store: SQLStore
) -> None:
    """The store neither commits nor rolls back what the application does, nor waits for it."""
    server.run("DROP TABLE IF EXISTS orders", "CREATE TABLE orders (number int)")
    engine = create_engine(server.url, pool_size=1, max_overflow=0)
    own = SQLStore(engine)
    record = a_live_record(a=b"1")
    with engine.connect() as connection:
        connection.exec_driver_sql("INSERT INTO orders VALUES (1)")
        # The application has the only connection of its pool.
        assert own.create(KEY, record)
        assert own.commit(KEY, some_changes(time.time, set={"a": b"2"})) is Outcome.APPLIED
        assert server.run("SELECT * FROM orders") == []
        connection.rollback()

    assert server.run("SELECT * FROM orders") == []
    found = store.load(KEY)
    assert isinstance(found, Record)
    assert found.values == {"a": b"2"}
    with engine.connect() as connection:
        connection.exec_driver_sql("INSERT INTO orders VALUES (2)")
        assert own.delete(KEY)
        connection.commit()
    assert server.run("SELECT * FROM orders") == [(2,)]
    own.close()
    engine.dispose()


@pytest.mark.parametrize("pool", [NullPool, StaticPool])
def test_engines_with_other_pools_lend_their_settings(
    server: SQLServer, store: SQLStore, pool: type[NullPool | StaticPool]
) -> None:
    """The store has its own pool, for every kind of pool of the application."""
    engine = create_engine(server.url, poolclass=pool)
    own = SQLStore(engine)
    record = a_live_record()

    with engine.connect():
        assert own.create(KEY, record)
        assert own.load(KEY) == record
    own.close()
    engine.dispose()


def test_an_asynchronous_engine_lends_its_settings(server: SQLServer, store: SQLStore) -> None:
    """This holds for each driver, also during a transaction of the application."""
    record = a_live_record(a=b"1")

    async def use(url: str) -> None:
        engine = create_async_engine(url, pool_size=1, max_overflow=0)
        own = AsyncSQLStore(engine)
        async with engine.connect() as connection:
            await connection.exec_driver_sql("DELETE FROM sessions")
            await connection.rollback()
            assert await own.create(KEY, record)
            changes = some_changes(time.time, set={"a": b"2"})
            assert await own.commit(KEY, changes) is Outcome.APPLIED
            assert await own.load(KEY) == store.load(KEY)
            assert await own.delete(KEY)
            await own.create_schema()
        await own.close()
        await engine.dispose()

    for url in server.async_urls:
        asyncio.run(use(url))


def test_sessions_expire_by_the_clock_of_the_server(server: SQLServer, store: SQLStore) -> None:
    """The clock of the client's machine does not matter."""
    now = server.run(_PRESENT[server.url.partition("+")[0]])[0][0]
    at_once = a_record(lambda: now, lives=0.5)
    assert store.create(KEY, at_once)
    assert store.create("other", a_record(lambda: now, lives=60))
    assert store.load(KEY) == at_once
    time.sleep(0.6)
    assert store.load(KEY) is None
    assert store.commit(KEY, some_changes(time.time)) is Outcome.GONE
    assert store.delete("other")
    ended = store.load("other")
    assert isinstance(ended, Ended)
    assert now < ended.at < now + 30


def test_two_prefixes_share_nothing_else(server: SQLServer, store: SQLStore) -> None:
    """Two applications use one database."""
    shop = SQLStore.from_url(server.url, prefix="shop_")
    shop.create_schema()
    record = a_live_record()

    assert shop.create(KEY, record)
    assert store.load(KEY) is None
    shop.close()
    server.run("DROP TABLE shop_sessions")


MISSING = ("version", "secret", "secret_since", "created_at", "accessed_at", "updated_at")
DAMAGED_FIELDS = (
    *(f"{name} = NULL" for name in (*MISSING, "data", "places")),
    "grace_secret = 'x', grace_until = NULL",
)
DAMAGED_VALUES = (
    """data = '{"YQ==": 1}'""",
    """data = '{"YQ==": "?"}'""",
    """data = '{"?": "YQ=="}'""",
    "places = '{}'",
)


@pytest.mark.parametrize("damage", [*DAMAGED_FIELDS, *DAMAGED_VALUES])
def test_a_damaged_row_is_a_damaged_session(
    server: SQLServer, store: SQLStore, damage: str
) -> None:
    """`load` raises an error, `create` may use the key again, and `delete` removes the row."""
    record = a_live_record(a=b"1", b=b"2")
    for _ in range(2):
        assert store.create(KEY, record)
        server.run(f"UPDATE sessions SET {damage}")
        with pytest.raises(UnreadableValue):
            store.load(KEY)

    store.delete(KEY)
    assert not isinstance(store.load(KEY), Record)


@pytest.mark.parametrize("damage", DAMAGED_FIELDS)
def test_a_row_without_a_field_is_not_a_record(
    server: SQLServer, store: SQLStore, damage: str
) -> None:
    """No call changes it, uses it or ends it."""
    record = a_live_record(a=b"1")
    assert store.create(KEY, record)
    server.run(f"UPDATE sessions SET {damage}")

    assert store.commit(KEY, some_changes(time.time, set={"b": b"2"})) is Outcome.GONE
    assert store.commit(KEY, some_changes(time.time, user_id="ada")) is Outcome.GONE
    assert not store.touch(KEY, record.secret, record.expires_at, record.accessed_at)
    assert not store.delete(KEY)
    assert server.run("SELECT session_key FROM sessions") == []


def test_a_purge_removes_every_ended_session(server: SQLServer, store: SQLStore) -> None:
    """Ended sessions leave too, and a session that was used again stays."""
    clock = ManualClock()
    store.clock = clock
    for name in ("expires", "ends", "lives"):
        store.create(name, a_record(clock))
    store.delete("ends")
    clock.advance(90)
    store.commit("lives", some_changes(clock, set={"a": b"1"}))
    clock.advance(100)

    assert store.purge(1000) == 1
    assert server.run("SELECT session_key FROM sessions") == [("lives",)]
    clock.advance(200)
    assert store.purge(1000) == 1
    assert server.run("SELECT session_key FROM sessions") == []


def test_new_sessions_remove_long_expired_ones(server: SQLServer, store: SQLStore) -> None:
    """The table does not grow without end, even if no code calls `purge`."""
    clock = ManualClock()
    store.clock = clock
    store.create("expired", a_record(clock))
    clock.advance(1000)
    for number in range(300):
        store.create(f"new{number}", a_record(clock))

    assert server.run("SELECT count(*) FROM sessions") == [(300,)]


def test_a_call_is_one_statement(store: SQLStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each call is one statement, and no transaction is begun or ended."""
    sent = []
    driver = store._driver
    for name in ("fetch", "change", "run"):
        real = getattr(driver, name)

        def counting(*arguments: object, real: Callable[..., object] = real) -> object:
            sent.append(arguments[1])
            return real(*arguments)

        monkeypatch.setattr(driver, name, counting)
    monkeypatch.setattr("random.random", lambda: 0.5)
    record = a_live_record(a=b"1")
    store.load("connects")
    for call in (
        lambda: store.create(KEY, record),
        lambda: store.load(KEY),
        lambda: store.commit(KEY, some_changes(time.time, set={"b": b"2"})),
        lambda: store.commit(KEY, some_changes(time.time, user_id="ada", new_secret="new")),
        lambda: store.touch(KEY, "new", record.expires_at, record.accessed_at),
        lambda: store.delete(KEY),
    ):
        sent.clear()
        call()
        assert len(sent) == 1


@pytest.mark.parametrize("server", KINDS[:1], indirect=True)
def test_commits_move_no_entry_of_an_index(server: SQLServer, store: SQLStore) -> None:
    """PostgreSQL writes the new row beside the old one (a HOT update), so commits stay cheap."""
    store.create(KEY, a_live_record(a=b"1"))
    for number in range(50):
        changes = some_changes(time.time, lives=3600 + number, set={"a": b"%d" % number})
        assert store.commit(KEY, changes) is Outcome.APPLIED
    store.close()
    asked = "SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_user_tables WHERE relname = 'sessions'"
    deadline = time.monotonic() + 10
    while (counts := server.run(asked)) != [(50, 50)]:
        assert time.monotonic() < deadline, counts
        time.sleep(0.1)


def test_a_fork_shares_no_connection(server: SQLServer, store: SQLStore) -> None:
    """Workers that are forked from a loaded application use connections of their own."""
    record = a_live_record(a=b"1")
    store.create(KEY, record)
    child = os.fork()
    if child == 0:
        try:
            done = all(store.load(KEY) == record for _ in range(20))
            store.close()
        finally:
            os._exit(0 if done else 1)
    assert all(store.load(KEY) == record for _ in range(20))
    _, status = os.waitpid(child, 0)

    assert status == 0
    assert store.load(KEY) == record


def test_settings_that_name_no_database_are_refused() -> None:
    """The error says what to write, and shows no password."""
    for store in (SQLStore, AsyncSQLStore):
        for url in ("", "redis://host", "sqlite:///file", "mysql+unknown://u:hidden@host", None):
            with pytest.raises(ConfigurationError) as caught:
                store.from_url(url)
            assert "postgresql+psycopg://" in str(caught.value)
            assert "hidden" not in str(caught.value)
        for engine in ("postgresql+psycopg://host/name", None, create_engine("sqlite://")):
            with pytest.raises(
                ConfigurationError, match=r"not an (Async)?Engine( that the store can use|\. Fix)"
            ):
                store(engine)
        for prefix in ("a b", "1", "x;", None, "a" * 41):
            with pytest.raises(ConfigurationError, match="name of a table cannot begin with"):
                store.from_url("postgresql+psycopg://host/name", prefix=prefix)  # type: ignore[arg-type]
        for size in (0, -1, True, "5"):
            with pytest.raises(ConfigurationError, match="is not a number of connections"):
                store.from_url("postgresql+psycopg://host/name", pool_size=size)  # type: ignore[arg-type]
    engine = create_engine("postgresql+psycopg://host/name")
    with pytest.raises(ConfigurationError, match="is not an AsyncEngine"):
        AsyncSQLStore(engine)
    with pytest.raises(ConfigurationError, match="is not an Engine"):
        SQLStore(create_async_engine("postgresql+psycopg://host/name"))
    assert "+psycopg" in repr(SQLStore.from_url("postgresql://host/name"))
    assert "secret" not in repr(SQLStore.from_url("postgresql+psycopg://u:secret@host/name"))


def test_a_driver_that_is_not_there_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """The message says what to install."""
    monkeypatch.setitem(__import__("sys").modules, "psycopg", None)
    with pytest.raises(ConfigurationError, match=r"pip install 'satsuma\[sql\]'"):
        SQLStore.from_url("postgresql+psycopg://host/name")
