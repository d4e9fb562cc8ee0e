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
"""The numbers of characters of the two parts of an id."""

SECRET_LENGTH = 43
"""The number of characters of the secret that is derived from the id of another system."""

REMEMBERED_TOKENS = 4096
"""The number of tokens, and of Cookie headers, whose verified signature is kept in a cache."""

FOREIGN_TOKENS = 3
"""After this number of well-formed tokens that none of our keys signed, a warning is logged."""

LONGEST_REMEMBERED_HEADER = 1024
"""The longest Cookie header that is kept in the cache, in bytes."""

LONGEST_TOUCH_INTERVAL = 60.0
"""After this number of seconds at the latest, the use of a session is stored again."""

DEADLINE = 1.0
"""The seconds that one request may wait for its session store, all calls together."""

CREATE_ATTEMPTS = 3
UPDATE_ATTEMPTS = 100
"""How often to try again after a duplicate id, and after another request changed the value."""

LONGEST_USER_ID = 10_000
"""The largest number of characters in the id of a user; the columns of databases have limits."""

LONGEST_SESSION = timedelta(days=3650)
"""The longest timeout of a session."""

LONGEST_GRACE = timedelta(days=1)
"""The longest time for which an earlier id may still be used."""

FARTHEST_AHEAD = LONGEST_GRACE.total_seconds() + 60
"""The clock of a server that sets the times of ids is at most so many seconds ahead, if it is right
at all. No grace time ends later than that."""

RENEWAL_GRACE = timedelta(seconds=30)
"""The time for which an earlier id may be used after a renewal by `renew_every`."""

MOST_IDS = 32
"""The largest number of different ids in one request that are looked up in the store."""

MOST_LEGACY_COOKIES = 8
"""The largest number of cookies of one name of another system that are verified in one request."""

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
"""The largest number of coroutines of listeners that wait or run; more events are left out."""

CREATIONS_PER_PURGE = 20
"""With listeners, one of so many creations also removes expired records."""
