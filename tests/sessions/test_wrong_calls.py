"""Calls that cannot work say what to write in their place."""

import asyncio
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment

import pytest
from werkzeug.test import Client

from sessions import (
    AsyncSession,
    AsyncSessionManager,
    ConfigurationError,
    CookieSettings,
    MemoryStore,
    Session,
    SessionClosed,
    SessionContainer,
    SessionError,
    SessionManager,
    SQLiteStore,
    asgi,
)
from sessions.errors import UnencodableValue
from sessions.wsgi import SessionMiddleware
from tests.support.apps import KEY
from tests.support.loops import on_a_loop


@pytest.fixture
def manager() -> SessionManager:
    """Return a manager of sessions in memory."""
    return SessionManager(SessionContainer(keys=[KEY]))


def test_from_cookie_takes_the_absence_of_the_header(manager: SessionManager) -> None:
    """from_cookie(None) returns None."""
    assert manager.from_cookie(None) is None


def test_a_session_closed_by_hand_says_so(manager: SessionManager) -> None:
    """The message fits also if there is no response."""
    session = manager.create({"a": 1})
    manager.close(session)

    with pytest.raises(SessionClosed) as caught:
        session["a"] = 2

    assert str(caught.value) == (
        "the session is closed: the headers of its response were sent, or your code closed it. Fix:"
        " use the session before the first byte of the response body. After the response,"
        " in a background task or a thread, get the session from the manager: manager.get(id). If"
        " the code after the `yield` of a FastAPI dependency uses the session, write"
        ' Depends(..., scope="function") where you declare the dependency'
    )


def _no_app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    return []


WRONG = [
    ((SessionContainer(keys=[KEY]), _no_app), "SessionContainer and function"),
    ((_no_app, {"keys": [KEY]}), "function and dict"),
    ((None, SessionContainer(keys=[KEY])), "NoneType and SessionContainer"),
]


@pytest.mark.parametrize(("arguments", "types"), WRONG)
def test_wrong_arguments_of_the_middleware_are_refused_at_once(
    arguments: tuple[Any, Any], types: str
) -> None:
    """Wrong arguments, or a wrong order of them, are an error without a key."""
    with pytest.raises(TypeError) as caught:
        SessionMiddleware(*arguments)

    assert str(caught.value) == (
        "SessionMiddleware takes the application first, then a SessionContainer, not values of the"
        f" types {types}. Fix: write SessionMiddleware(app, SessionContainer(keys=[...]))"
    )


@pytest.mark.parametrize("container", [None, 5, {"keys": [KEY]}], ids=type)
@pytest.mark.parametrize("kind", [SessionManager, AsyncSessionManager])
def test_a_manager_says_what_it_takes(kind: Any, container: Any) -> None:
    """The error says what to give, and does not speak of a missing attribute."""
    with pytest.raises(TypeError, match=r"takes a SessionContainer, not .*write SessionContainer"):
        kind(container)


@pytest.mark.parametrize(
    ("kind", "face"), [(SessionManager, AsyncSession), (AsyncSessionManager, Session)]
)
def test_a_manager_takes_a_face_of_its_own_kind(kind: Any, face: Any) -> None:
    """The error says that `face` is not a class of the right kind of sessions."""
    with pytest.raises(TypeError, match=r"face=.* is not a session class. Fix: give "):
        kind(SessionContainer(keys=[KEY]), face=face)


@pytest.mark.parametrize("text", ["", "nonsense", "x" * 65, "x" * 5000])
def test_a_text_that_is_not_an_id_finds_no_session(manager: SessionManager, text: str) -> None:
    """A text from outside that is not an id finds no session."""
    assert manager.delete(text) is False
    assert manager.from_token(text) is None


NOT_TEXTS: list[Any] = [5, None, b"session", ["session"], {"a": ""}]


@pytest.mark.parametrize("value", NOT_TEXTS, ids=repr)
@pytest.mark.parametrize("verb", ["get", "delete"])
def test_an_id_is_a_text(manager: SessionManager, verb: str, value: Any) -> None:
    """The error says what to give, and does not show the value, which may be secret."""
    with pytest.raises(
        TypeError,
        match=r"id is a str, not a value of type .*. Fix: give"
        r" session\.id",
    ):
        getattr(manager, verb)(value)


@pytest.mark.parametrize("value", NOT_TEXTS, ids=repr)
@on_a_loop
async def test_an_asynchronous_manager_says_so_too(value: Any) -> None:
    """The error comes before the store is asked."""
    manager = AsyncSessionManager(SessionContainer(keys=[KEY]))

    with pytest.raises(TypeError, match="id is a str"):
        await manager.get(value)
    with pytest.raises(TypeError, match="id is a str"):
        await manager.delete(value)
    assert await manager.from_token(None) is None


def test_no_token_stands_for_no_session(manager: SessionManager) -> None:
    """from_token(None) returns None, because a request may have no cookie."""
    assert manager.from_token(None) is None


@pytest.mark.parametrize(
    ("data", "shown"), [(5, "5"), (["a"], r"\['a'\]"), ("ab", "ab"), ({1: 2}, r"session\[1\]")]
)
def test_create_takes_a_mapping_of_texts(manager: SessionManager, data: Any, shown: str) -> None:
    """The error shows the wrong value."""
    with pytest.raises((TypeError, UnencodableValue), match=shown):
        manager.create(data)


AN_ID = "a-secret-of-a-session"
OCTETS = AN_ID.encode()

CALLS_WITH_AN_ID: dict[str, Callable[[SessionManager], object]] = {
    "from_cookie": lambda manager: manager.from_cookie(OCTETS),  # type: ignore[arg-type]
    "get": lambda manager: manager.get(OCTETS),  # type: ignore[arg-type]
    "delete": lambda manager: manager.delete(OCTETS),  # type: ignore[arg-type]
    "token": lambda manager: manager.token(AN_ID),  # type: ignore[arg-type]
    "close": lambda manager: manager.close(AN_ID),  # type: ignore[arg-type]
    "check": lambda manager: manager.check(AN_ID),  # type: ignore[arg-type]
    "keep octets": lambda manager: manager.end_sessions_of("a", OCTETS),  # type: ignore[arg-type]
    "keep an id": lambda manager: manager.end_sessions_of("a", AN_ID),
}


@pytest.mark.parametrize("call", CALLS_WITH_AN_ID.values(), ids=CALLS_WITH_AN_ID)
def test_an_error_shows_no_id_that_was_given_in_a_wrong_place(
    manager: SessionManager, call: Callable[[SessionManager], object]
) -> None:
    """Errors are logged, and whoever reads an id or a token has the session."""
    with pytest.raises((TypeError, ValueError), match="Fix: ") as caught:
        call(manager)

    assert AN_ID not in str(caught.value)


def test_an_id_in_place_of_a_handle_ends_nothing(manager: SessionManager) -> None:
    """Otherwise the session to keep would end with the others."""
    with manager.create() as session:
        session.set_user("ada")

    with pytest.raises(ValueError, match=r"session\.handle, and not session\.id"):
        manager.end_sessions_of("ada", keep=session.id)
    assert len(manager.sessions_of("ada")) == 1


UNKNOWN = [
    (SessionContainer, "secret_key", "the setting is called keys, and is a list"),
    (SessionContainer, "cookie_name", "the setting is called session_prefix"),
    (SessionContainer, "httponly", "write it in cookie=CookieSettings(...)"),
    (SessionContainer, "colour", "SessionContainer takes keys, store, cookie"),
    (CookieSettings, "httponly", "did you mean 'http_only'? CookieSettings takes http_only"),
    (CookieSettings, "samesite", "did you mean 'same_site'?"),
    (MemoryStore, "max_session", "did you mean 'max_sessions'? MemoryStore takes max_sessions"),
    (SQLiteStore, "filename", "the path is the first argument of SQLiteStore"),
    (CookieSettings, "lifetime", "the setting is called max_age"),
]


@pytest.mark.parametrize(("kind", "name", "remedy"), UNKNOWN)
def test_an_unknown_setting_is_answered_with_its_name_here(
    kind: Any, name: str, remedy: str
) -> None:
    """The message shows no value, which may be a key."""
    with pytest.raises(ConfigurationError) as caught:
        kind(**{name: "a secret"})

    assert str(caught.value).startswith(f"{kind.__name__} has no setting {name!r}. Fix: {remedy}")
    assert "a secret" not in str(caught.value)
    assert isinstance(caught.value, TypeError)


def test_a_store_says_what_it_needs(tmp_path: Path) -> None:
    """Its path may be given by its place or by its name, all other settings by name."""
    with pytest.raises(ConfigurationError, match=r"^SQLiteStore needs 'path'. Fix: give 'path'"):
        SQLiteStore()  # type: ignore[call-arg]
    with pytest.raises(ConfigurationError, match=r"takes other settings by name. Fix: write"):
        SQLiteStore(tmp_path / "a.db", "shop_")  # type: ignore[call-arg]

    for store in (SQLiteStore(tmp_path / "a.db"), SQLiteStore(path=tmp_path / "a.db")):
        store.close()


def test_every_unknown_setting_is_reported_at_once() -> None:
    """The error names all wrong settings."""
    with pytest.raises(ConfigurationError) as caught:
        CookieSettings(httponly=True, samesite="Lax")  # type: ignore[call-arg]

    assert len(caught.value.problems) == 2


async def _asgi_app(scope: asgi.Scope, receive: asgi.Receive, send: asgi.Send) -> None: ...


class _Object:
    async def __call__(self, scope: asgi.Scope, receive: asgi.Receive, send: asgi.Send) -> None: ...


WRONG_INTERFACE = [
    (asgi.SessionMiddleware, _no_app, "from sessions.wsgi import SessionMiddleware"),
    (asgi.SessionMiddleware, SessionMiddleware(_no_app, SessionContainer(keys=[KEY])), "wsgi"),
    (SessionMiddleware, _asgi_app, "from sessions.asgi import SessionMiddleware"),
    (SessionMiddleware, _Object(), "from sessions.asgi import SessionMiddleware"),
]


@pytest.mark.parametrize(("middleware", "app", "remedy"), WRONG_INTERFACE)
def test_a_middleware_refuses_an_application_of_the_other_interface(
    middleware: Any, app: object, remedy: str
) -> None:
    """The error comes when the middleware is made."""
    with pytest.raises(TypeError, match=f"Fix: write.*{remedy}"):
        middleware(app, SessionContainer(keys=[KEY]))


@pytest.mark.parametrize("app", [lambda *arguments: [], print, lambda a, b, c=None: []])
@pytest.mark.parametrize("middleware", [SessionMiddleware, asgi.SessionMiddleware])
def test_a_middleware_takes_an_application_that_may_fit(middleware: Any, app: object) -> None:
    """Only what certainly cannot be called is refused."""
    assert middleware(app, SessionContainer(keys=[KEY])).app is app


def test_a_wrong_key_of_the_environ_is_answered_with_the_right_key() -> None:
    """The error names the right key for a key of another library."""

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        return [environ["session"]["name"]]

    inner = SessionMiddleware(app, SessionContainer(keys=[KEY], session_prefix="inner"))
    with pytest.raises(KeyError) as caught:
        Client(SessionMiddleware(inner, SessionContainer(keys=[KEY]))).get("/")

    assert caught.value.__notes__ == ['Fix: read the session from environ["sessions.session"].']


@on_a_loop
async def test_a_forgotten_await_is_explained() -> None:
    """The error says to await; Python's own error would not."""

    async def app(scope: asgi.Scope, receive: asgi.Receive, send: asgi.Send) -> None:
        increment: Any = asgi.session_of(scope).increment("visits")
        try:
            increment + 1
        finally:
            increment.close()

    async def nothing(*_: object) -> Any: ...

    scope = {"type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": []}
    with pytest.raises(TypeError) as caught:
        await asgi.SessionMiddleware(app, SessionContainer(keys=[KEY]))(scope, nothing, nothing)

    assert caught.value.__notes__ == [
        'Fix: await the call, as in await session.increment("visits").'
    ]


def test_a_middleware_object_in_place_of_its_class_is_explained() -> None:
    """Frameworks call what they are given with the application, as they call a class."""
    made = asgi.SessionMiddleware(_asgi, SessionContainer(keys=[KEY]))

    with pytest.raises(TypeError, match=r"Fix: give the class.*add_middleware\(SessionMiddleware,"):
        _ = made(_asgi)


async def _asgi(scope: Any, receive: Any, send: Any) -> None: ...


@pytest.mark.parametrize(
    "verb", ["load", "save", "delete", "reload", "increment", "take", "update_with"]
)
def test_a_coroutine_has_the_name_that_the_user_called(verb: str) -> None:
    """Python's warning about a forgotten await names the public method."""
    manager = AsyncSessionManager(SessionContainer(keys=[KEY]))

    async def names() -> str:
        arguments = {"increment": ("n",), "take": ("n",), "update_with": ("n", lambda n: n)}
        work: Any = getattr(await manager.create(), verb)(*arguments.get(verb, ()))
        work.close()
        return str(work.__qualname__)

    assert asyncio.run(names()) == f"AsyncSession.{verb}"
    with pytest.raises(SessionError, match=rf"await session\.{verb}\(\)"):
        getattr(asyncio.run(_created(manager)), verb)(
            *{"increment": ("n",), "take": ("n",), "update_with": ("n", str)}.get(verb, ())
        )


async def _created(manager: AsyncSessionManager) -> AsyncSession:
    return await manager.create()
