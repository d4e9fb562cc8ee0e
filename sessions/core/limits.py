"""Every number of the sessions in one place: the 64 KiB of data, the store deadline, and more."""

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
    "REMEMBERED_FOR",
    "REMEMBERED_TOKENS",
    "SHORTEST_SECRET",
    "UPDATE_ATTEMPTS",
    "WORKER_THREADS",
]

MAXIMUM_DATA = 64 * 1024
"""Bytes of keys and encoded values that one session may hold."""

LINEAGE_LENGTH = 22
SHORTEST_SECRET = 22
LONGEST_SECRET = 128
"""Characters of the two parts of an id."""

REMEMBERED_TOKENS = 4096
"""Tokens, and Cookie headers, whose signature was verified and is not verified again."""

FOREIGN_TOKENS = 3
"""Well-formed tokens that none of our keys signed, after which the log says what is wrong."""

LONGEST_REMEMBERED_HEADER = 1024
"""Bytes of a Cookie header that is remembered."""

LONGEST_TOUCH_INTERVAL = 60.0
"""Seconds after which the use of a session is written down again, at the latest."""

DEADLINE = 1.0
"""Seconds that one request may wait for its session's store in all."""

CREATE_ATTEMPTS = 3
UPDATE_ATTEMPTS = 100
"""How often a taken id, or a value that another request changed, is tried again."""

LONGEST_SESSION = timedelta(days=3650)
"""The longest timeout."""

LONGEST_GRACE = timedelta(days=1)
"""The longest time for which an earlier id may still be used."""

MOST_IDS = 32
"""Different ids of one request that the store is asked for."""

WORKER_THREADS = 8
"""Threads in which a blocking store works for an asynchronous manager."""
