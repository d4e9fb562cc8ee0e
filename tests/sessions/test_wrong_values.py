"""Values of the wrong type in each setting: a class, a text, a client, a number; foreign names."""

import inspect
import re
from datetime import timedelta
from typing import Any

import pytest

import sessions.names as tables
from sessions import (
    AsyncSession,
    ConfigurationError,
    CookieSettings,
    CookieTransport,
    HeaderTransport,
    MemoryStore,
    Session,
    SessionContainer,
    SQLiteStore,
    URLTransport,
    store_from_url,
)
from sessions.core.wrong_values import timedelta_instead
from sessions.errors import WrongSettings
from sessions.stateless import EncryptedToken, JWTToken, SignedToken
from tests.support.apps import KEY

STORES: dict[str, Any] = {"SQLiteStore": SQLiteStore, "MemoryStore": MemoryStore}
SERVERS: dict[str, Any] = {}
for module, names in (
    ("redis", "RedisStore AsyncRedisStore"),
    ("sql", "SQLStore AsyncSQLStore"),
    ("mongo", "MongoStore AsyncMongoStore"),
):
    try:
        found = __import__(f"sessions.stores.{module}", fromlist=[names])
    except ConfigurationError:
        continue
    SERVERS.update({name: getattr(found, name) for name in names.split()})
TOKENS: dict[str, Any] = {
    "SignedToken": SignedToken,
    "EncryptedToken": EncryptedToken,
    "JWTToken": JWTToken,
}
TRANSPORTS: dict[str, Any] = {
    "CookieTransport": CookieTransport,
    "HeaderTransport": HeaderTransport,
    "URLTransport": URLTransport,
}
EVERY: dict[str, Any] = {
    "SessionContainer": SessionContainer,
    "CookieSettings": CookieSettings,
    **STORES,
    **SERVERS,
    **TOKENS,
    **TRANSPORTS,
}
FOREIGN = sorted(
    {
        name
        for table in vars(tables).values()
        if isinstance(table, dict)
        for names in table
        if isinstance(names, str)
        for name in names.split()
        if name.isidentifier() and name.islower()
    }
)


def problem(**settings: Any) -> str:
    with pytest.raises(ConfigurationError) as caught:
        SessionContainer(keys=[KEY], **settings)

    return str(caught.value)


@pytest.mark.parametrize("name", [*STORES, *SERVERS, *TOKENS])
def test_a_class_in_place_of_a_store_is_explained(name: str) -> None:
    """Every store and token format that is given as a class says how its object is made."""
    told = problem(store=EVERY[name])

    assert f"Fix: write {name}" in told
    assert "an object, not the class" in told
    assert told.count("(") > 0


@pytest.mark.parametrize("name", TRANSPORTS)
def test_a_transport_outside_of_a_list_is_explained(name: str) -> None:
    """The class in the list, the class alone and the object alone are told apart."""
    kind = TRANSPORTS[name]

    assert f"write {name}(): an object, not the class" in problem(transports=[kind])
    assert f"write transports=[{name}()], a list" in problem(transports=kind)
    assert "write transports=[" in problem(transports=kind())


def test_a_class_in_place_of_a_listener_is_explained() -> None:
    """A class whose objects can be called is no listener itself."""

    class Audit:
        def __call__(self, event: object) -> None: ...

    assert "write Audit(), an object" in problem(listeners=[Audit])
    assert "write listeners=[...], a list" in problem(listeners=Audit())


@pytest.mark.parametrize(
    ("cookie", "remedy"),
    [
        (CookieSettings, "write CookieSettings(): an object, not the class"),
        ({"secure": True, "path": "/"}, "write CookieSettings(secure=..., path=...)"),
        ("sid", "session_prefix='sid'"),
        (None, "give one such as CookieSettings()"),
    ],
)
def test_settings_of_a_cookie_are_an_object(cookie: object, remedy: str) -> None:
    """A class, a dict and a name are each told what to write."""
    assert remedy in problem(cookie=cookie)


@pytest.mark.parametrize(
    ("store", "remedy"),
    [
        ("sqlite:///sessions.db", "store=store_from_url(...)"),
        ("redis://:secret@localhost/0", "store=store_from_url(...)"),
        ("postgresql://user:secret@localhost/shop", "store=store_from_url(...)"),
        ("memory:", "store=store_from_url(...)"),
        ("redis", 'write RedisStore.from_url("redis://localhost:6379/0")'),
        ("memory", "write MemoryStore()"),
        ("filesystem", 'write SQLiteStore("sessions.db")'),
        ("sqlalchemy", "write SQLStore.from_url("),
        ("mongodb", "write MongoStore.from_url("),
        ("cookie", "write SignedToken()"),
        ("sessions.db", "write SQLiteStore('sessions.db')"),
        ({}, "write MemoryStore()"),
        (None, "SQLiteStore('sessions.db')"),
    ],
)
def test_a_value_in_place_of_a_store_says_which_store(store: object, remedy: str) -> None:
    """A URL, a name, a path and a dict lead to the store that is meant; no password is shown."""
    told = problem(store=store)

    assert remedy in told
    assert "secret" not in told


@pytest.mark.parametrize("number", [1, 3600, 0.5, "3600"])
@pytest.mark.parametrize("setting", ["idle_timeout", "absolute_timeout"])
def test_a_number_becomes_the_same_timedelta(setting: str, number: Any) -> None:
    """The remedy has the user's own number."""
    told = problem(**{setting: number})

    assert f"write timedelta(seconds={number})" in told
    assert "write timedelta(minutes=30)" in timedelta_instead(timedelta)


@pytest.mark.parametrize("name", SERVERS)
def test_a_text_in_place_of_a_client_leads_to_from_url(name: str) -> None:
    """Each store of a server that is given a URL says from_url, and does not show the URL."""
    for wrong in ("redis://:secret@localhost/0", "secret"):
        with pytest.raises(ConfigurationError) as caught:
            SERVERS[name](wrong)

        assert f"{name}.from_url" in str(caught.value)
        assert "secret" not in str(caught.value)


@pytest.mark.parametrize("name", SERVERS)
@pytest.mark.parametrize("wrong", [None, 5, object(), {}])
def test_any_other_value_in_place_of_a_client_is_refused(name: str, wrong: object) -> None:
    """The error says what is wanted; it is not an error of the driver."""
    with pytest.raises(ConfigurationError, match=f"{name}.*Fix: "):
        SERVERS[name](wrong)


@pytest.mark.parametrize("kind", ["Redis", "RedisCluster"])
def test_a_client_of_the_other_kind_names_the_other_store(kind: str) -> None:
    """A blocking store refuses an asynchronous client, and the other way round."""
    redis = pytest.importorskip("redis")
    asynchronous = pytest.importorskip("redis.asyncio")
    other = object.__new__(getattr(asynchronous, kind))
    blocking = object.__new__(getattr(redis, kind))

    with pytest.raises(ConfigurationError, match=r"Fix: write AsyncRedisStore\(client\)"):
        SERVERS["RedisStore"](other)
    with pytest.raises(ConfigurationError, match=r"Fix: write RedisStore\(client\)"):
        SERVERS["AsyncRedisStore"](blocking)


def test_a_url_in_place_of_a_path_leads_to_store_from_url() -> None:
    """SQLiteStore takes a path, and makes no file with the name of the URL."""
    with pytest.raises(ConfigurationError, match=r"write store_from_url\(\.\.\.\)"):
        SQLiteStore("sqlite:///sessions.db")


@pytest.mark.parametrize("name", EVERY)
def test_a_foreign_setting_is_answered_with_the_setting_here(name: str) -> None:
    """No constructor and no from_url lets Python's own message through."""
    kind = EVERY[name]
    calls = [kind, *([kind.from_url] if hasattr(kind, "from_url") else [])]
    for call in calls:
        known = inspect.signature(call).parameters
        for foreign in FOREIGN:
            if foreign in known:
                continue
            with pytest.raises(WrongSettings) as caught:
                call(**{foreign: "secret"})

            told = str(caught.value)
            assert f"{name}" in told
            assert f"has no setting {foreign!r}. Fix: " in told
            assert "secret" not in told.replace(foreign, "").replace("framework secret", "")


@pytest.mark.parametrize(
    ("name", "foreign", "remedy"),
    [
        ("JWTToken", "secret", "uses the keys of the container"),
        ("JWTToken", "private_key", 'keys={"2026-11": private_key_in_pem}'),
        ("EncryptedToken", "key", "SessionContainer(keys=[...], store=...)"),
        ("SignedToken", "secret_key", "SessionContainer(keys=[...], store=...)"),
        ("SignedToken", "max_age", "idle_timeout"),
        ("CookieTransport", "secure", "SessionContainer(cookie=CookieSettings(...))"),
        ("HeaderTransport", "header_name", "the first argument"),
    ],
)
def test_names_of_other_libraries_are_known(name: str, foreign: str, remedy: str) -> None:
    """What another library calls a setting leads to the place of the setting here."""
    with pytest.raises(WrongSettings) as caught:
        EVERY[name](**{foreign: "x"})

    assert remedy in str(caught.value)


@pytest.mark.parametrize(
    ("url", "scheme"),
    [
        ("postgres://localhost/shop", "postgresql:"),
        ("mysql://localhost/shop", "mysql+pymysql:"),
        ("sqlite+aiosqlite:///sessions.db", "sqlite:"),
        ("valkey://localhost", "redis:"),
        ("mongo://localhost/shop", "mongodb:"),
    ],
)
def test_a_scheme_of_other_libraries_says_the_scheme_here(url: str, scheme: str) -> None:
    """The remedy is one scheme, not a list of all."""
    with pytest.raises(
        ConfigurationError, match=f"Fix: begin the URL with '{re.escape(scheme)}' in"
    ):
        store_from_url(url)


@pytest.mark.parametrize(
    ("name", "remedy"),
    [
        ("SessionContainer", "the setting is called keys, and is a list"),
        ("EncryptedToken", "SessionContainer(keys=[...], store=...)"),
        ("SignedToken", "SessionContainer(keys=[...], store=...)"),
        ("JWTToken", "uses the keys of the container"),
    ],
)
def test_a_secret_by_position_says_where_secrets_are(name: str, remedy: str) -> None:
    """The text is not taken for the first setting, and is not shown."""
    with pytest.raises(WrongSettings) as caught:
        EVERY[name]("hunter2hunter2")

    assert remedy in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_a_url_from_an_environment_without_it_says_so() -> None:
    """None is what os.environ.get returns for a variable that is not set."""
    missing: Any = None

    with pytest.raises(ConfigurationError, match="set the environment variable"):
        store_from_url(missing)


@pytest.mark.parametrize("kind", [Session, AsyncSession])
def test_a_session_is_not_made_by_a_call(kind: Any) -> None:
    """Whatever the arguments, the error says who makes sessions."""
    for arguments in ((), ({"a": 1},)):
        name = kind.__name__
        with pytest.raises(TypeError, match=rf"a {name} cannot be made with {name}\(...\). Fix: "):
            kind(*arguments)


@pytest.mark.parametrize(
    ("transports", "told"),
    [
        ([CookieTransport(), CookieTransport()], r"CookieTransport\(\) 2 times"),
        ([HeaderTransport("X-Id"), CookieTransport(), HeaderTransport("X-Id")], "X-Id.* 2 times"),
        ([HeaderTransport.bearer()] * 3, "3 times"),
    ],
)
def test_a_transport_is_in_the_list_once(transports: list[Any], told: str) -> None:
    """The second one would never be asked."""
    with pytest.raises(ConfigurationError, match=f"transports has .*{told}. Fix: give it once"):
        SessionContainer(keys=[KEY], transports=transports)


def test_transports_of_different_names_are_allowed() -> None:
    """Two headers or two cookies may carry the session."""
    transports = [CookieTransport("a", CookieSettings()), CookieTransport("b", CookieSettings())]
    headers = [HeaderTransport("X-A"), HeaderTransport("X-B"), HeaderTransport.bearer()]

    container = SessionContainer(keys=[KEY], transports=[*transports, *headers])

    assert list(container.transports) == [*transports, *headers]


def test_a_single_transport_is_shown_as_it_is_written() -> None:
    """The remedy can be copied into the program."""
    transports: Any = CookieTransport()

    with pytest.raises(ConfigurationError, match=r"write transports=\[CookieTransport\(\)\]"):
        SessionContainer(keys=[KEY], transports=transports)
