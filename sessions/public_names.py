"""The public names of all modules; the errors for unknown names say what to import instead."""

import dis
import inspect
from collections.abc import Callable, Iterator
from difflib import get_close_matches

# The public modules of the distribution, and the names that a program imports from them.
PLACES = {
    "sessions": (
        "AsyncSession AsyncSessionManager AsyncStore Changes ConfigurationError CookieSettings"
        " CookieTransport EndReason Ended HeaderTransport MemoryStore Outcome Record"
        " SQLiteStore Session SessionClosed SessionContainer SessionError SessionEvent"
        " SessionExpired SessionManager SessionNotFound SessionNotLoaded SessionTooLarge Store"
        " StoreUnavailable Transport URLTransport async_store_from_url store_from_url"
    ),
    "sessions.wsgi": "SessionMiddleware",
    "sessions.asgi": "SessionMiddleware session_of",
    "sessions.stores.redis": "RedisStore AsyncRedisStore",
    "sessions.stores.sql": "SQLStore AsyncSQLStore",
    "sessions.stores.mongo": "MongoStore AsyncMongoStore",
    "sessions.stateless": "Algorithm EncryptedToken JWTToken SignedToken TokenFormat",
    "sessions.errors": (
        "MalformedToken TooManySessions UnencodableValue UnreadableValue WrongSettings"
    ),
    "sessions.stores.user_index": (
        "AsyncStoresSignIns AsyncUserIndex StoresSignIns UserIndex hash_of_user"
    ),
    "sessions.stores.listing": "AsyncCountable AsyncListable Countable Listable Page",
    "sessions.users": "SessionInfo SessionLimit",
    "sessions.migration": (
        "HexSignatureCookie IdInNameCookie KeygripCookie LegacyCookie LegacySession Pairs Signed"
        " SignedPayloadCookie"
    ),
    "sessions.stores.expired": "AsyncKeepsExpired KeepsExpired",
    "sessions.testing": (
        "AsyncStoreContract AsyncUserIndexContract CountableContract ListableContract ManualClock"
        " StoreContract TransportContract UserIndexContract"
    ),
    "framework": (
        "Application Body Cookie Form HTTPSettings Header Inject Middleware Next Query Request"
        " Response Session StartupError catch component configuration controller cookie delete form"
        " get guard head header options patch post put query replace repository service session"
        " session_value"
    ),
    "framework.csrf": "CSRF csrf_token is_csrf_token",
    "framework.cors": "CORS",
    "framework.logins": "LoginTooOld RecentLogin",
    "framework.openapi": "OpenAPI",
    "framework.redirects": "redirect is_local",
    "framework.results": "HTML JSON",
    "framework.static": "StaticFiles",
    "framework.templates": "Templates",
    "framework.testing": "Client SessionClock",
    "framework.validation": "FieldError InvalidRequest",
}
_SETTINGS = "write `from sessions import SessionContainer`, which holds all settings"
_SIGN_IN = 'write session.set_user("1") to sign in, session.clear_user() to sign out'
_NO_SUCH_STORE = (
    "write `from sessions import SQLiteStore`, `from sessions import MemoryStore`,"
    " `from sessions.stores.redis import RedisStore`, `from sessions.stores.sql import SQLStore`"
    " or `from sessions.stores.mongo import MongoStore`;"
    " or write your own Store and test it with sessions.testing.StoreContract"
)
_FORMATS = (
    "write `from sessions.stateless import SignedToken`; EncryptedToken and JWTToken are in this"
    " module, too"
)
# Names of other libraries, and what to write here.
_OTHERS = {
    "SessionInterface SessionSettings SessionConfig Config Settings": _SETTINGS,
    "RedisSessionInterface RedisSessionStore RedisBackend RedisSessionBackend CacheStore"
    " ValkeyStore": "write `from sessions.stores.redis import RedisStore`",
    "PostgresStore PostgreSQLStore PostgresqlStore MySQLStore MariaDBStore DatabaseStore"
    " SQLAlchemyStore DBStore DatabaseBackend SQLAlchemyBackend": (
        "write `from sessions.stores.sql import SQLStore`"
    ),
    "MongoDBStore MongoBackend MongoDBBackend": (
        "write `from sessions.stores.mongo import MongoStore`"
    ),
    "FileStore FileSystemStore FilesystemStore FileBackend FileSystemSessionInterface"
    " SqliteStore": "write `from sessions import SQLiteStore`",
    "AsyncSQLiteStore AsyncMemoryStore": (
        "write `from sessions import SQLiteStore` or `from sessions import MemoryStore`: an"
        " AsyncSessionManager takes these stores, too"
    ),
    "InMemoryStore InMemoryBackend MemoryBackend DictStore": (
        "write `from sessions import MemoryStore`"
    ),
    "CookieStore CookieBackend SignedCookieStore SecureCookieSessionInterface SignedCookies JWT"
    " JWTStore EncryptedCookieStore CookieSession": _FORMATS,
    "AsyncSessionMiddleware ASGIMiddleware": "write `from sessions.asgi import SessionMiddleware`",
    "WSGIMiddleware": "write `from sessions.wsgi import SessionMiddleware`",
    "login login_user logout logout_user current_user authenticate": _SIGN_IN,
    "get_session SessionDep": "write `from sessions.asgi import session_of`",
    "session": (
        "in an application of framework, write `from framework import session`; in any other"
        " application, let a SessionManager make sessions"
    ),
    "flash get_flashed_messages": "write session.flash(...) and session.take_flashes()",
}
_STORES = ("Store", "Backend")


def refusing(module: str) -> Callable[[str], object]:
    """Return a `__getattr__` for a module; its errors say what to write instead."""

    def refuse(name: str) -> object:
        remedy = remedy_for(name, module)
        if remedy is None:
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        told = f"{module} has no {name}. Fix: {remedy}."
        raise ImportError(told, name=module) if is_imported() else AttributeError(told)

    return refuse


def remedy_for(name: str, module: str) -> str | None:
    """Return what to import in place of a name that a module does not have; None if unknown."""
    if name[:1] == "_":
        return None
    if found := place_of(name):
        return found
    for others, remedy in _OTHERS.items():
        if name in others.split():
            return remedy
    if name.endswith(_STORES):
        return _NO_SUCH_STORE
    if name.endswith("Token"):
        return _FORMATS
    package = module.partition(".")[0]
    known = [
        known
        for place, names in PLACES.items()
        if place.partition(".")[0] == package
        for known in names.split()
    ]
    return next(map(_guess, get_close_matches(name, known, 1, 0.8)), None)


def place_of(name: str, *, beside: str = "") -> str | None:
    """Return how to import a name; None if the name is unknown or in the module `beside`."""
    found = list(_places(name))
    if beside in found:
        return None
    lines = " or ".join(f"`from {place} import {name}`" for place in found)
    return f"write {lines}" if found else None


def is_imported() -> bool:
    """In a module's `__getattr__`, return whether a statement `from ... import` asks for a name."""
    asked = inspect.currentframe()
    frame = asked and asked.f_back and asked.f_back.f_back
    if frame is None or frame.f_lasti < 0:
        return False
    return frame.f_code.co_code[frame.f_lasti] == dis.opmap["IMPORT_FROM"]


def _places(name: str) -> Iterator[str]:
    yield from (place for place, names in PLACES.items() if name in names.split())


def _guess(name: str) -> str:
    return f"did you mean {name!r}? Write `from {next(_places(name))} import {name}`"
