"""Containers that cannot work are refused at once: the error shows the value and what to do."""

import dataclasses
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sessions import (
    AsyncSession,
    ConfigurationError,
    CookieSettings,
    CookieTransport,
    MemoryStore,
    Session,
    SessionContainer,
    SessionManager,
    SQLiteStore,
)
from sessions.testing import ManualClock
from sessions.wsgi import SessionMiddleware
from tests.support.apps import KEY
from tests.support.refusals import MAKE_SECURE, problems
from tests.support.suspending_store import SuspendingStore

MAKE_KEY = "make a key with `framework secret` or secrets.token_urlsafe(32)"
SHORT = "a secret that is too short"


def container(**settings: Any) -> SessionContainer:
    """Make a container with a good key, unless other keys are given."""
    return SessionContainer(**{"keys": [KEY], **settings})


KEYS: dict[str, tuple[Any, str]] = {
    "none at all": (None, "keys is of type NoneType. Fix: give a list, the newest key first"),
    "one text": (KEY, "keys is of type str. Fix: give a list, the newest key first"),
    "one of bytes": (KEY.encode(), "keys is of type bytes. Fix: give a list, the newest key first"),
    "a set": ({KEY}, "keys is of type set. Fix: give a list, the newest key first"),
    "a generator": (
        (k for k in [KEY]),
        "keys is of type generator. Fix: give a list, the newest key first",
    ),
    "an empty list": ([], f"keys is empty. Fix: {MAKE_KEY}"),
    "an empty key": ([""], f"keys[0] has 0 bytes, but a key needs at least 32. Fix: {MAKE_KEY}"),
    "a short key": ([SHORT], f"keys[0] has 26 bytes, but a key needs at least 32. Fix: {MAKE_KEY}"),
    "a byte too few": (
        [KEY[:31]],
        f"keys[0] has 31 bytes, but a key needs at least 32. Fix: {MAKE_KEY}",
    ),
    "a short one among others": (
        [KEY, KEY[::-1].encode(), SHORT],
        f"keys[2] has 26 bytes, but a key needs at least 32. Fix: {MAKE_KEY}",
    ),
    "one character": (
        ["k" * 64],
        f"keys[0] repeats one character, so anybody can guess the key. Fix: {MAKE_KEY}",
    ),
    "three octets": (
        [b"abc" * 20],
        f"keys[0] repeats 3 different characters, so anybody can guess the key. Fix: {MAKE_KEY}",
    ),
    "one byte": (["\0"], f"keys[0] has 1 byte, but a key needs at least 32. Fix: {MAKE_KEY}"),
    "a key twice": ([KEY, KEY], "keys[1] is the same as keys[0]. Fix: remove one of the two"),
    "a key as text and as bytes": (
        [KEY, SHORT * 2, KEY.encode()],
        "keys[2] is the same as keys[0]. Fix: remove one of the two",
    ),
    "no key": ([None], f"keys[0] is of type NoneType, not str or bytes. Fix: {MAKE_KEY}"),
    "numbers": (bytearray(40), f"keys[0] is of type int, not str or bytes. Fix: {MAKE_KEY}"),
    "no text": (["\udcff" + KEY], f"keys[0] is not Unicode text. Fix: {MAKE_KEY}"),
}


@pytest.mark.parametrize(("keys", "wanted"), KEYS.values(), ids=KEYS)
def test_weak_keys_are_refused(keys: Any, wanted: str) -> None:
    """Keys that are missing, empty, short or easy to guess are refused; no message shows a key."""
    found = problems(container, keys=keys)

    assert found[0] == f"SessionContainer: {wanted}"
    for key in keys if isinstance(keys, list) else [KEY]:
        assert not key or str(key) not in "".join(found)


def test_keys_have_no_default() -> None:
    """A container without keys cannot be written."""
    with pytest.raises(TypeError, match="keys"):
        SessionContainer()  # type: ignore[call-arg]


@pytest.mark.parametrize("key", ["0123" * 8, b"\xff\xfe01" * 8, "ü" * 12 + "12345678"])
def test_strong_keys_are_accepted(key: str | bytes) -> None:
    """Keys are text or bytes, in a list or a tuple; their length is counted in bytes."""
    assert container(keys=(key,)).keys == (key,)


def test_keys_are_not_shown() -> None:
    """The container's repr shows no key."""
    assert KEY not in repr(container())


LIFETIMES: dict[str, tuple[Any, str]] = {
    "zero": (timedelta(0), "would end at once. Fix: give one second or more"),
    "negative": (timedelta(days=-1), "would end at once. Fix: give one second or more"),
    "almost a second": (
        timedelta(microseconds=999_999),
        "would end at once. Fix: give one second or more",
    ),
    "a number": (
        3600,
        "is not a timedelta. Fix: write timedelta(seconds=3600), and import it: from datetime"
        " import timedelta",
    ),
    "text": ("1h", "is not a timedelta. Fix: write timedelta(minutes=30)"),
}


@pytest.mark.parametrize(("lifetime", "wanted"), LIFETIMES.values(), ids=LIFETIMES)
@pytest.mark.parametrize(
    ("make", "name"),
    [
        (container, "idle_timeout"),
        (container, "absolute_timeout"),
        (CookieSettings, "max_age"),
    ],
)
def test_invalid_timeouts_are_refused(
    make: Callable[..., object], name: str, lifetime: Any, wanted: str
) -> None:
    """Zero, negative values and values of other types are refused."""
    (problem,) = problems(make, **{name: lifetime})

    assert problem.partition(": ")[2] == f"{name}={lifetime!r} {wanted}"


@pytest.mark.parametrize("name", ["idle_timeout", "absolute_timeout"])
@pytest.mark.parametrize("huge", [timedelta(days=3650, microseconds=1), timedelta.max, None])
def test_an_unlimited_timeout_is_refused(name: str, huge: timedelta | None) -> None:
    """A very long lifetime, or None, is refused."""
    (problem,) = problems(container, **{name: huge})

    remedy = "is too long. Fix: give 3650 days at most"
    if huge is None:
        remedy = "is not a timedelta. Fix: write timedelta(minutes=30)"
    assert problem == f"SessionContainer: {name}={huge!r} {remedy}"


ASYNC_CLASS = "is not a session class. Fix: give AsyncSession or a subclass of it"
SETTINGS: list[tuple[str, Any, str]] = [
    *[
        ("session_prefix", name, "is not a cookie name. Fix: use letters, digits, - and _")
        for name in ("", "a b", "a;b", "a=b", "sitzung-ü", "a\n", b"session", None)
    ],
    ("session_prefix", "__Host-s", f"with secure='auto' is refused. Fix: {MAKE_SECURE}"),
    ("session_prefix", "__secure-s", f"with secure='auto' is refused. Fix: {MAKE_SECURE}"),
    ("cookie", None, "is not a CookieSettings. Fix: give one such as CookieSettings()"),
    ("cookie", {"path": "/"}, "is not a CookieSettings. Fix: write CookieSettings(path=...)"),
    ("store", None, "is not a Store. Fix: give one such as SQLiteStore('sessions.db')"),
    ("store", MemoryStore, "is not a Store. Fix: write MemoryStore(): an object, not the class"),
    ("resave", 1, "is not a bool. Fix: give True or False"),
    ("rolling", None, "is not a bool. Fix: give True or False"),
    ("save_uninitialized", "no", "is not a bool. Fix: give True or False"),
    ("gen_id", "an id", "cannot be called. Fix: give a function without parameters"),
    ("clock", 1.5, "cannot be called. Fix: give a function without parameters"),
    ("transports", None, "is not a list. Fix: give a list, even for a single item"),
    (
        "listeners",
        print,
        "is not a list. Fix: write listeners=[...], a list, even for a single item",
    ),
    ("session_class", dict, "is not a session class. Fix: give Session or a subclass of it"),
    (
        "session_class",
        "Session",
        "is not a session class. Fix: give Session or a subclass of it",
    ),
    (
        "session_class",
        AsyncSession,
        "is not a session class. Fix: give Session or a subclass of it",
    ),
    ("async_session_class", Session, ASYNC_CLASS),
    ("async_session_class", None, ASYNC_CLASS),
    *[
        (name, limit, "is not a limit. Fix: give a whole number of at least 1")
        for name in ("cookie_header_limit", "cookie_pairs_limit")
        for limit in (0, -1, 1.5, True, None, "16 KiB")
    ],
]


@pytest.mark.parametrize(("name", "value", "wanted"), SETTINGS)
def test_settings_that_cannot_work_are_refused(name: str, value: Any, wanted: str) -> None:
    """The error shows the value and says what to give instead."""
    assert problems(container, **{name: value}) == (f"SessionContainer: {name}={value!r} {wanted}",)


def test_a_gen_id_is_tried_when_the_container_is_made() -> None:
    """A wrong gen_id is reported with all other mistakes, before the first request."""

    def no_luck() -> str:
        raise OSError("no luck")

    assert problems(container, gen_id=lambda: "short", resave=1) == (
        "SessionContainer: resave=1 is not a bool. Fix: give True or False",
        "SessionContainer: gen_id returned a text of 5 characters that is not an id. Fix: return 22"
        " to 128 characters of [A-Za-z0-9_-], such as secrets.token_urlsafe(32)",
    )
    assert problems(container, gen_id=no_luck) == (
        "SessionContainer: gen_id raised OSError('no luck'). Fix: correct the function, or leave"
        " gen_id out",
    )


@pytest.mark.parametrize("clock", [ManualClock, datetime.now, lambda: None, lambda zone: 1.0])
def test_a_clock_that_does_not_return_a_number_is_refused(clock: Any) -> None:
    """The container calls the clock once; a class in place of its object is refused."""
    (problem,) = problems(container, clock=clock)

    assert problem.startswith(f"SessionContainer: clock={clock!r} gives ")
    assert problem.endswith(". Fix: give a function that returns epoch seconds, such as time.time")


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("transports", "give Transports, such as a CookieTransport() or a HeaderTransport()"),
        ("listeners", "give functions that take a SessionEvent"),
    ],
)
def test_every_item_of_a_list_is_checked(name: str, wanted: str) -> None:
    """The error names every wrong item."""
    fit = CookieTransport("s", CookieSettings()) if name == "transports" else print

    assert problems(container, **{name: [fit, "one", 2]}) == (
        f"SessionContainer: {name} has the item 'one'. Fix: {wanted}",
        f"SessionContainer: {name} has the item 2. Fix: {wanted}",
    )


@pytest.mark.parametrize(
    ("cookie", "scope"),
    [
        (CookieSettings(secure=True, path="/shop"), "domain=None and path='/shop'"),
        (CookieSettings(secure=True, domain="a.b"), "domain='a.b' and path='/'"),
    ],
)
@pytest.mark.parametrize("name", ["__Host-s", "__host-s"])
def test_a_host_prefix_needs_no_domain_and_the_path_root(
    cookie: CookieSettings, scope: str, name: str
) -> None:
    """Browsers ignore other cookies with the prefix `__Host-`, in upper or lower case."""
    assert problems(container, session_prefix=name, cookie=cookie) == (
        f"SessionContainer: session_prefix={name!r} with {scope} is refused by browsers. Fix: "
        "give no domain and the path '/', or another prefix",
    )


def test_a_secure_cookie_may_have_its_prefix() -> None:
    """A name with `__Secure-` needs only the attribute Secure."""
    cookie = CookieSettings(secure=True, path="/shop", domain="a.b")

    assert container(session_prefix="__Secure-s", cookie=cookie).cookie is cookie


DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("settings", "lines"),
    [
        ({"idle_timeout": 30 * DAY}, 1),
        ({"idle_timeout": 2 * DAY, "absolute_timeout": DAY}, 1),
        ({"idle_timeout": DAY, "absolute_timeout": DAY}, 0),
        ({"idle_timeout": 30 * DAY, "absolute_timeout": 30 * DAY}, 0),
        ({"absolute_timeout": timedelta(hours=8)}, 0),
        ({}, 0),
    ],
)
def test_an_idle_timeout_without_effect_is_logged(
    caplog: pytest.LogCaptureFixture, settings: dict[str, timedelta], lines: int
) -> None:
    """The log warns if idle_timeout was set; a short absolute timeout alone causes no warning."""
    container(**settings)

    told = [record.message for record in caplog.records]
    assert len(told) == lines
    assert all(f"idle_timeout={settings['idle_timeout']!r} never ends" in line for line in told)


def test_all_mistakes_are_reported_at_once() -> None:
    """One start-up shows all mistakes."""
    found = problems(container, keys=[SHORT, ""], session_prefix="", store=1, rolling=2, clock=3)

    assert [problem.split()[1].partition("=")[0] for problem in found] == [
        "keys[0]",
        "keys[1]",
        "session_prefix",
        "store",
        "rolling",
        "clock",
    ]
    assert SHORT not in "".join(found)


def test_a_blocking_manager_refuses_an_asynchronous_store() -> None:
    """The manager raises the error when it is made; the container may have the store."""
    settings = container(store=SuspendingStore(MemoryStore()))

    with pytest.raises(ConfigurationError, match=r"is an AsyncStore.*use AsyncSessionManager"):
        SessionManager(settings)


def test_a_middleware_for_wsgi_refuses_an_asynchronous_store() -> None:
    """The error comes at start-up, and not in the first request."""
    settings = container(store=SuspendingStore(MemoryStore()))

    with pytest.raises(ConfigurationError, match="is an AsyncStore"):
        SessionMiddleware(lambda *_: [], settings)


def test_settings_cannot_be_changed() -> None:
    """A container is frozen, and a copy with other settings is checked again."""
    with pytest.raises(dataclasses.FrozenInstanceError):
        container().rolling = True  # type: ignore[misc]
    with pytest.raises(ConfigurationError, match="rolling=2"):
        dataclasses.replace(container(), rolling=2)  # type: ignore[arg-type]


def test_settings_are_given_by_name() -> None:
    """A setting without its name is an error."""
    with pytest.raises(TypeError):
        SessionContainer([KEY])  # type: ignore[call-arg]


@pytest.mark.parametrize("clock", [lambda: float("nan"), lambda: float("inf")], ids=["nan", "inf"])
def test_a_clock_that_returns_infinity_or_nan_is_refused(clock: Any) -> None:
    """With such a clock, all sessions would expire at once, or never."""
    (problem,) = problems(container, clock=clock)

    assert problem.startswith(f"SessionContainer: clock={clock!r} gives ")


@pytest.mark.parametrize("make", [MemoryStore, SQLiteStore], ids=["memory", "sqlite"])
@pytest.mark.parametrize("clock", [5, lambda: None, lambda: float("nan")], ids=["5", "None", "nan"])
def test_a_store_refuses_a_clock_that_does_not_return_a_number(
    make: Any, clock: Any, tmp_path: Path
) -> None:
    """The error comes when the store is made."""
    where = () if make is MemoryStore else (tmp_path / "sessions.db",)

    with pytest.raises(ConfigurationError, match="clock"):
        make(*where, clock=clock)


@pytest.mark.parametrize(
    ("name", "value"), [("prefix", None), ("durable", "yes")], ids=["prefix", "durable"]
)
def test_a_sqlite_store_refuses_wrong_settings(name: str, value: Any, tmp_path: Path) -> None:
    """The error has the name and the value of the setting."""
    with pytest.raises(ConfigurationError, match=rf"{name}={value!r}"):
        SQLiteStore(tmp_path / "sessions.db", **{name: value})
