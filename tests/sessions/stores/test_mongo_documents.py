"""What the MongoDB store keeps, and what it makes of documents that others have changed."""

import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

pymongo = pytest.importorskip("pymongo", reason="pymongo is not installed")

from pymongo.read_preferences import ReadPreference  # noqa: E402
from pymongo.write_concern import WriteConcern  # noqa: E402

from sessions import async_store_from_url, store_from_url  # noqa: E402
from sessions.errors import ConfigurationError, UnreadableValue  # noqa: E402
from sessions.record import Ended, Outcome, Record  # noqa: E402
from sessions.stores import mongo_documents as documents  # noqa: E402
from sessions.stores.base import PURGE_DELAY, REMEMBERED_FOR  # noqa: E402
from sessions.stores.mongo import AsyncMongoStore, MongoStore  # noqa: E402
from sessions.testing import ManualClock, a_record, some_changes  # noqa: E402
from tests.support.mongo_servers import (  # noqa: E402
    REAL_URL,
    WHY_NOT,
    has_server,
    mongo_server,
)

needs_server = pytest.mark.skipif(REAL_URL is None and not has_server(), reason=WHY_NOT)
KEY = "a-key"


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Give a client of one server to all tests of the module."""
    if REAL_URL is not None:
        with pymongo.MongoClient(REAL_URL) as client:
            yield client
        return
    with (
        mongo_server(tmp_path_factory.mktemp("mongo")) as server,
        pymongo.MongoClient(server.url) as client,
    ):
        yield client


@pytest.fixture
def collection(client: Any) -> Any:
    """Give an empty collection."""
    collection = client.get_default_database()["documents"]
    collection.drop()
    return collection


@pytest.fixture
def store(collection: Any) -> MongoStore:
    """Give a store in the empty collection."""
    return MongoStore(collection)


def a_live_record(**values: bytes) -> Record:
    """Return a record that lives for an hour."""
    return a_record(time.time, values, lives=3600, user_id="ada")


@given(st.text(st.sampled_from("%.$\0vE0245")) | st.text())
@example("%2E%24%00%25")
def test_a_field_name_of_a_document_is_safe_and_can_be_decoded(name: str) -> None:
    """The name has no dot, no dollar sign and no NUL, and is never empty or only digits."""
    field = documents.field(name)

    assert documents.name_of(field) == name
    assert not set(field) & {".", "$", "\0"}
    assert field.startswith("v")


@given(st.floats(min_value=-1e12, max_value=1e300, allow_nan=False))
def test_the_date_of_the_removal_is_not_too_early(moment: float) -> None:
    """MongoDB's dates have milliseconds, and Python's dates have a last one."""
    date = documents.date(moment)

    assert date >= min(datetime.fromtimestamp(max(min(moment, 2e11), 0), UTC), date)
    assert date.timestamp() >= min(moment, 2e11)


@needs_server
@pytest.mark.parametrize(
    "damage",
    [
        {"$unset": {"secret": 1}},
        {"$unset": {"timeout": 1}},
        {"$set": {"secret": 5}},
        {"$set": {"values": "text"}},
        {"$set": {"values": [b"1"]}},
        {"$set": {"accessed_at": "now"}},
        {"$set": {"created_at": None}},
        {"$set": {"expires_at": "never"}},
        {"$set": {"user_id": 7}},
        {"$set": {"grace": "soon"}},
        {"$set": {"version": "one"}},
    ],
    ids=str,
)
def test_a_damaged_document_is_not_a_record(
    collection: Any, store: MongoStore, damage: dict[str, Any]
) -> None:
    """`load` raises an error; other methods find no record, and a new session can use the key."""
    record, now = a_live_record(a=b"1"), time.time()
    for _ in range(2):
        assert store.create(KEY, record)
        collection.update_one({"_id": KEY}, damage)
        with pytest.raises(UnreadableValue):
            store.load(KEY)
        assert store.commit(KEY, some_changes(time.time, set={"b": b"2"})) is Outcome.GONE
        assert not store.touch(KEY, record.secret, now + 60, now)
        assert not store.delete(KEY, user_id="ada")

    assert not store.delete(KEY)
    assert collection.find_one({"_id": KEY}) is None


@needs_server
@pytest.mark.parametrize(
    "damage",
    [
        {"$set": {"values.va": "text"}},
        {"$set": {"values.other": b"no name begins so"}},
        {"$set": {"grace": {"secret": 1}}},
        {"$set": {"version": 1.5}},
    ],
    ids=str,
)
def test_damage_inside_of_a_field_is_found_as_well(
    collection: Any, store: MongoStore, damage: dict[str, Any]
) -> None:
    """`load` raises an error, and a new session can use the key."""
    record = a_live_record(a=b"1")
    assert store.create(KEY, record)
    collection.update_one({"_id": KEY}, damage)

    with pytest.raises(UnreadableValue):
        store.load(KEY)
    assert store.create(KEY, record)
    assert store.load(KEY) == record


@needs_server
def test_a_damaged_end_mark_is_an_error(collection: Any, store: MongoStore) -> None:
    """`load` raises an error for a damaged mark of an ended session."""
    collection.insert_one({"_id": KEY, "ended": "yesterday"})

    with pytest.raises(UnreadableValue):
        store.load(KEY)
    assert store.create(KEY, a_live_record())


@needs_server
def test_a_text_that_begins_with_a_dollar_sign_names_no_field(store: MongoStore) -> None:
    """In an expression of MongoDB, the text `$secret` would mean the field `secret`."""
    first, second = "$user_id", "$values"
    store.create(KEY, a_record(time.time, {"a": b"$a"}, secret=first, lives=3600))
    changes = some_changes(
        time.time,
        secret=first,
        new_secret=second,
        grace=time.time() + 60,
        user_id="$$ROOT",
        set={"$a.b": b"$secret", "$literal": b"$$NOW"},
        lives=3600,
    )

    assert store.commit(KEY, changes) is Outcome.APPLIED
    found = store.load(KEY)
    assert isinstance(found, Record)
    assert (found.secret, found.user_id) == (second, "$$ROOT")
    assert found.grace is not None
    assert found.grace.secret == first
    assert found.values == {"a": b"$a", "$a.b": b"$secret", "$literal": b"$$NOW"}
    assert store.delete(KEY, user_id="$$ROOT")


@needs_server
def test_a_renewal_that_has_been_applied_is_not_applied_again(store: MongoStore) -> None:
    """This holds also if the renewal names its own secret as the earlier one."""
    record = a_live_record(a=b"1")
    store.create(KEY, record)
    again = some_changes(time.time, new_secret=record.secret, set={"a": b"2"}, lives=3600)

    assert store.commit(KEY, again) is Outcome.APPLIED
    assert store.load(KEY) == record


@needs_server
def test_new_names_keep_the_order_in_which_one_commit_sets_them(store: MongoStore) -> None:
    """MongoDB's update operators would write new names in alphabetical order."""
    names = ["z", "m", "a", "10", "9", "Z"]
    store.create(KEY, a_live_record(y=b"1", b=b"1"))

    store.commit(KEY, some_changes(time.time, set=dict.fromkeys(["b", *names], b"2"), lives=3600))

    found = store.load(KEY)
    assert isinstance(found, Record)
    assert list(found.values) == ["y", "b", *names]


@needs_server
def test_a_commit_keeps_what_others_set_in_a_large_session(store: MongoStore) -> None:
    """Thousands of values, of which each commit names one."""
    names = [f"name {number}" for number in range(3000)]
    store.create(KEY, a_record(time.time, dict.fromkeys(names, b"v"), lives=3600))

    store.commit(KEY, some_changes(time.time, set={"name 7": b"w"}, lives=3600))
    store.commit(KEY, some_changes(time.time, removed=frozenset({"name 8"}), lives=3600))

    found = store.load(KEY)
    assert isinstance(found, Record)
    assert list(found.values) == [name for name in names if name != "name 8"]
    assert found.values["name 7"] == b"w"


@needs_server
def test_the_date_of_removal_follows_the_expiry(collection: Any, store: MongoStore) -> None:
    """The server removes a document a minute after its session has expired, never earlier."""
    record, now = a_live_record(), time.time()

    def left() -> float:
        date = collection.find_one({"_id": KEY})["purge_at"]
        return float(date.replace(tzinfo=UTC).timestamp() - now)

    store.create(KEY, record)
    assert left() == pytest.approx(3600 + PURGE_DELAY, abs=5)
    store.touch(KEY, record.secret, now + 7200, now + 1)
    assert left() == pytest.approx(7200 + PURGE_DELAY, abs=5)
    store.touch(KEY, record.secret, now + 60, now - 100)
    assert left() == pytest.approx(7200 + PURGE_DELAY, abs=5)
    store.commit(KEY, some_changes(time.time, accessed_at=now + 2, expires_at=now + 300))
    assert left() == pytest.approx(300 + PURGE_DELAY, abs=5)
    store.delete(KEY)
    assert left() == pytest.approx(REMEMBERED_FOR + PURGE_DELAY, abs=5)


@needs_server
def test_the_schema_is_an_index_that_may_be_made_twice(collection: Any, store: MongoStore) -> None:
    """The index is on the date, and removes documents without further delay."""
    store.create_schema()
    store.create_schema()

    index = collection.index_information()["purge_at_1"]
    assert index["expireAfterSeconds"] == 0
    assert index["key"] == [("purge_at", 1)]


@needs_server
def test_a_purge_forgets_what_has_ended_long_ago(collection: Any, store: MongoStore) -> None:
    """purge() removes old marks of ended sessions where the collection has no index."""
    clock = ManualClock()
    store.clock = clock
    for key in ("one", "two"):
        store.create(key, a_record(clock))
        store.delete(key)
    assert collection.count_documents({}) == 2

    clock.advance(REMEMBERED_FOR + PURGE_DELAY + 1)
    assert store.purge(10) == 0
    assert collection.count_documents({}) == 0


@needs_server
def test_a_collection_of_the_user_keeps_its_client_open(client: Any, collection: Any) -> None:
    """The store ignores the collection's read settings, because other servers may be behind."""
    secondary = collection.with_options(read_preference=ReadPreference.SECONDARY)
    store = MongoStore(secondary)
    record = a_live_record(a=b"1")

    assert store.create(KEY, record)
    assert store._collection.read_preference == ReadPreference.PRIMARY
    store.close()
    assert client.admin.command("ping")
    assert store.delete(KEY)
    assert isinstance(store.load(KEY), Ended)


@pytest.mark.parametrize(
    "url",
    [
        "redis://host",
        "mongodb:",
        "mongodb://",
        "host:27017",
        "",
        None,
        "mongodb://host/shop?w=0",
        "mongodb://host:port",
        "mongodb://host/shop?retryWrites=perhaps&directConnection=true&replicaSet=",
    ],
)
@pytest.mark.parametrize("kind", [MongoStore, AsyncMongoStore])
def test_a_url_that_cannot_work_is_refused_at_once(kind: Any, url: Any) -> None:
    """The error comes when the store is made, not in the first request."""
    with pytest.raises(ConfigurationError) as error:
        kind.from_url(url)
    assert kind.__name__ in str(error.value)


def test_an_object_that_is_not_a_collection_is_refused() -> None:
    """The store refuses a client, a database, and a collection of pymongo's other interface."""
    client: Any = pymongo.MongoClient("mongodb://127.0.0.1:1", connect=False)
    other: Any = pymongo.AsyncMongoClient("mongodb://127.0.0.1:1", connect=False)
    wrongs: list[Any] = [client, client["shop"], other["shop"]["sessions"], None]
    for wrong in wrongs:
        with pytest.raises(ConfigurationError, match="not a collection of MongoClient"):
            MongoStore(wrong)
    with pytest.raises(ConfigurationError, match="not a collection of AsyncMongoClient"):
        AsyncMongoStore(client["shop"]["sessions"])


def test_an_unacknowledged_write_concern_is_refused() -> None:
    """A session could be lost without an error."""
    client: Any = pymongo.MongoClient("mongodb://127.0.0.1:1", connect=False)
    careless = client["shop"].get_collection("sessions", write_concern=WriteConcern(w=0))

    with pytest.raises(ConfigurationError, match="w=0"):
        MongoStore(careless)


@pytest.mark.parametrize("scheme", ["mongodb", "mongodb+srv"])
def test_a_store_is_made_from_a_url_alone(scheme: str) -> None:
    """No name server and no other server is asked before the first request."""
    assert isinstance(store_from_url(f"{scheme}://cluster.example/shop"), MongoStore)
    assert isinstance(async_store_from_url(f"{scheme}://cluster.example/shop"), AsyncMongoStore)


def test_a_password_is_in_no_message() -> None:
    """Messages name the server, without the user and the password."""
    store = MongoStore.from_url("mongodb://ada:secret@one:1,two:2/shop")

    assert repr(store) == "<MongoStore 'mongodb://***@one:1,two:2/shop'>"
    with pytest.raises(ConfigurationError) as error:
        MongoStore.from_url("mongodb://ada:secret@host:port")
    assert "secret" not in str(error.value)


def test_a_driver_that_is_missing_is_named() -> None:
    """The message names the extra that installs the driver."""
    program = (
        "import sys; sys.modules['pymongo'] = None\n"
        "try: import sessions.stores.mongo\n"
        "except ValueError as error: print(error)\n"
    )
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)

    assert "pip install 'satsuma[mongo]'" in found.stdout
