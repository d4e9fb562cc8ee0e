"""A client for tests of an application, and replacements for its components."""

import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast, get_origin, is_typeddict

import werkzeug.test
from werkzeug.datastructures import Headers
from werkzeug.test import TestResponse

from framework.advice.arguments import OF_REPLACE, explains_arguments
from framework.advice.objects import OF_CALLS, OF_CLIENTS, OF_RESPONSES
from framework.advice.other_frameworks import refusing, remedy_in, told_of
from framework.application import Application
from framework.defaults import SessionClock, SessionDefaults
from framework.types.fitting import is_protocol
from framework.types.signatures import describe
from sessions.core.transport_checks import without_warnings
from sessions.manager import SessionManager
from sessions.session import Session
from sessions.stores.base import Store
from sessions.stores.memory import MemoryStore
from sessions.testing.kept_tokens import KeptTokens
from sessions.wsgi import EnvironHead

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

__all__ = ["Client", "SessionClock", "replace"]

T = TypeVar("T")
_NOTHING_TO_AWAIT = "the client is not asynchronous. Fix"


@dataclass(frozen=True)
class Replacement:
    """A component, and the object that replaces it."""

    key: object
    value: object


class Replacing(Generic[T]):
    """A component that will be replaced; `to` takes the object that replaces the component."""

    def __init__(self, key: object) -> None:
        self.key = key

    def to(self, value: T) -> Replacement:
        """Give the object that replaces the component."""
        if not _may_stand_in(value, self.key):
            name = describe(self.key)
            call = f"give an object of the class, as in {describe(value)}()"
            remedy = call if isinstance(value, type) else "give an instance"
            raise TypeError(
                f"replace({name}).to({_shown(value)}) does not give a {name}. Fix: {remedy}"
            )
        return Replacement(self.key, value)


@explains_arguments("replace", "replace(Mailer).to(fake)", OF_REPLACE)
def replace(key: Callable[..., T]) -> Replacing[T]:
    """Choose a component to replace in a test, as in `replace(Users).to(FakeUsers())`.

    The key is the type that constructors use as the annotation of the component: a class, an
    abstract class or a protocol.
    """
    # The annotation is not type[T], because type checkers refuse abstract classes and protocols.
    if not _is_key(key):
        kind = key if isinstance(key, str) else type(key).__name__
        raise TypeError(f"replace takes a type, not {key!r}. Fix: write replace({kind})")
    return Replacing(key)


class ClientResponse(TestResponse):
    """A response whose `json` has the type `Any`, so that a test can index it without a cast."""

    @property
    def json(self) -> Any:
        """Return the data of a JSON body; None if the body is not JSON."""
        return super().json

    if not TYPE_CHECKING:

        def __await__(self) -> object:
            """Refuse `await`, which the clients of asynchronous frameworks need."""
            raise TypeError(f"{_NOTHING_TO_AWAIT}: leave await out")

        def __getattr__(self, name: str) -> object:
            """Refuse an attribute that the clients of other frameworks have."""
            raise AttributeError(told_of("a response", name, OF_RESPONSES), name=name, obj=self)


class Client(werkzeug.test.Client):
    """Send requests to an application, with cookies and without a server."""

    if TYPE_CHECKING:
        # These are Werkzeug's own methods; all of them call `open` and return its response.
        get: Callable[..., ClientResponse]
        post: Callable[..., ClientResponse]
        put: Callable[..., ClientResponse]
        patch: Callable[..., ClientResponse]
        delete: Callable[..., ClientResponse]
        head: Callable[..., ClientResponse]
        options: Callable[..., ClientResponse]
        trace: Callable[..., ClientResponse]

    def __init__(self, application: Application) -> None:
        super().__init__(application, ClientResponse)
        self.app = application
        self._kept: KeptTokens | None = None

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> object:
            """Refuse an attribute that the clients of other frameworks have."""
            raise AttributeError(told_of("the client", name, OF_CLIENTS), name=name, obj=self)

    def open(self, *args: Any, buffered: bool = True, **kwargs: Any) -> ClientResponse:
        """Send a request; with `buffered`, read the response to its end."""
        for argument in kwargs:
            remedy = remedy_in(OF_CALLS, argument)
            if remedy is not None:
                raise TypeError(f"the client has no argument {argument!r}. Fix: {remedy}.")
        path = kwargs.get("path", args[0] if args else None)
        if isinstance(path, str) and path[:1].isalnum() and "://" not in path:
            raise ValueError(f"the path {path!r} does not begin with a slash. Fix: write '/{path}'")
        _refuse_cookies(kwargs)
        response = super().open(*args, buffered=buffered, **kwargs)
        # The constructor gave Werkzeug this class of responses.
        return cast(ClientResponse, response)

    def run_wsgi_app(
        self, environ: "WSGIEnvironment", buffered: bool = False
    ) -> tuple[Iterable[bytes], str, Headers]:
        """Send one request, and keep the token of its session."""
        kept = self._tokens()
        if kept is None:
            return super().run_wsgi_app(environ, buffered)
        body, status, headers = super().run_wsgi_app(kept.added_to(environ), buffered)
        kept.read_response(headers, body if isinstance(body, list) else None)
        return body, status, headers

    @property
    def session(self) -> "SessionOpening":
        """Open the session of the client, or a new one: `with client.session() as ...`.

        The session is saved at the end. https requests have another cookie than http requests, so
        `client.session(base_url="https://localhost")` opens the https session. If the application
        sends tokens in a header or in links, the client opens the session of the last token that
        it received. From then on, the client sends the token of this session.
        """
        return SessionOpening(self._open_session)

    @contextmanager
    def _open_session(self, base_url: str) -> Iterator[Session]:
        manager = self.app.sessions
        if manager is None:
            raise RuntimeError(
                "the application has no sessions, because nothing uses a session. Fix: give a"
                " handler a parameter `session: session`"
            )
        visit, kept = _Visit(manager), self._tokens()
        if kept is not None:
            kept.begin_to_send(lambda token: manager.from_token(token) is not None)
        path = manager.container.cookie.path
        self._send(visit.arrive, path, base_url)
        yield visit.session
        self._send(visit.leave, path, base_url)
        if kept is not None:
            kept.read_link(visit.session.rewrite("/"), forgets=True)

    def _tokens(self) -> KeptTokens | None:
        """Return the session tokens that the client received outside of cookies.

        The result is None if the application sends tokens in cookies only, or has no sessions.
        """
        if self._kept is None and (manager := self.app.sessions) is not None:
            tokens = manager.tokens
            if len(tokens.cookies) < len(tokens.transports):
                self._kept = KeptTokens(tokens.transports)
        return self._kept

    def _send(self, application: "WSGIApplication", path: str, base_url: str) -> None:
        """Send a request with the client's cookies to `application`, not to `self.application`."""
        self.application, own = application, self.application
        try:
            self.get(path, base_url=base_url)
        finally:
            self.application = own


class _Visit:
    """Open a session in one request, and save the session in a second request.

    A test changes the session between the two requests.
    """

    session: Session

    def __init__(self, manager: SessionManager) -> None:
        self._manager = manager

    def arrive(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        """Open the session of the request's cookie."""
        self.session = self._manager.open(EnvironHead(environ))
        start_response("204 NO CONTENT", [])
        return []

    def leave(self, _: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Save the session and send its cookie."""
        start_response("204 NO CONTENT", self._manager.close(self.session))
        return []


class _InMemory(SessionDefaults):
    """Keep sessions in memory if the application does not configure sessions."""

    def keys(self) -> Sequence[str]:
        return [secrets.token_urlsafe(32)]

    def store(self) -> Store:
        return MemoryStore()


class NotOpened:
    """The base of objects that need `with`: any other use raises an error with the remedy."""

    advice = ""

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> object:
            raise AttributeError(self.advice)

        def __getitem__(self, key: object) -> object:
            raise TypeError(self.advice)

        def __setitem__(self, key: object, value: object) -> None:
            raise TypeError(self.advice)

        def __contains__(self, key: object) -> bool:
            raise TypeError(self.advice)

        async def __aenter__(self) -> object:
            raise TypeError(f"{_NOTHING_TO_AWAIT}: write with, and not async with")

        async def __aexit__(self, *error: object) -> None: ...


class Opening(NotOpened, AbstractContextManager[T]):
    """Open something in `with`; without `with`, any call raises an error with the remedy."""

    def __init__(self, context: AbstractContextManager[T], advice: str) -> None:
        self._context = context
        self.advice = advice

    def __enter__(self) -> T:
        return self._context.__enter__()

    def __exit__(self, *error: Any) -> bool | None:
        return self._context.__exit__(*error)


class SessionOpening(NotOpened):
    """Open the session of a client when this object is called."""

    advice = (
        "the session of a client has to be opened. Fix: write `with client.session() as session:`,"
        " and use session in the block"
    )

    def __init__(self, open_session: Callable[[str], AbstractContextManager[Session]]) -> None:
        self._open = open_session

    def __call__(self, base_url: str = "http://localhost") -> AbstractContextManager[Session]:
        """Open the session that the client's requests to this address have."""
        return Opening(self._open(base_url), self.advice)


_NOT_A_CLIENT = "app.test() is not a client yet. Fix: write `with app.test() as client:`"


def open_client(
    parts: Sequence[type | ModuleType], replacements: Sequence[Replacement], *, debug: bool = False
) -> AbstractContextManager[Client]:
    """Build an application of the parts with the replacements, and return a client for it."""
    for replacement in replacements:
        _require_replacement(replacement)
    return Opening(_client(parts, replacements, debug=debug), _NOT_A_CLIENT)


@contextmanager
def _client(
    parts: Sequence[type | ModuleType], replacements: Sequence[Replacement], *, debug: bool
) -> Iterator[Client]:
    chosen: dict[object, object] = {}
    for replacement in replacements:
        if replacement.key in chosen:
            raise ValueError(
                f"{replacement.key!r} is replaced twice. Fix: remove one of the two replacements"
            )
        chosen[replacement.key] = replacement.value
    # The application itself, which is built before, has logged the warnings.
    with without_warnings():
        application = Application(*parts, debug=debug, replacements=chosen, defaults=_InMemory())
    application.start()
    try:
        yield Client(application)
    finally:
        application.stop()


def _require_replacement(given: object) -> None:
    if isinstance(given, Replacement):
        return
    if isinstance(given, dict):
        raise TypeError(
            f"app.test takes replacements, not the dict {given!r}. Fix: write"
            " app.test(replace(Mailer).to(fake), replace(Users).to(others))"
        )
    key = given.key if isinstance(given, Replacing) else given
    name = _shown(key)
    what = f"replace({name})" if isinstance(given, Replacing) else name
    raise TypeError(
        f"app.test takes replacements, not {what}. Fix: write app.test(replace({name}).to(...))"
    )


def _is_key(key: object) -> bool:
    """Return whether `replace` takes an object as key: a type, an alias, or a guard object."""
    if isinstance(key, str):
        return False
    known = callable(key) or get_origin(key) is not None
    return known or any(hasattr(key, name) for name in ("check", "__value__"))


def _may_stand_in(value: object, key: Any) -> bool:
    """Return whether an object is an instance of the key's class, or has the same public names."""
    if not isinstance(key, type) or get_origin(key) or is_protocol(key) or is_typeddict(key):
        return True
    if isinstance(value, type) or key in (float, complex):
        return isinstance(value, key) or not isinstance(value, type)
    members = [name for name in dir(key) if not name.startswith("_")]
    looks_like = bool(members) and all(hasattr(value, name) for name in members)
    return isinstance(value, key) or looks_like


def _shown(value: object) -> str:
    return describe(value) if isinstance(value, type) else repr(value)


# Type checkers report unknown names themselves.
if not TYPE_CHECKING:
    __getattr__ = refusing(__name__)


def _refuse_cookies(options: dict[str, Any]) -> None:
    """Raise TypeError for a Cookie header, because the client's own cookies would replace it."""
    environs = [options.get(name) or {} for name in ("environ_base", "environ_overrides")]
    headers = Headers(options.get("headers"))
    if "Cookie" in headers or any("HTTP_COOKIE" in environ for environ in environs):
        raise TypeError(
            "the client sends its own cookies in place of the header Cookie."
            ' Fix: write client.set_cookie("name", "value") before the request'
        )
