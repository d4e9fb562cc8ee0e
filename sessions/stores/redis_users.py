"""The index of users of the Redis stores: a sorted set for each user.

A member is the key of a session, and its score is the time of the entry. The set expires with its
greatest score, so the server removes the index of a user by itself. Each call is one command on one
key, also in a cluster, where a set and the sessions in it may be on different nodes.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from typing import Any

from sessions.stores.redis_scripts import Call, Script
from sessions.stores.user_index import hash_of_user

# A value of another type under the key is damage, and a new index replaces it.
_KIND = """
local kind = redis.call('TYPE', KEYS[1]).ok
"""

_ADD = Script(
    _KIND
    + """
if kind ~= 'zset' and kind ~= 'none' then redis.call('DEL', KEYS[1]) end
redis.call('ZADD', KEYS[1], 'GT', ARGV[2], ARGV[1])
local time = redis.call('TIME')
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', '(' .. time[1])
local last = redis.call('ZREVRANGE', KEYS[1], 0, 0, 'WITHSCORES')
if last[2] then redis.call('PEXPIREAT', KEYS[1], math.ceil(tonumber(last[2]) * 1000)) end
return 1
"""
)

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

    @abstractmethod
    def _reply(self, key: str, call: Call, *, is_repeatable: bool = True) -> Any:
        """Run a script on one key, and return its reply."""

    def add_to_user(self, user_id: str, key: str, until: float) -> None:
        """Add an entry: see `UserIndex.add_to_user`."""
        self._reply(_name(user_id), _add_call(key, until))

    def keys_of_user(self, user_id: str) -> dict[str, float]:
        """Return the keys of the user: see `UserIndex.keys_of_user`."""
        return _entries(self._reply(_name(user_id), _KEYS.call()))

    def remove_from_user(self, user_id: str, entries: Mapping[str, float]) -> None:
        """Remove entries: see `UserIndex.remove_from_user`."""
        for call in _remove_calls(entries):
            self._reply(_name(user_id), call)


class AsyncRedisUsers(ABC):
    """Keep the index of users in Redis, on an event loop."""

    @abstractmethod
    async def _reply(self, key: str, call: Call, *, is_repeatable: bool = True) -> Any:
        """Run a script on one key, and return its reply."""

    async def add_to_user(self, user_id: str, key: str, until: float) -> None:
        """Add an entry: see `UserIndex.add_to_user`."""
        await self._reply(_name(user_id), _add_call(key, until))

    async def keys_of_user(self, user_id: str) -> dict[str, float]:
        """Return the keys of the user: see `UserIndex.keys_of_user`."""
        return _entries(await self._reply(_name(user_id), _KEYS.call()))

    async def remove_from_user(self, user_id: str, entries: Mapping[str, float]) -> None:
        """Remove entries: see `UserIndex.remove_from_user`."""
        for call in _remove_calls(entries):
            await self._reply(_name(user_id), call)


def _name(user_id: str) -> str:
    # No session has such a key, whatever the prefixes of other applications are.
    return f"user:{hash_of_user(user_id)}:sessions"


def _add_call(key: str, until: float) -> Call:
    return _ADD.call(key.encode(), _number(until))


def _remove_calls(entries: Mapping[str, float]) -> Iterable[Call]:
    parts = [part for key, until in entries.items() for part in (key.encode(), _number(until))]
    for begin in range(0, len(parts), _ARGUMENTS):
        yield _REMOVE.call(*parts[begin : begin + _ARGUMENTS])


def _entries(reply: list[bytes]) -> dict[str, float]:
    return {key.decode(): float(score) for key, score in zip(reply[::2], reply[1::2], strict=True)}


def _number(time: float) -> bytes:
    return repr(float(time)).encode()
