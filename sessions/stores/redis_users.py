"""The index of users of the Redis stores: a sorted set for each user.

A member is the key of a session. Its score is the time until which the entry stays. The set expires
at its greatest score, so the server removes the index of a user by itself. A single server adds an
entry and stores the sign-in in one call. In a cluster, these are two calls, because the set and the
session can be on different nodes.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from typing import Any

from redis.exceptions import RedisClusterException, ResponseError

from sessions.errors import StoreUnavailable
from sessions.record import Changes, Outcome, Record
from sessions.stores.redis_calls import commit_call, create_call, outcome_in
from sessions.stores.redis_scripts import ENTER, Call, Script, Scripts
from sessions.stores.user_index import hash_of_user

_KIND = """
local kind = redis.call('TYPE', KEYS[1]).ok
"""

_ADD = Script(ENTER + "enter(KEYS[1], ARGV[1], ARGV[2], redis.call('TIME')) return 1")

_KEYS = Script(
    _KIND
    + """
if kind ~= 'zset' then return {} end
return redis.call('ZRANGE', KEYS[1], 0, -1, 'WITHSCORES')
"""
)

# This also works if the memory of the server is full.
_REMOVE = Script(
    "#!lua flags=allow-oom\n"
    + _KIND
    + """
if kind ~= 'zset' then return 0 end
for at = 1, #ARGV, 2 do
    local score = redis.call('ZSCORE', KEYS[1], ARGV[at])
    if score and tonumber(score) <= tonumber(ARGV[at + 1]) then
        redis.call('ZREM', KEYS[1], ARGV[at])
    end
end
return 1
"""
)

_ARGUMENTS = 1000
"""The largest number of arguments of one call that removes entries."""


class RedisUsers(ABC):
    """Keep the index of users in Redis."""

    _is_split = False
    """Whether the server refused one script for the index and a session, as a cluster does."""

    _scripts: Scripts

    @abstractmethod
    def _reply(self, keys: tuple[str, ...], call: Call, *, is_repeatable: bool = True) -> Any:
        """Run a script on these keys, and return its reply."""

    def add_to_user(self, user_id: str, key: str, until: float) -> None:
        """Add an entry: see `UserIndex.add_to_user`."""
        self._reply((_name(user_id),), _ADD.call(*_entry(key, until)))

    def keys_of_user(self, user_id: str) -> dict[str, float]:
        """Return the keys of the user: see `UserIndex.keys_of_user`."""
        return _entries(self._reply((_name(user_id),), _KEYS.call()))

    def remove_from_user(self, user_id: str, entries: Mapping[str, float]) -> None:
        """Remove entries: see `UserIndex.remove_from_user`."""
        for call in _remove_calls(entries):
            self._reply((_name(user_id),), call)

    @abstractmethod
    def create(self, key: str, record: Record) -> bool:
        """Store a new record."""

    @abstractmethod
    def commit(self, key: str, changes: Changes) -> Outcome:
        """Apply changes to a record."""

    def create_sign_in(self, user_id: str, key: str, record: Record, until: float) -> bool:
        """Add an entry, and create a record: see `StoresSignIns.create_sign_in`."""
        entry = _entry(key, until)
        call = create_call(record, self._scripts.create_sign_in, *entry)
        reply = self._sign_in(user_id, key, call, entry, is_repeatable=True)
        return self.create(key, record) if reply is None else reply == 1

    def commit_sign_in(self, user_id: str, key: str, changes: Changes, until: float) -> Outcome:
        """Add an entry, and commit changes: see `StoresSignIns.commit_sign_in`."""
        entry = _entry(key, until)
        call = commit_call(changes, self._scripts.commit_sign_in, *entry)
        is_repeatable = not changes.expected
        reply = self._sign_in(user_id, key, call, entry, is_repeatable=is_repeatable)
        return self.commit(key, changes) if reply is None else outcome_in(reply)

    def _sign_in(
        self, user_id: str, key: str, call: Call, entry: Iterable[bytes], *, is_repeatable: bool
    ) -> int | None:
        """Add an entry and store a sign-in in one call; in a cluster, add only the entry.

        Return the reply of the call that stored the sign-in, or None if no call stored it.
        """
        if not self._is_split:
            try:
                keys = (key, _name(user_id))
                return int(self._reply(keys, call, is_repeatable=is_repeatable))
            except StoreUnavailable as error:
                if not _is_of_slots(error):
                    raise
                self._is_split = True
        self._reply((_name(user_id),), _ADD.call(*entry))
        return None


class AsyncRedisUsers(ABC):
    """Keep the index of users in Redis, on an event loop."""

    _is_split = False
    _scripts: Scripts

    @abstractmethod
    async def _reply(self, keys: tuple[str, ...], call: Call, *, is_repeatable: bool = True) -> Any:
        """Run a script on these keys, and return its reply."""

    async def add_to_user(self, user_id: str, key: str, until: float) -> None:
        """Add an entry: see `UserIndex.add_to_user`."""
        await self._reply((_name(user_id),), _ADD.call(*_entry(key, until)))

    async def keys_of_user(self, user_id: str) -> dict[str, float]:
        """Return the keys of the user: see `UserIndex.keys_of_user`."""
        return _entries(await self._reply((_name(user_id),), _KEYS.call()))

    async def remove_from_user(self, user_id: str, entries: Mapping[str, float]) -> None:
        """Remove entries: see `UserIndex.remove_from_user`."""
        for call in _remove_calls(entries):
            await self._reply((_name(user_id),), call)

    @abstractmethod
    async def create(self, key: str, record: Record) -> bool:
        """Store a new record."""

    @abstractmethod
    async def commit(self, key: str, changes: Changes) -> Outcome:
        """Apply changes to a record."""

    async def create_sign_in(self, user_id: str, key: str, record: Record, until: float) -> bool:
        """Add an entry, and create a record: see `StoresSignIns.create_sign_in`."""
        entry = _entry(key, until)
        call = create_call(record, self._scripts.create_sign_in, *entry)
        reply = await self._sign_in(user_id, key, call, entry, is_repeatable=True)
        return await self.create(key, record) if reply is None else reply == 1

    async def commit_sign_in(
        self, user_id: str, key: str, changes: Changes, until: float
    ) -> Outcome:
        """Add an entry, and commit changes: see `StoresSignIns.commit_sign_in`."""
        entry = _entry(key, until)
        call = commit_call(changes, self._scripts.commit_sign_in, *entry)
        is_repeatable = not changes.expected
        reply = await self._sign_in(user_id, key, call, entry, is_repeatable=is_repeatable)
        return await self.commit(key, changes) if reply is None else outcome_in(reply)

    async def _sign_in(
        self, user_id: str, key: str, call: Call, entry: Iterable[bytes], *, is_repeatable: bool
    ) -> int | None:
        """Add an entry and store a sign-in in one call; in a cluster, add only the entry.

        Return the reply of the call that stored the sign-in, or None if no call stored it.
        """
        if not self._is_split:
            try:
                keys = (key, _name(user_id))
                return int(await self._reply(keys, call, is_repeatable=is_repeatable))
            except StoreUnavailable as error:
                if not _is_of_slots(error):
                    raise
                self._is_split = True
        await self._reply((_name(user_id),), _ADD.call(*entry))
        return None


def _name(user_id: str) -> str:
    # No session has such a key, whatever the prefixes of other applications are.
    return f"user:{hash_of_user(user_id)}:sessions"


def _entry(key: str, until: float) -> tuple[bytes, bytes]:
    """Return an entry as the last two arguments of a script."""
    return key.encode(), _number(until)


def _is_of_slots(error: StoreUnavailable) -> bool:
    """Return whether a server or a client refused a script because its keys are in two slots."""
    cause = error.__cause__
    is_refusal = isinstance(cause, ResponseError | RedisClusterException)
    return is_refusal and "slot" in str(cause).lower()


def _remove_calls(entries: Mapping[str, float]) -> Iterable[Call]:
    parts = [part for key, until in entries.items() for part in (key.encode(), _number(until))]
    for begin in range(0, len(parts), _ARGUMENTS):
        yield _REMOVE.call(*parts[begin : begin + _ARGUMENTS])


def _entries(reply: list[bytes]) -> dict[str, float]:
    return {key.decode(): float(score) for key, score in zip(reply[::2], reply[1::2], strict=True)}


def _number(time: float) -> bytes:
    return repr(float(time)).encode()
