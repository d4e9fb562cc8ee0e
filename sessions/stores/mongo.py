"""Sessions in MongoDB."""

import asyncio
import os
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar, cast

from sessions.errors import ConfigurationError
from sessions.names import OF_SERVERS, explains_settings
from sessions.public_names import refusing
from sessions.record import Changes, Ended, Outcome, Record
from sessions.stores.base import CALL_DEADLINE, AsyncStore, Store, without_password
from sessions.stores.listing import Page

try:
    import pymongo
    from bson.errors import BSONError
    from pymongo.asynchronous.collection import AsyncCollection
    from pymongo.collection import Collection
    from pymongo.errors import (
        AutoReconnect,
        DuplicateKeyError,
        PyMongoError,
        ServerSelectionTimeoutError,
    )

    from sessions.stores import mongo_clients as clients
except ImportError as error:
    raise ConfigurationError(
        "MongoStore needs the package pymongo, which is not installed. Fix: run"
        " pip install 'satsuma[mongo]'"
    ) from error

from sessions.stores import mongo_plans as plans
from sessions.stores.failures import unavailable
from sessions.stores.mongo_expiring import AsyncMongoExpiring, MongoExpiring
from sessions.stores.mongo_plans import Ask, Plan
from sessions.stores.mongo_users import AsyncMongoUsers, MongoUsers

T = TypeVar("T")

_BROKEN = (PyMongoError, BSONError, OSError)
_COLLECTION = "sessions"
_LISTS = ("find", "aggregate")
_SCHEMA_DEADLINE = 60.0
"""The seconds that `create_schema` may take, because an index of many documents takes time."""


@explains_settings(OF_SERVERS)
class MongoStore(MongoExpiring, MongoUsers, Store):
    """Keep records in MongoDB, one document for each session.

    `collection` is a collection of a `pymongo.MongoClient`; `from_url` makes a collection from a
    URL. Call `create_schema` once, so that the server removes expired sessions.
    """

    def __init__(self, collection: "Collection[Any]") -> None:
        checked = clients.check_collection(collection, Collection, "MongoStore")
        self._begin(lambda: checked, checked.full_name, is_own=False)

    @classmethod
    def from_url(cls, url: str, *, collection: str = _COLLECTION) -> "MongoStore":
        """Return a store for a URL `mongodb://` or `mongodb+srv://` with the name of a database.

        Without a name, the database is `sessions`. Raises ConfigurationError for a URL without a
        MongoDB server.
        """
        checked = clients.check_url(url, cls.__name__)
        store = cls.__new__(cls)
        make = partial(clients.collection_at, checked, collection)
        store._begin(make, without_password(url), is_own=True)
        return store

    def _begin(self, make: Callable[[], Any], name: str, *, is_own: bool) -> None:
        self._make = make
        self._name = name
        self._is_own = is_own
        self._deadline = CALL_DEADLINE
        # The collection of each process, because a client cannot be used after a fork.
        self._opened: dict[int, Any] = {}

    def __repr__(self) -> str:
        return f"<MongoStore {self._name!r}>"

    def load(self, key: str) -> Record | Ended | None:
        return self._run(plans.load(key, self.clock))

    def create(self, key: str, record: Record) -> bool:
        return self._run(plans.create(key, record, self._keeping))

    def commit(self, key: str, changes: Changes) -> Outcome:
        return self._run(plans.commit(key, changes, self._keeping))

    def touch(self, key: str, secret: str, expires_at: float, accessed_at: float) -> bool:
        return self._run(plans.touch(key, secret, expires_at, accessed_at, self._keeping))

    def delete(self, key: str, *, user_id: str | None = None) -> bool:
        return self._run(plans.delete(key, user_id, self._keeping))

    def count(self) -> int:
        """Return the number of live records: see `Countable`."""
        count, after = 0, cast(str | None, "")
        while after is not None:
            some, after = self._run(plans.count(after, self.clock))
            count += some
        return count

    def page(self, after: str | None, limit: int) -> Page:
        """Return the next live records in the order of their keys: see `Listable`."""
        return self._run(plans.page(after, limit, self.clock))

    def create_schema(self) -> None:
        """Create the TTL index, with which the server removes expired sessions itself.

        The database user needs the right to create an index. If the index exists, nothing is
        changed.
        """
        self._run(plans.create_index(), deadline=_SCHEMA_DEADLINE)

    def close(self) -> None:
        """Close the connections; a later call opens them again. Your own client stays open."""
        collection = self._opened.pop(os.getpid(), None)
        if collection is not None and self._is_own:
            with pymongo.timeout(self._deadline):
                collection.database.client.close()

    @property
    def _collection(self) -> Any:
        process = os.getpid()
        collection = self._opened.get(process)
        if collection is None:
            # If two threads make a collection, the first one is kept; the other has no open
            # connection.
            collection = self._opened.setdefault(process, self._make())
        return collection

    def _run(self, plan: Plan[T], *, deadline: float | None = None) -> T:
        try:
            with pymongo.timeout(deadline or self._deadline):
                answer = None
                while True:
                    answer = self._answer(plan.send(answer))
        except StopIteration as end:
            found: T = end.value
            return found
        except _BROKEN as error:
            raise unavailable(self, error) from error

    def _answer(self, ask: Ask) -> Any:
        try:
            return self._ask(ask)
        except AutoReconnect as error:
            # The server restarted, or another server is primary now: a new connection may succeed.
            if not _is_repeatable(ask, error):
                raise
            return self._ask(ask)

    def _ask(self, ask: Ask) -> Any:
        method = getattr(self._collection, ask.verb)
        try:
            reply = method(*ask.arguments, **ask.options)
            return reply.to_list() if ask.verb in _LISTS else reply
        except DuplicateKeyError:
            return None


@explains_settings(OF_SERVERS)
class AsyncMongoStore(AsyncMongoExpiring, AsyncMongoUsers, AsyncStore):
    """Keep records in MongoDB without blocking an event loop: see `MongoStore`.

    `collection` is a collection of a `pymongo.AsyncMongoClient`, which belongs to one event loop.
    `from_url` makes a collection for each event loop that uses the store.
    """

    def __init__(self, collection: "AsyncCollection[Any]") -> None:
        checked = clients.check_collection(collection, AsyncCollection, "AsyncMongoStore")
        self._begin(lambda: checked, checked.full_name, is_own=False)

    @classmethod
    def from_url(cls, url: str, *, collection: str = _COLLECTION) -> "AsyncMongoStore":
        """Return a store for a URL: see `MongoStore.from_url`."""
        checked = clients.check_url(url, cls.__name__)
        store = cls.__new__(cls)
        make = partial(clients.async_collection_at, checked, collection)
        store._begin(make, without_password(url), is_own=True)
        return store

    def _begin(self, make: Callable[[], Any], name: str, *, is_own: bool) -> None:
        self._make = make
        self._name = name
        self._is_own = is_own
        self._deadline = CALL_DEADLINE
        self._opened: dict[asyncio.AbstractEventLoop, Any] = {}

    def __repr__(self) -> str:
        return f"<AsyncMongoStore {self._name!r}>"

    async def load(self, key: str) -> Record | Ended | None:
        return await self._run(plans.load(key, self.clock))

    async def create(self, key: str, record: Record) -> bool:
        return await self._run(plans.create(key, record, self._keeping))

    async def commit(self, key: str, changes: Changes) -> Outcome:
        return await self._run(plans.commit(key, changes, self._keeping))

    async def touch(self, key: str, secret: str, expires_at: float, accessed_at: float) -> bool:
        return await self._run(plans.touch(key, secret, expires_at, accessed_at, self._keeping))

    async def delete(self, key: str, *, user_id: str | None = None) -> bool:
        return await self._run(plans.delete(key, user_id, self._keeping))

    async def count(self) -> int:
        """Return the number of live records: see `Countable`."""
        count, after = 0, cast(str | None, "")
        while after is not None:
            some, after = await self._run(plans.count(after, self.clock))
            count += some
        return count

    async def page(self, after: str | None, limit: int) -> Page:
        """Return the next live records in the order of their keys: see `Listable`."""
        return await self._run(plans.page(after, limit, self.clock))

    async def create_schema(self) -> None:
        """Create the TTL index: see `MongoStore.create_schema`."""
        await self._run(plans.create_index(), deadline=_SCHEMA_DEADLINE)

    async def close(self) -> None:
        """Close the connections of this event loop: see `MongoStore.close`."""
        collection = self._opened.pop(asyncio.get_running_loop(), None)
        if collection is not None and self._is_own:
            with pymongo.timeout(self._deadline):
                await collection.database.client.close()

    @property
    def _collection(self) -> Any:
        """Return the collection of the running event loop; a connection belongs to one loop."""
        loop = asyncio.get_running_loop()
        collection = self._opened.get(loop)
        if collection is None:
            for other in [other for other in self._opened if other.is_closed()]:
                del self._opened[other]
            collection = self._opened[loop] = self._make()
        return collection

    async def _run(self, plan: Plan[T], *, deadline: float | None = None) -> T:
        try:
            with pymongo.timeout(deadline or self._deadline):
                answer = None
                while True:
                    answer = await self._answer(plan.send(answer))
        except StopIteration as end:
            found: T = end.value
            return found
        except _BROKEN as error:
            raise unavailable(self, error) from error

    async def _answer(self, ask: Ask) -> Any:
        try:
            return await self._ask(ask)
        except AutoReconnect as error:
            if not _is_repeatable(ask, error):
                raise
            return await self._ask(ask)

    async def _ask(self, ask: Ask) -> Any:
        method = getattr(self._collection, ask.verb)
        try:
            reply = method(*ask.arguments, **ask.options)
            if ask.verb == "aggregate":
                reply = await reply
            return await (reply.to_list() if ask.verb in _LISTS else reply)
        except DuplicateKeyError:
            return None


def _is_repeatable(ask: Ask, error: AutoReconnect) -> bool:
    return ask.is_repeatable and not isinstance(error, ServerSelectionTimeoutError)


# Type checkers do not see this function, because they would then accept every name.
if not TYPE_CHECKING:
    __getattr__ = refusing(__name__)
