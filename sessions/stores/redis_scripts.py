"""The Lua scripts of the Redis store, which change a record on the server in one step.

The array `about` has the fields of `_About` in `redis_calls`; its first index is 1. False stands
for a missing field. KEPT stands for the milliseconds that a record stays after its end.
"""

import hashlib
from typing import NamedTuple

from sessions.record import CLOCK_TOLERANCE
from sessions.stores.base import REMEMBERED_FOR


class Call(NamedTuple):
    """One command for the server: a script, its SHA-1 and its arguments."""

    script: str
    sha: str
    arguments: tuple[bytes, ...]


class Script:
    """A script; after the first call, a server knows the script by its SHA-1."""

    def __init__(self, text: str, kept: int = 0) -> None:
        self.kept = kept
        self._text = text
        self._sha = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()

    def call(self, *arguments: bytes) -> Call:
        """Return the call of the script with these arguments."""
        return Call(self._text, self._sha, arguments)


# The beginning of each script: the time of the server, and a function that finds the record.
_FIND = """
local key = KEYS[1]
local time = redis.call('TIME')
local now = time[1] + time[2] / 1000000
local function found(any)
    local packed = redis.pcall('HGET', key, 'about')
    if type(packed) ~= 'string' then return nil end
    local sound, about = pcall(cmsgpack.unpack, packed)
    if not sound or type(about) ~= 'table' or #about ~= 12 then return nil end
    for at = 1, 7 do
        if type(about[at]) ~= (at == 2 and 'string' or 'number') then return nil end
    end
    for at = 8, 11 do
        local kind = (at == 8 or at == 11) and 'number' or 'string'
        if about[at] and type(about[at]) ~= kind then return nil end
    end
    if type(about[12]) ~= 'number' or about[1] % 1 ~= 0 then return nil end
    if about[7] <= now and not any then return nil end
    if about[10] and not about[11] then return nil end
    return about
end
local function keep(about)
    redis.call('HSET', key, 'about', cmsgpack.pack(about))
    redis.call('PEXPIREAT', key, math.floor(about[7] * 1000) + KEPT)
end
"""

# This calculates the times as `Record.times_after` does.
_USE = f"""
local latest = now + {CLOCK_TOLERANCE}
local function use(about, accessed, expires, keeps_later)
    if about[4] > latest then about[4] = now end
    if about[6] > latest then about[6] = now end
    if about[5] <= latest then
        if accessed < about[5] then return false end
        if keeps_later and expires < about[7] then expires = about[7] end
    end
    about[5] = accessed
    about[7] = expires
    return true
end
"""

_CREATE = """
local about = found()
if about then return about[2] == ARGV[2] and 1 or 0 end
-- A full server refuses a script's first write only, so this one must be what needs the memory.
if redis.call('EXISTS', key) == 1 then redis.call('DEL', key) end
redis.call('HSET', key, 'about', ARGV[1])
for at = 4, #ARGV, 2 do redis.call('HSET', key, ARGV[at], ARGV[at + 1]) end
redis.call('PEXPIREAT', key, ARGV[3])
return 1
"""

_COMMIT = (
    _USE
    + """
local about = found()
if not about then return 1 end
local what = cmsgpack.unpack(ARGV[1])
local secret, accessed, updated, expires = what[1], what[2], what[3], what[4]
local only_values, timeout, user, clear = what[5], what[6], what[7], what[8]
local new_secret, grace, created = what[9], what[10], what[11]
if new_secret and new_secret == about[2] then return 0 end
if secret ~= about[2] then
    local is_grace = about[10] and about[10] == secret and now < about[11]
    if not (only_values and is_grace) then return 2 end
end
local at = 2
for _ = 1, what[14] do
    local field, kept = ARGV[at], redis.call('HGET', key, ARGV[at])
    local value = kept and string.sub(kept, 5)
    if ARGV[at + 1] == '1' then
        if value ~= ARGV[at + 2] then return 3 end
    elseif kept then
        return 3
    end
    at = at + 3
end
if clear then redis.call('DEL', key) end
for _ = 1, what[12] do
    local field, number = ARGV[at], redis.call('HGET', key, ARGV[at])
    if number then
        number = string.sub(number, 1, 4)
    else
        number = struct.pack('>I4', about[12])
        about[12] = about[12] + 1
    end
    redis.call('HSET', key, field, number .. ARGV[at + 1])
    at = at + 2
end
for _ = 1, what[13] do
    redis.call('HDEL', key, ARGV[at])
    at = at + 1
end
local names_timeout = timeout ~= true
if use(about, accessed, expires, about[8] and not names_timeout) then about[6] = updated end
if names_timeout then about[8] = timeout end
if user ~= true then about[9] = user end
if created then about[4] = created end
if new_secret then
    about[10], about[11] = grace and about[2] or false, grace
    about[2], about[3] = new_secret, now
end
keep(about)
return 0
"""
)

_TOUCH = (
    _USE
    + """
local about = found()
if not about or about[2] ~= ARGV[1] then return 0 end
use(about, tonumber(ARGV[2]), tonumber(ARGV[3]), about[8])
keep(about)
return 1
"""
)

# A logout must succeed even if the memory of the server is full.
_DELETE = (
    "#!lua flags=allow-oom"
    + _FIND
    + f"""
local about = found()
if about then
    if ARGV[1] == '1' and about[9] ~= ARGV[2] then return 0 end
    redis.call('DEL', key)
    redis.call('HSET', key, 'ended', string.format('%.17g', now))
    redis.call('PEXPIRE', key, {int(REMEMBERED_FOR * 1000)})
    return 1
end
if ARGV[1] ~= '1' then
    local ended = redis.pcall('HEXISTS', key, 'ended')
    local is_for_listeners = ARGV[3] == '1' and found(true)
    if ended ~= 1 and not is_for_listeners then redis.call('DEL', key) end
end
return 0
"""
)

ENTER = """
local function enter(set, member, score, time)
    local added = redis.pcall('ZADD', set, 'GT', score, member)
    if type(added) == 'table' then
        -- A value of another type under the key is damage, and a new index replaces it.
        local kind = redis.call('TYPE', set).ok
        if kind ~= 'zset' and kind ~= 'none' then redis.call('DEL', set) end
        redis.call('ZADD', set, 'GT', score, member)
    end
    -- Only a new entry makes the set larger, so only a new entry removes old ones.
    if added ~= 0 then redis.call('ZREMRANGEBYSCORE', set, '-inf', '(' .. time[1]) end
    if redis.call('ZCOUNT', set, '(' .. score, '+inf') == 0 then
        redis.call('PEXPIREAT', set, math.ceil(score * 1000))
    end
end
"""
"""The function that enters a session in the index of its user."""
# The last two arguments are the entry. If the entry cannot be stored, the script ends.
_SIGN_IN = (
    ENTER
    + """
local score, member = table.remove(ARGV), table.remove(ARGV)
enter(KEYS[2], member, score, time)
"""
)

# Only a store that keeps records after their ends needs these scripts.
_LOAD = (
    _FIND
    + """
if not found() and found(true) then return {} end
return redis.pcall('HGETALL', key)
"""
)
_TAKE = (
    _FIND
    + """
local about = found(true)
if not about or about[7] + tonumber(ARGV[1]) > now then return {} end
local fields = redis.call('HGETALL', key)
redis.call('DEL', key)
return fields
"""
)
_HAS_EXPIRED = _FIND + "return not found() and found(true) and 1 or 0"


class Scripts:
    """The scripts of a store that keeps each record for `kept` milliseconds after its end."""

    def __init__(self, kept: int = 0) -> None:
        def made(text: str) -> Script:
            return Script(text.replace("KEPT", str(kept)), kept)

        self.kept = kept
        self.create, self.commit, self.touch, self.delete = map(
            made, (_FIND + _CREATE, _FIND + _COMMIT, _FIND + _TOUCH, _DELETE)
        )
        self.create_sign_in = made(_FIND + _SIGN_IN + _CREATE)
        self.commit_sign_in = made(_FIND + _SIGN_IN + _COMMIT)
        self.load, self.take, self.has_expired = map(made, (_LOAD, _TAKE, _HAS_EXPIRED))
