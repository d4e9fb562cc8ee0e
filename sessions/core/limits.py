"""All limits of sessions in one place, such as the 64 KiB of data and the store deadline."""

from datetime import timedelta

from sessions.stores.base import CALL_DEADLINE, REMEMBERED_FOR
from sessions.transports.cookie import HEADER_LIMIT as COOKIE_HEADER_LIMIT
from sessions.transports.cookie import PAIRS_LIMIT as COOKIE_PAIRS_LIMIT

__all__ = [
    "CALL_DEADLINE",
    "COOKIE_HEADER_LIMIT",
    "COOKIE_PAIRS_LIMIT",
    "CREATE_ATTEMPTS",
    "DEADLINE",
    "FOREIGN_TOKENS",
    "LINEAGE_LENGTH",
    "LONGEST_GRACE",
    "LONGEST_REMEMBERED_HEADER",
    "LONGEST_SECRET",
    "LONGEST_SESSION",
    "LONGEST_TOUCH_INTERVAL",
    "MAXIMUM_DATA",
    "MOST_IDS",
    "MOST_LEGACY_COOKIES",
    "REMEMBERED_FOR",
    "REMEMBERED_TOKENS",
    "RENEWAL_GRACE",
    "SECRET_LENGTH",
    "SHORTEST_SECRET",
    "UPDATE_ATTEMPTS",
    "WORKER_THREADS",
]

MAXIMUM_DATA = 64 * 1024
"""The largest size of all keys and encoded values of one session, in bytes."""

LINEAGE_LENGTH = 22
SHORTEST_SECRET = 22
LONGEST_SECRET = 128
"""The numbers of characters in an id: its lineage, and its shortest and longest secret."""

SECRET_LENGTH = 43
"""The number of characters in a secret that is derived from the id of another system."""

REMEMBERED_TOKENS = 4096
"""How many verified tokens, or Cookie headers, each cache of signatures keeps."""

FOREIGN_TOKENS = 3
"""After this number of well-formed tokens without a valid signature, a warning is logged."""

LONGEST_REMEMBERED_HEADER = 1024
"""The longest Cookie header that is kept in the cache, in bytes."""

LONGEST_TOUCH_INTERVAL = 60.0
"""The longest touch interval in seconds: after this time, a use of a session is stored again."""

DEADLINE = 1.0
"""The seconds that one request may wait for its session store, all calls together."""

CREATE_ATTEMPTS = 3
UPDATE_ATTEMPTS = 100
"""How often to try before an error.

CREATE_ATTEMPTS counts tries with ids that are taken already. UPDATE_ATTEMPTS counts tries to change
a value that another request has changed first.
"""

LONGEST_USER_ID = 10_000
"""The largest number of characters in a user's id, because columns of databases have limits."""

LONGEST_SESSION = timedelta(days=3650)
"""The longest timeout of a session."""

LONGEST_GRACE = timedelta(days=1)
"""The longest time for which an earlier id may still be used."""

FARTHEST_AHEAD = LONGEST_GRACE.total_seconds() + 60
"""If a time in a record is more than so many seconds ahead of now, a wrong clock has set it.

The longest grace time is one day, and the clocks of two servers can differ by a minute.
"""

RENEWAL_GRACE = timedelta(seconds=30)
"""The time for which an earlier id may be used after a renewal by `renew_every`."""

MOST_IDS = 32
"""The largest number of different ids in one request that are looked up in the store."""

MOST_LEGACY_COOKIES = 8
"""The largest number of a request's cookies that are verified for one LegacyCookie."""

WORKER_THREADS = 8
"""The number of worker threads that call a blocking store for an asynchronous manager."""

SLOW_LISTENER = 0.1
"""A listener that takes more seconds than this for one event is logged and counted."""

LISTENER_DEADLINE = 10.0
"""The seconds after which a coroutine of a listener is cancelled."""

MOVED_REMEMBERED_FOR = timedelta(days=400).total_seconds()
"""The seconds for which the end of a session from another system is remembered.

No browser keeps a cookie longer (RFC 6265bis, 5.5).
"""

MOST_LISTENER_TASKS = 10_000
"""The largest number of listener coroutines that wait or run; listeners miss further events."""

CREATIONS_PER_PURGE = 20
"""With listeners, expired records are removed each time after so many new sessions."""
