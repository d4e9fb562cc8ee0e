"""Web sessions that cannot lose data, for any WSGI or ASGI application."""

import typing

from sessions.container import CookieSettings, SessionContainer
from sessions.errors import (
    ConfigurationError,
    SessionClosed,
    SessionError,
    SessionExpired,
    SessionNotFound,
    SessionNotLoaded,
    SessionTooLarge,
    StoreUnavailable,
)
from sessions.events import EndReason, SessionEvent
from sessions.manager import AsyncSessionManager, SessionManager
from sessions.record import Changes, Ended, Outcome, Record
from sessions.session import AsyncSession, Session
from sessions.stores.base import AsyncStore, Store
from sessions.stores.memory import MemoryStore
from sessions.stores.sqlite import SQLiteStore
from sessions.stores.urls import async_store_from_url, store_from_url
from sessions.transports.base import Transport
from sessions.transports.cookie import CookieTransport
from sessions.transports.header import HeaderTransport
from sessions.transports.url import URLTransport

__all__ = [
    "AsyncSession",
    "AsyncSessionManager",
    "AsyncStore",
    "Changes",
    "ConfigurationError",
    "CookieSettings",
    "CookieTransport",
    "EndReason",
    "Ended",
    "HeaderTransport",
    "MemoryStore",
    "Outcome",
    "Record",
    "SQLiteStore",
    "Session",
    "SessionClosed",
    "SessionContainer",
    "SessionError",
    "SessionEvent",
    "SessionExpired",
    "SessionManager",
    "SessionNotFound",
    "SessionNotLoaded",
    "SessionTooLarge",
    "Store",
    "StoreUnavailable",
    "Transport",
    "URLTransport",
    "async_store_from_url",
    "store_from_url",
]

# Type checkers do not see this function, because they would then accept every name.
if not typing.TYPE_CHECKING:
    from sessions.public_names import refusing as _refusing

    __getattr__ = _refusing(__name__)
