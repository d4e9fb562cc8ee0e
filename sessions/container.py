"""`SessionContainer` and `CookieSettings`: all settings of sessions, their defaults and checks."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from importlib import import_module
from typing import Literal, cast

from sessions.core.call_checks import clock_problems, id_problems
from sessions.core.carrying import CarryingTokens
from sessions.core.cookie_problems import (
    SECURE,
    cross_site_problems,
    flag_problems,
    scope_problems,
)
from sessions.core.devices import device_problems
from sessions.core.ids import random_secret
from sessions.core.keys import list_problems, shared_problems
from sessions.core.legacy_cookies import LegacyCookie, LegacyCookies, cookie_problems
from sessions.core.lifecycle import overrides
from sessions.core.lifetime import Lifetimes
from sessions.core.limits import COOKIE_HEADER_LIMIT, COOKIE_PAIRS_LIMIT, LONGEST_SESSION
from sessions.core.linked import linked
from sessions.core.migrating import MigratingSessions, migrating
from sessions.core.migrating_tokens import migrating_tokens
from sessions.core.noted import noted
from sessions.core.revocable import RevocableSessions
from sessions.core.session_classes import class_problems
from sessions.core.signing import IdSigner, derived_key
from sessions.core.stateless import StatelessSessions
from sessions.core.stored import StoredSessions
from sessions.core.token_formats import TokenFormat
from sessions.core.tokens import SignedIds, Tokens
from sessions.core.transport_checks import transport_problems, warn_of_urls
from sessions.core.use_checks import use_problems
from sessions.core.user_limits import SessionLimit, user_limit_problems
from sessions.core.verbs import Rules
from sessions.core.wrong_values import (
    cookie_instead,
    instance_instead,
    store_problems,
    timedelta_instead,
)
from sessions.errors import ConfigurationError
from sessions.events import Listener, logger
from sessions.names import OF_CONTAINERS, OF_COOKIES, explains_settings
from sessions.session import AsyncSession, Session
from sessions.stores.base import AsyncStore, Store, wall_clock
from sessions.stores.expiring import AsyncExpiring, Expiring
from sessions.stores.memory import MemoryStore
from sessions.stores.user_index import StoresSignIns, UserIndex
from sessions.transports.base import SameSite, Transport
from sessions.transports.cookie import (
    CookieTransport,
    host_name,
    is_cookie_name,
    limit_problems,
)

LONGEST_COOKIE = timedelta(days=400)
IDLE_TIMEOUT = timedelta(hours=24)


@explains_settings(OF_COOKIES)
@dataclass(frozen=True, kw_only=True)
class CookieSettings:
    """The attributes of the session cookie.

    `secure="auto"` makes the cookie Secure if the request is https. With `max_age=None`, the
    cookie lasts until the browser closes. Raises ConfigurationError for attributes that browsers
    refuse. Source: RFC 6265bis.
    """

    http_only: bool = True
    same_site: SameSite = "Lax"
    path: str = "/"
    domain: str | None = None
    partitioned: bool = False
    secure: bool | Literal["auto"] = "auto"
    max_age: timedelta | None = None

    def __post_init__(self) -> None:
        problems = [
            *flag_problems(self),
            *scope_problems(self),
            *cross_site_problems(self),
            *_lifetime("max_age", self.max_age, LONGEST_COOKIE, optional=True),
        ]
        if problems:
            raise ConfigurationError([f"CookieSettings: {problem}" for problem in problems])

    @property
    def max_age_seconds(self) -> int | None:
        """Return `max_age` in whole seconds."""
        return None if self.max_age is None else int(self.max_age.total_seconds())


@explains_settings(OF_CONTAINERS)
@dataclass(frozen=True, kw_only=True)
class SessionContainer:
    """All settings of sessions.

    The newest of the `keys` comes first: this key signs tokens, and all keys verify tokens.
    With `encryption_keys`, no store can read a value; the newest of these keys encrypts, and all of
    them can decrypt. Raises ConfigurationError with all mistakes.
    """

    keys: Sequence[str | bytes] = field(repr=False)
    store: Store | AsyncStore | TokenFormat = field(default_factory=MemoryStore)
    cookie: CookieSettings = field(default_factory=CookieSettings)
    session_prefix: str = "session"
    encryption_keys: Sequence[str | bytes] | None = field(default=None, repr=False)
    gen_id: Callable[[], str] = random_secret
    resave: bool = False
    rolling: bool = False
    save_uninitialized: bool = False
    idle_timeout: timedelta = IDLE_TIMEOUT
    absolute_timeout: timedelta = timedelta(days=14)
    longest_timeout: timedelta | None = None
    renew_every: timedelta | None = None
    background_header: str | None = None
    sessions_per_user: SessionLimit | None = None
    remember_devices: bool = False
    transports: Sequence[Transport] = ()
    legacy_cookies: Sequence[LegacyCookie] = ()
    listeners: Sequence[Listener] = ()
    session_class: type[Session] = Session
    async_session_class: type[AsyncSession] = AsyncSession
    clock: Callable[[], float] = wall_clock
    cookie_header_limit: int = COOKIE_HEADER_LIMIT
    cookie_pairs_limit: int = COOKIE_PAIRS_LIMIT

    def __post_init__(self) -> None:
        problems = [
            *list_problems("keys", self.keys),
            *_encryption(self),
            *_prefix(self),
            *_kinds(self),
            *cookie_problems(self.legacy_cookies, self.session_prefix, self.store),
            *id_problems(self.gen_id),
            *clock_problems(self.clock),
            *transport_problems(self.transports, self.store),
            *_listeners(self),
            *_limits(self),
            *user_limit_problems(self.sessions_per_user, self.store),
            *device_problems(self.remember_devices, self.store),
            *_lifetime("idle_timeout", self.idle_timeout, LONGEST_SESSION),
            *_lifetime("absolute_timeout", self.absolute_timeout, LONGEST_SESSION),
            *_lifetime("longest_timeout", self.longest_timeout, LONGEST_SESSION, optional=True),
            *_lifetime("renew_every", self.renew_every, LONGEST_SESSION, optional=True),
            *use_problems(self),
        ]
        if problems:
            raise ConfigurationError([f"SessionContainer: {problem}" for problem in problems])
        _tell_of_timeouts(self)
        _tell_of_ends(self)
        warn_of_urls(self.transports)


def sessions_of(container: SessionContainer) -> StoredSessions | StatelessSessions:
    """Return the object that makes the decisions about the sessions of a container."""
    tokens, rules, store = tokens_of(container), rules_of(container), store_of(container)
    if rules.takes_expired:
        cast("Expiring", store).collects_expired = True
    is_noted = bool(container.listeners) or rules.finishes
    if isinstance(tokens, CarryingTokens):
        kind = StatelessSessions if store is None else RevocableSessions
        kind = migrating_tokens(kind) if container.legacy_cookies else kind
        return noted(kind, is_needed=is_noted)(rules, tokens)
    keys, migrates = container.encryption_keys, bool(container.legacy_cookies)
    if keys is None:
        stored = MigratingSessions if migrates else StoredSessions
        return noted(linked(stored, tokens.links), is_needed=is_noted)(rules, tokens)
    # `cryptography` is an optional dependency, so it is imported only here.
    from sessions.core.sealed import SealedSessions
    from sessions.core.sealing import Wrapping

    sealed = linked(migrating(SealedSessions) if migrates else SealedSessions, tokens.links)
    told, wrapping = noted(sealed, is_needed=is_noted), Wrapping(keys, container.session_prefix)
    return told(rules, tokens, wrapping)


def store_of(container: SessionContainer) -> Store | AsyncStore | None:
    """Return the store of the sessions.

    For stateless sessions, return the store with the list of revoked tokens. The result is
    None without such a list.
    """
    store = container.store
    return store.revocations if isinstance(store, TokenFormat) else store


def tokens_of(container: SessionContainer) -> Tokens:
    """Return the object that reads and sends the tokens of a container."""
    given = tuple(container.transports) or (CookieTransport(),)
    transports = tuple(transport.completed(container) for transport in given)
    name, store = container.session_prefix, container.store
    if isinstance(store, TokenFormat):
        return CarryingTokens(store.sealer(container.keys, name), transports)
    return SignedIds(IdSigner(container.keys, purpose=f"session id:{name}"), transports)


def checked_container(container: object, manager: object) -> SessionContainer:
    """Return the container; raise TypeError for anything else, without showing the value."""
    if not isinstance(container, SessionContainer):
        raise TypeError(
            f"{type(manager).__name__} takes a SessionContainer, not a value of type"
            f" {type(container).__name__}. Fix: write SessionContainer(keys=[...])"
        )
    return container


def rules_of(container: SessionContainer) -> Rules:
    """Return those settings of a container that are needed to decide about its sessions."""
    finishes, store = _finishes(container), store_of(container)
    takes_expired = _gives_out(container) and (finishes or bool(container.listeners))
    return Rules(
        lifetimes=_lifetimes(container),
        gen_id=container.gen_id,
        clock=container.clock,
        rolling=container.rolling,
        resave=container.resave,
        save_uninitialized=container.save_uninitialized,
        legacy=_legacy(container),
        indexes_users=isinstance(store, UserIndex),
        stores_sign_ins=isinstance(store, StoresSignIns),
        finishes=finishes,
        takes_expired=takes_expired,
        purges_at_creations=takes_expired and not getattr(store, "purge_reads_all", False),
        sessions_per_user=container.sessions_per_user,
        background_header=container.background_header,
        remember_devices=container.remember_devices,
        renew_every=_seconds(container.renew_every),
    )


def _lifetimes(container: SessionContainer) -> Lifetimes:
    return Lifetimes(
        container.idle_timeout.total_seconds(),
        container.absolute_timeout.total_seconds(),
        longest=_seconds(container.longest_timeout) or 0.0,
    )


def _finishes(container: SessionContainer) -> bool:
    """Return whether a session class of the container has the method `finish`."""
    kinds = (container.session_class, container.async_session_class)
    return any(overrides(kind, "finish") for kind in kinds)


def _gives_out(container: SessionContainer) -> bool:
    """Return whether the store of the sessions returns the expired records that it removes."""
    return isinstance(container.store, Expiring | AsyncExpiring)


def _legacy(container: SessionContainer) -> LegacyCookies | None:
    if not container.legacy_cookies:
        return None
    # This is the oldest key. A new key comes first in the list, so it changes no id.
    key = derived_key(container.keys[-1], f"legacy cookie:{container.session_prefix}")
    return LegacyCookies(container.legacy_cookies, key)


def _seconds(span: timedelta | None) -> float | None:
    return None if span is None else span.total_seconds()


def _lifetime(
    name: str, lifetime: timedelta | None, longest: timedelta, *, optional: bool = False
) -> Iterator[str]:
    if lifetime is None and optional:
        return
    if not isinstance(lifetime, timedelta):
        yield f"{name}={lifetime!r} is not a timedelta. Fix: {timedelta_instead(lifetime)}"
    elif lifetime < timedelta(seconds=1):
        yield f"{name}={lifetime!r} would end at once. Fix: give one second or more"
    elif lifetime > longest:
        yield f"{name}={lifetime!r} is too long. Fix: give {longest.days} days at most"


def _encryption(container: SessionContainer) -> Iterator[str]:
    """Yield mistakes of encryption_keys: unsafe keys, a wrong store, a missing package."""
    keys: object = container.encryption_keys
    if keys is None:
        return
    yield from list_problems("encryption_keys", keys)
    yield from shared_problems(("encryption_keys", keys), ("keys", container.keys))
    if isinstance(container.store, TokenFormat):
        yield (
            f"encryption_keys encrypts the values in a store, but store={container.store!r} keeps"
            " the sessions in their tokens. Fix: leave encryption_keys out, and give"
            " store=EncryptedToken()"
        )
    try:
        import_module("cryptography")
    except ImportError:
        yield (
            "encryption_keys needs the package cryptography, which is not installed. Fix: pip"
            " install 'satsuma[encryption]'"
        )


def _prefix(container: SessionContainer) -> Iterator[str]:
    prefix = container.session_prefix
    cookie: object = container.cookie
    if not is_cookie_name(prefix):
        yield (f"session_prefix={prefix!r} is not a cookie name. Fix: use letters, digits, - and _")
    if not isinstance(cookie, CookieSettings):
        remedy = instance_instead(cookie, CookieSettings, cookie_instead(cookie))
        yield f"cookie={cookie!r} is not a CookieSettings. Fix: {remedy}"
    elif is_cookie_name(prefix):
        yield from _hardened(prefix, cookie)


def _hardened(prefix: str, cookie: CookieSettings) -> Iterator[str]:
    """Yield a mistake if a name prefix, such as `__Host-`, does not fit the cookie's attributes."""
    start = prefix.lower()
    if start.startswith(("__host-", "__secure-", "__http-")) and cookie.secure is not True:
        yield f"session_prefix={prefix!r} with secure={cookie.secure!r} is refused. Fix: {SECURE}"
    elif start.startswith("__host-") and (cookie.domain, cookie.path) != (None, "/"):
        yield (
            f"session_prefix={prefix!r} with domain={cookie.domain!r} and path={cookie.path!r} is "
            "refused by browsers. Fix: give no domain and the path '/', or another prefix"
        )
    name = host_name(prefix, cookie)
    if name.lower().startswith(("__http-", "__host-http-")) and not cookie.http_only:
        yield (
            f"session_prefix={prefix!r} with http_only=False makes a cookie {name!r}, which "
            "browsers refuse. Fix: give http_only=True, or another prefix"
        )


def _kinds(container: SessionContainer) -> Iterator[str]:
    store: object = container.store
    yield from store_problems(store, (Store, AsyncStore, TokenFormat))
    if isinstance(store, TokenFormat):
        yield from store.problems()
    for name in ("resave", "rolling", "save_uninitialized"):
        value = getattr(container, name)
        if not isinstance(value, bool):
            yield f"{name}={value!r} is not a bool. Fix: give True or False"
    for name in ("gen_id", "clock"):
        value = getattr(container, name)
        if not callable(value):
            yield f"{name}={value!r} cannot be called. Fix: give a function without parameters"
    for name, base in (("session_class", Session), ("async_session_class", AsyncSession)):
        kind = getattr(container, name)
        if not (isinstance(kind, type) and issubclass(kind, base)):
            yield (
                f"{name}={kind!r} is not a session class. Fix: give {base.__name__} or a"
                " subclass of it"
            )
        else:
            yield from class_problems(name, kind, base, is_blocking=base is Session)


def _listeners(container: SessionContainer) -> Iterator[str]:
    listeners: object = container.listeners
    if not isinstance(listeners, Sequence):
        remedy = "write listeners=[...], a list" if callable(listeners) else "give a list"
        yield f"listeners={listeners!r} is not a list. Fix: {remedy}, even for a single item"
        return
    for item in listeners:
        if not callable(item):
            yield f"listeners has the item {item!r}. Fix: give functions that take a SessionEvent"
        elif isinstance(item, type) and "__call__" in dir(item):
            yield f"listeners has the class {item!r}. Fix: write {item.__name__}(), an object"


def _tell_of_timeouts(container: SessionContainer) -> None:
    idle, absolute = container.idle_timeout, container.absolute_timeout
    # If only absolute_timeout is given, the default of idle_timeout needs no warning.
    if idle > absolute and idle != IDLE_TIMEOUT:
        logger.warning(
            "SessionContainer: idle_timeout=%r never ends a session, because absolute_timeout=%r"
            " ends it first. Fix: give a longer absolute_timeout, or a shorter idle_timeout",
            *(idle, absolute),
        )


def _tell_of_ends(container: SessionContainer) -> None:
    if _finishes(container) and not _gives_out(container):
        logger.warning(
            "SessionContainer: finish() is not called for sessions that expire, because %r does not"
            " return expired sessions. Fix: use another store, or RedisStore with"
            " keep_expired=timedelta(hours=2)",
            container.store,
        )


def _limits(container: SessionContainer) -> Iterator[str]:
    for name in ("cookie_header_limit", "cookie_pairs_limit"):
        yield from limit_problems(name, getattr(container, name))
