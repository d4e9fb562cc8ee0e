"""`framework sessions copy` and `migrate`: sessions move to another store, and users stay signed
in."""

import asyncio
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from itertools import pairwise
from pathlib import Path

import pytest

from sessions import SQLiteStore
from sessions.record import Ended
from sessions.stores.base import Store
from sessions.stores.urls import async_store_from_url, store_from_url
from sessions.testing import a_record, loaded_from
from tests.support.command_sessions import Customer, make_session, manager_of, write_program
from tests.support.commands import Framework

redis = pytest.importorskip("redis", reason="redis-py is not installed")

from tests.support.redis_servers import (  # noqa: E402
    WHY_NOT,
    redis_cluster,
    redis_server,
    server_binary,
)

pytestmark = pytest.mark.slow

ONE, OTHER = "sqlite:///one.db", "sqlite:///other.db"
needs_redis = pytest.mark.skipif(server_binary() is None, reason=WHY_NOT)


@pytest.fixture
def stores(framework: Framework) -> tuple[SQLiteStore, SQLiteStore]:
    """Return two stores in the folder of the commands."""
    return SQLiteStore("one.db"), SQLiteStore("other.db")


Stores = tuple[SQLiteStore, SQLiteStore]


def copied(framework: Framework, *words: str) -> list[str]:
    """Run the copy command, and return its output."""
    result = framework("sessions", "copy", *words)
    assert result.exit_code == 0, result.output
    return result.output.splitlines()


def damage(path: Path, key: str) -> None:
    """Let the record under a key be unreadable."""
    with closing(sqlite3.connect(path)) as connection:
        changed = connection.execute("UPDATE sessions SET data = x'c1' WHERE key = ?", (key,))
        assert changed.rowcount == 1
        connection.commit()


def test_a_record_is_copied_as_it_is(framework: Framework, stores: Stores) -> None:
    """The copy has the same secret, grace time, times, timeout and user."""
    one, other = stores
    make_session(one, "ada", cart=["tea"], b=1, a=2)
    with_all = a_record(
        time.time,
        {"z": b"\x01", "a": b"\x02"},
        user_id="eve",
        timeout=5000.0,
        created_at=time.time() - 50,
    )
    one.create("ab" * 32, with_all)

    lines = copied(framework, ONE, OTHER)

    assert lines == [
        "Copied 2: 2 new, 0 changed.",
        "Skipped 0: 0 already there, 0 newer there, 0 ended there.",
    ]
    for key, record in one.page(None, 10).records:
        there = loaded_from(other, key)
        assert there == record
        assert [*there.values] == [*record.values]


def test_a_second_run_copies_what_is_new_or_has_changed(
    framework: Framework, stores: Stores
) -> None:
    """All other sessions are skipped, and the copies equal the originals."""
    one, other = stores
    for _ in range(150):
        make_session(one)
    customer = Customer(one)
    customer.gets("/sign-in")
    copied(framework, ONE, OTHER)

    make_session(one)
    customer.gets("/")
    customer.gets("/renew")
    customer.gets("/")
    lines = copied(framework, ONE, OTHER)

    assert lines == [
        "Copied 2: 1 new, 1 changed.",
        "Skipped 150: 150 already there, 0 newer there, 0 ended there.",
    ]
    customer.moves_to(other)
    assert customer.gets("/")[:2] == ["ada", 3]
    assert copied(framework, OTHER, ONE)[0] == "Copied 1: 0 new, 1 changed."


def test_a_newer_session_is_not_replaced(framework: Framework, stores: Stores) -> None:
    """A user who already uses the other store loses nothing."""
    one, other = stores
    customer = Customer(one)
    customer.gets("/sign-in")
    copied(framework, ONE, OTHER)
    customer.moves_to(other)
    customer.gets("/")

    lines = copied(framework, ONE, OTHER)

    assert lines[1] == "Skipped 1: 0 already there, 1 newer there, 0 ended there."
    assert customer.gets("/")[:2] == ["ada", 2]


def test_a_session_that_ended_there_stays_ended(framework: Framework, stores: Stores) -> None:
    """A copy does not undo a logout."""
    one, other = stores
    handle = make_session(one, "ada")
    copied(framework, ONE, OTHER)
    other.delete(handle)

    lines = copied(framework, ONE, OTHER)

    assert lines[1] == "Skipped 1: 0 already there, 0 newer there, 1 ended there."
    assert isinstance(other.load(handle), Ended)


def test_a_session_that_ended_here_is_ended_there(framework: Framework, stores: Stores) -> None:
    """With --end-missing, a logout between two runs counts in the other store."""
    one, other = stores
    stays, goes = make_session(one), make_session(one)
    copied(framework, ONE, OTHER)
    one.delete(goes)

    assert len(copied(framework, ONE, OTHER)) == 2
    assert other.count() == 2
    lines = copied(framework, ONE, OTHER, "--end-missing")
    assert lines[-1].startswith("Ended sessions that SQLiteStore")
    assert [key for key, _ in other.page(None, 10).records] == [stays]


def test_a_user_is_known_in_the_other_store(framework: Framework, stores: Stores) -> None:
    """The index of users is copied, with the times of its entries."""
    one, other = stores
    handles = {make_session(one, "ada") for _ in range(3)}
    make_session(one, "eve")
    copied(framework, ONE, OTHER)

    assert other.keys_of_user("ada") == one.keys_of_user("ada")
    assert {info.handle for info in manager_of(other).sessions_of("ada")} == handles
    assert manager_of(other).end_sessions_of("ada") == 3
    assert other.count() == 1


def test_a_user_who_signs_in_between_two_copies_is_known(
    framework: Framework, stores: Stores
) -> None:
    """A changed session may belong to another user."""
    one, other = stores
    customer = Customer(one)
    customer.gets("/")
    copied(framework, ONE, OTHER)
    customer.gets("/sign-in")
    copied(framework, ONE, OTHER)

    assert manager_of(other).end_sessions_of("ada") == 1


def test_expired_and_damaged_sessions_are_not_copied(framework: Framework, stores: Stores) -> None:
    """Only live sessions move."""
    one, other = stores
    stays = make_session(one)
    one.create("ab" * 32, a_record(lambda: time.time() - 500, lives=400))

    assert copied(framework, ONE, OTHER)[0] == "Copied 1: 1 new, 0 changed."
    assert [key for key, _ in other.page(None, 10).records] == [stays]


def test_a_damaged_session_there_is_replaced(framework: Framework, stores: Stores) -> None:
    """It does not end the copy, and the sessions after it are copied too."""
    one, other = stores
    handles = [make_session(one, "ada", number=number) for number in range(3)]
    copied(framework, ONE, OTHER)
    damage(Path("other.db"), handles[1])

    assert copied(framework, ONE, OTHER) == [
        "Copied 1: 1 new, 0 changed.",
        "Skipped 2: 2 already there, 0 newer there, 0 ended there.",
    ]
    assert all(other.load(handle) == one.load(handle) for handle in handles)


def test_a_session_that_is_damaged_here_is_ended_there(
    framework: Framework, stores: Stores
) -> None:
    """No request can read it here, so its user begins anew."""
    one, other = stores
    handles = [make_session(one, number=number) for number in range(3)]
    copied(framework, ONE, OTHER)
    damage(Path("one.db"), handles[1])

    assert copied(framework, ONE, OTHER, "--end-missing")[-1].endswith(" no longer has: 1.")
    assert other.count() == 2


def test_an_application_names_its_store(framework: Framework, stores: Stores) -> None:
    """An application can name a store with settings of its own, such as a prefix."""
    one, _ = stores
    make_session(one)
    write_program('SQLiteStore("other.db", prefix="shop_")')

    assert copied(framework, ONE, "app:container")[0] == "Copied 1: 1 new, 0 changed."
    assert SQLiteStore("other.db", prefix="shop_").count() == 1
    assert SQLiteStore("other.db").count() == 0


@pytest.mark.parametrize(
    ("source", "target", "error"),
    [
        ("sqlite:///none.db", OTHER, "sqlite:///none.db names a file that does not exist."),
        ("memory:", OTHER, "The sessions of a MemoryStore are in the memory of"),
        (ONE, "memory:", "the server's process, which no command can reach. Fix: use another"),
        ("redis://:secret@127.0.0.1:1/0", OTHER, "127.0.0.1:1/0'> cannot be used"),
        ("ftp://host", OTHER, "the URL ftp:... is not the URL of a store. Fix: begin the URL with"),
    ],
)
def test_a_store_that_cannot_be_copied_is_an_error(
    framework: Framework, stores: Stores, source: str, target: str, error: str
) -> None:
    """The message names the store without its password, and the command makes no file."""
    result = framework("sessions", "copy", source, target)

    assert result.exit_code == 1
    assert error in result.output
    assert "secret" not in result.output
    assert not Path("none.db").exists()


def test_encrypted_sessions_move_without_their_keys(framework: Framework, stores: Stores) -> None:
    """Encrypted values are copied unchanged, and the customer's id still opens them."""
    pytest.importorskip("cryptography")
    one, _ = stores
    keys = ["another key of the tests, also long enough"]

    _go_round(framework, Customer(one, encryption_keys=keys), [ONE, OTHER, ONE, OTHER, ONE])


@needs_redis
def test_a_customer_stays_signed_in_through_valkey(
    framework: Framework, stores: Stores, tmp_path: Path
) -> None:
    """The session moves to Valkey and back, and gets a new id there."""
    one, _ = stores
    with redis_server(tmp_path) as server:
        _go_round(framework, Customer(one), [ONE, server.url, OTHER, ONE])


@needs_redis
def test_an_asynchronous_store_is_listed_and_copied(framework: Framework, tmp_path: Path) -> None:
    """The argument can also name a container, as for an asynchronous application."""
    with redis_server(tmp_path) as server:
        write_program(f"async_store_from_url({server.url!r})")
        handle = make_session(store_from_url(server.url), "ada")

        assert handle[:12] in framework("sessions", "list", "app:container").output
        assert copied(framework, "app:container", OTHER)[0] == "Copied 1: 1 new, 0 changed."
        assert copied(framework, OTHER, "app:container")[1].startswith("Skipped 1: 1 already")
        ended = framework("sessions", "end", handle, "--yes", "app:container")
        assert ended.output == "Ended 1 session.\n"
        assert framework("sessions", "purge", "app:container").exit_code == 0


@needs_redis
def test_sessions_move_into_a_cluster_and_out_of_it(
    framework: Framework, stores: Stores, tmp_path: Path
) -> None:
    """Each master of the cluster gets some of the sessions."""
    one, other = stores
    for _ in range(50):
        make_session(one)
    with redis_cluster(tmp_path) as servers:
        url = f"redis+cluster://127.0.0.1:{servers[0].port}"

        assert copied(framework, ONE, url)[0] == "Copied 50: 50 new, 0 changed."
        assert copied(framework, url, OTHER)[0] == "Copied 50: 50 new, 0 changed."
    assert dict(one.page(None, 99).records) == dict(other.page(None, 99).records)


@pytest.fixture
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[str]]:
    """Start a server of each kind, and give the URLs."""
    if not os.environ.get("TEST_SERVERS"):
        pytest.skip("starts database servers: set TEST_SERVERS=1")
    from tests.support.mongo_servers import mongo_server
    from tests.support.sql_servers import mariadb, postgresql

    with ExitStack() as stack:
        valkey = stack.enter_context(redis_server(tmp_path_factory.mktemp("valkey")))
        sql = [stack.enter_context(server()) for server in (postgresql, mariadb)]
        mongo = stack.enter_context(mongo_server(tmp_path_factory.mktemp("mongo")))
        yield [valkey.url, *(server.url for server in sql), mongo.url]


def test_a_customer_stays_signed_in_through_all_stores(
    framework: Framework, stores: Stores, servers: list[str]
) -> None:
    """The session moves from SQLite through four servers and back to the first."""
    one, _ = stores
    for url in servers[1:]:
        for _ in range(2):
            result = framework("sessions", "migrate", "--url", url)
            assert (result.exit_code, result.output.split()[-2:]) == (0, ["is", "ready."])

    _go_round(framework, Customer(one), [ONE, *servers, ONE])
    asynchronous = async_store_from_url(servers[1])
    copied(framework, servers[3], servers[1].replace("psycopg", "asyncpg"))
    assert asyncio.run(_count(asynchronous)) == 1


async def _count(store: object) -> int:
    return int(await store.count())  # type: ignore[attr-defined]


def _go_round(framework: Framework, customer: Customer, urls: list[str]) -> None:
    """Copy from store to store; visit each store, and take a new id in every second one."""
    customer.gets("/sign-in")
    who = [customer.gets("/")[0], 1, customer.gets("/")[2]]
    visits = 2
    for number, (source, target) in enumerate(pairwise(urls)):
        assert copied(framework, source, target)[0].startswith("Copied 1: ")
        store: Store = store_from_url(target)
        customer.moves_to(store)
        if number % 2:
            customer.gets("/renew")
        visits += 1
        assert customer.gets("/") == [who[0], visits, who[2]]
        store.close()


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="needs a pseudo-terminal")
def test_progress_is_shown_in_a_terminal(stores: Stores) -> None:
    """A process of its own counts on its terminal; what other programs read has no such line."""
    one, other = stores
    for _ in range(120):
        make_session(one)
    ours, theirs = os.openpty()
    command = [sys.executable, "-m", "framework", "sessions", "copy", ONE, OTHER]
    path = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=theirs, env=path, check=True)
    os.close(theirs)
    shown = os.read(ours, 10_000)
    os.close(ours)

    assert b"100 sessions" in shown
    assert done.stdout.splitlines()[0] == b"Copied 120: 120 new, 0 changed."
    assert b"\r" not in done.stdout
    assert other.count() == 120
