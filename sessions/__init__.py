"""Web sessions that cannot lose data, for any WSGI application."""

from sessions.container import CookieSettings, SessionContainer
from sessions.errors import (
    ConfigurationError,
    SessionClosed,
    SessionError,
    SessionExpired,
    SessionNotFound,
    SessionTooLarge,
    StoreUnavailable,
)
from sessions.events import SessionEvent
from sessions.manager import SessionManager
from sessions.record import Changes, Record
from sessions.session import Session
from sessions.stores.base import Outcome, Store
from sessions.stores.memory import MemoryStore
from sessions.stores.sqlite import SQLiteStore
from sessions.transports.base import Transport
from sessions.transports.cookie import CookieTransport

__all__ = [
    "Changes",
    "ConfigurationError",
    "CookieSettings",
    "CookieTransport",
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
    "SessionTooLarge",
    "Store",
    "StoreUnavailable",
    "Transport",
]
