"""SQLiteStore keeps the contract, on disk, between processes and across forks."""

import multiprocessing
import os
import sqlite3
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from sessions import ConfigurationError, Outcome, SQLiteStore, StoreUnavailable
from sessions.specimens import a_record, in_parallel, some_changes, values_of
from sessions.stores.base import CALL_DEADLINE, Store
from sessions.testing import ManualClock, StoreContract


class TestSQLiteStore(StoreContract):
    """The contract."""

    @pytest.fixture(autouse=True)
    def _directory(self) -> Iterator[None]:
        with TemporaryDirectory() as directory:
            self.directory = Path(directory)
            yield

    def make_store(self, clock: Callable[[], float]) -> Store:
        """Return an empty store."""
        return SQLiteStore(self.directory / "sessions.db", clock=clock)


@pytest.fixture
def clock() -> ManualClock:
    """Return a clock that the test moves."""
    return ManualClock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return where the database goes."""
    return tmp_path / "sessions.db"


def test_the_files_are_for_the_owner_only(path: Path, clock: ManualClock) -> None:
    """Database and log have mode 0600, whatever the umask."""
    before = os.umask(0)
    try:
        SQLiteStore(path, clock=clock).create("key", a_record(clock))
    finally:
        os.umask(before)

    modes = {stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
    assert modes == {0o600}


def test_the_log_is_written_ahead(path: Path) -> None:
    """WAL, so that readers never wait."""
    SQLiteStore(path)

    with sqlite3.connect(path) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_a_second_process_reads_what_the_first_one_wrote(path: Path, clock: ManualClock) -> None:
    """The file is the session's home."""
    SQLiteStore(path, clock=clock).create("key", a_record(clock, values={"a": b"1"}))

    with multiprocessing.get_context("spawn").Pool(1) as pool:
        values = pool.apply(_values_in, (str(path),))

    assert values == {"a": b"1"}


def _values_in(path: str) -> dict[str, bytes]:
    return values_of(SQLiteStore(path, clock=ManualClock()), "key")


def test_s25_two_processes_write_different_keys(path: Path, clock: ManualClock) -> None:
    """Hundreds of commits at the same time, none lost."""
    SQLiteStore(path, clock=clock).create("key", a_record(clock))

    with multiprocessing.get_context("spawn").Pool(2) as pool:
        pool.starmap(_commit_many, [(str(path), "a"), (str(path), "b")])

    wanted = {f"{name}{n}" for name in "ab" for n in range(200)}
    assert set(values_of(SQLiteStore(path, clock=clock), "key")) == wanted


def _commit_many(path: str, name: str) -> None:
    clock = ManualClock()
    store = SQLiteStore(path, clock=clock)
    for n in range(200):
        store.commit("key", some_changes(clock, set={f"{name}{n}": b"1"}))


def test_a_store_made_before_a_fork_works_in_the_child(path: Path, clock: ManualClock) -> None:
    """No connection crosses the fork; parent and child both go on."""
    store = SQLiteStore(path, clock=clock)
    store.create("key", a_record(clock))
    process = multiprocessing.get_context("fork").Process(
        target=lambda: store.commit("key", some_changes(clock, set={"child": b"1"}))
    )
    process.start()
    process.join(timeout=20)

    store.commit("key", some_changes(clock, set={"parent": b"1"}))

    assert process.exitcode == 0
    assert values_of(store, "key") == {"child": b"1", "parent": b"1"}


def test_a_child_inherits_no_open_file_of_the_database(path: Path, clock: ManualClock) -> None:
    """An inherited file would have none of its locks, and SQLite would not know."""
    store = SQLiteStore(path, clock=clock)
    store.create("key", a_record(clock))
    reader, writer = os.pipe()

    child = os.fork()
    if child == 0:
        files = [os.path.realpath(f"/proc/self/fd/{n}") for n in os.listdir("/proc/self/fd")]
        os.write(writer, b"%d" % sum(name.startswith(str(path)) for name in files))
        os._exit(0)
    os.waitpid(child, 0)

    assert os.read(reader, 10) == b"0"
    assert store.load("key") is not None


def test_forks_while_threads_write_disturb_nobody(path: Path, clock: ManualClock) -> None:
    """Parent's threads and every child commit, and nothing is lost."""
    store = SQLiteStore(path, clock=clock)
    store.create("key", a_record(clock))
    fork = multiprocessing.get_context("fork")

    def work(n: int) -> None:
        if n < 2:
            for turn in range(100):
                store.commit("key", some_changes(clock, set={f"{n}.{turn}": b"1"}))
        else:
            for turn in range(5):
                name = f"child{n}.{turn}"
                child = fork.Process(target=_commit_one, args=(store, clock, name))
                child.start()
                child.join(timeout=20)

    in_parallel(4, work)

    children = {f"child{n}.{turn}" for n in (2, 3) for turn in range(5)}
    assert set(values_of(store, "key")) == children | {
        f"{n}.{turn}" for n in range(2) for turn in range(100)
    }


def _commit_one(store: Store, clock: ManualClock, name: str) -> None:
    store.commit("key", some_changes(clock, set={name: b"1"}))


def test_s91_two_prefixes_share_a_file_and_nothing_else(path: Path, clock: ManualClock) -> None:
    """Neither sees, deletes nor purges the other's records."""
    shop = SQLiteStore(path, prefix="shop_", clock=clock)
    blog = SQLiteStore(path, prefix="blog_", clock=clock)
    shop.create("key", a_record(clock, values={"a": b"shop"}, lives=10))

    assert blog.load("key") is None
    assert not blog.delete("key")
    clock.advance(20)
    assert blog.purge(10) == 0
    assert shop.purge(10) == 1


def test_a_locked_database_is_unavailable_within_the_deadline(
    path: Path, clock: ManualClock
) -> None:
    """A writer that never ends delays nobody for long, and no data is changed."""
    store = SQLiteStore(path, clock=clock)
    store.create("key", a_record(clock, values={"a": b"1"}))
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    with pytest.raises(StoreUnavailable, match="database is locked"):
        store.commit("key", some_changes(clock, set={"a": b"2"}))

    assert values_of(store, "key") == {"a": b"1"}
    other.execute("ROLLBACK")
    assert store.commit("key", some_changes(clock, set={"a": b"2"})) is Outcome.APPLIED
    assert CALL_DEADLINE < 1


def test_a_full_disk_is_unavailable_and_keeps_the_old_state(path: Path, clock: ManualClock) -> None:
    """SQLite's own page limit stands for the disk's."""
    store = SQLiteStore(path, clock=clock)
    store.create("key", a_record(clock, values={"a": b"1"}))
    store._connections.write(lambda connection: None)
    connection = store._connections._idle[-1]
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count = {pages}")

    with pytest.raises(StoreUnavailable, match="full"):
        store.commit("key", some_changes(clock, set={"a": b"2", "big": b"x" * 100_000}))

    assert values_of(store, "key") == {"a": b"1"}


def test_a_damaged_database_is_unavailable(path: Path, clock: ManualClock) -> None:
    """Garbage over the pages of a live database is an error, never an absent session."""
    store = SQLiteStore(path, clock=clock)
    for n in range(300):
        store.create(f"key{n}", a_record(clock, values={"a": b"1" * 100}))
    store.close()
    content = bytearray(path.read_bytes())
    content[4096:] = b"\xa5" * (len(content) - 4096)
    path.write_bytes(content)

    with pytest.raises(StoreUnavailable, match="cannot be used"):
        store.load("key7")


@pytest.mark.parametrize("name", ["", ":memory:", "file:x?mode=memory"])
def test_a_path_that_is_no_file_is_refused(name: str) -> None:
    """Every connection would find another database there."""
    with pytest.raises(ConfigurationError, match="MemoryStore"):
        SQLiteStore(name)


def test_a_file_that_cannot_be_opened_is_a_clear_error(tmp_path: Path) -> None:
    """The message has the path, the cause and the remedy."""
    with pytest.raises(ConfigurationError) as caught:
        SQLiteStore(tmp_path / "missing" / "sessions.db")

    text = str(caught.value)
    assert "missing/sessions.db" in text
    assert "No such file or directory" in text
    assert "a directory that exists" in text


def test_a_file_that_is_no_database_is_a_clear_error(path: Path) -> None:
    """And the file is left alone."""
    path.write_bytes(b"not a database, but long enough to be looked at as one" * 100)

    with pytest.raises(ConfigurationError, match="file is not a database"):
        SQLiteStore(path)

    assert path.read_bytes().startswith(b"not a database")


def test_s86_tables_of_another_version_are_refused(path: Path) -> None:
    """A newer release's file is not touched."""
    SQLiteStore(path)
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE session_schema SET version = 99")

    with pytest.raises(ConfigurationError, match=r"version 99, this release knows 1"):
        SQLiteStore(path)


def test_a_prefix_that_begins_no_name_is_refused(path: Path) -> None:
    """A prefix goes into SQL, so only harmless ones do."""
    with pytest.raises(ConfigurationError, match=r"prefix='x; DROP'"):
        SQLiteStore(path, prefix="x; DROP")


def test_s95_the_applications_own_transaction_is_its_own(path: Path, clock: ManualClock) -> None:
    """A session commit neither commits nor rolls back what the application has begun."""
    application = sqlite3.connect(path.with_name("shop.db"), isolation_level=None)
    application.execute("CREATE TABLE orders (id)")
    store = SQLiteStore(path.with_name("shop.db"), prefix="web_", clock=clock)
    store.create("key", a_record(clock))
    application.execute("BEGIN")
    application.execute("SELECT * FROM orders").fetchall()

    store.commit("key", some_changes(clock, set={"a": b"1"}))

    assert application.in_transaction
    application.execute("ROLLBACK")
    assert values_of(store, "key") == {"a": b"1"}


def test_expired_records_go_without_anyone_calling_purge(path: Path, clock: ManualClock) -> None:
    """Creating sessions takes old ones away, so that the file stops growing."""
    store = SQLiteStore(path, clock=clock)
    for n in range(31):
        store.create(f"old{n}", a_record(clock, lives=10))
    clock.advance(20)

    store.create("new", a_record(clock))

    assert store.purge(100) == 0


def test_threads_do_not_share_connections(path: Path, clock: ManualClock) -> None:
    """Many readers and writers at once, no error and no loss."""
    store = SQLiteStore(path, clock=clock)
    store.create("key", a_record(clock))

    def work(n: int) -> None:
        for turn in range(30):
            store.commit("key", some_changes(clock, set={f"{n}.{turn}": b"1"}))
            assert f"{n}.{turn}" in values_of(store, "key")

    in_parallel(8, work)

    assert len(values_of(store, "key")) == 240


def test_durable_waits_for_the_disk(path: Path) -> None:
    """Synchronous FULL with it, NORMAL without."""
    modes = []
    for durable in (True, False):
        store = SQLiteStore(path, durable=durable)
        modes.append(store._connections.read("PRAGMA synchronous", ()))

    assert modes == [[(2,)], [(1,)]]
