"""Test suites for stores and transports, a clock that a test sets, and records to test with."""

from typing import TYPE_CHECKING

from sessions.public_names import refusing
from sessions.testing.clock import MICROSECOND, START, ManualClock
from sessions.testing.contract import (
    AsyncStoreContract,
    AsyncUserIndexContract,
    StoreContract,
    UserIndexContract,
)
from sessions.testing.heads import a_head
from sessions.testing.listing_tests import CountableContract, ListableContract
from sessions.testing.records import (
    NEW_SECRET,
    OTHER_SECRET,
    SECRET,
    a_record,
    loaded_from,
    some_changes,
    values_of,
)
from sessions.testing.threads import in_parallel
from sessions.testing.transport_tests import TransportContract

__all__ = [
    "MICROSECOND",
    "NEW_SECRET",
    "OTHER_SECRET",
    "SECRET",
    "START",
    "AsyncStoreContract",
    "AsyncUserIndexContract",
    "CountableContract",
    "ListableContract",
    "ManualClock",
    "StoreContract",
    "TransportContract",
    "UserIndexContract",
    "a_head",
    "a_record",
    "in_parallel",
    "loaded_from",
    "some_changes",
    "values_of",
]


# Type checkers report unknown names themselves.
if not TYPE_CHECKING:
    __getattr__ = refusing(__name__)
