"""Sessions for any ASGI application: the middleware. Source: the ASGI specification, version 3."""

from abc import abstractmethod
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from enum import Enum
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias, TypeVar, get_args

from sessions.container import SessionContainer
from sessions.core.headers import cache_headers, decoded, encoded
from sessions.core.suspending import suspended
from sessions.core.taking import TAKEN_KEY
from sessions.edges import Headers, merge_headers, refusal
from sessions.errors import ConfigurationError, SessionError, is_due_to
from sessions.manager import AsyncSessionManager
from sessions.names import note_remedy, takes_container
from sessions.other_gateways import ForASGI, require_asyncio
from sessions.public_names import refusing
from sessions.session import AsyncSession

SCOPE_KEY = "session"
MANAGER_KEY = "sessions.manager"
MANAGERS_KEY = "sessions.managers"

Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
ASGIApp: TypeAlias = Callable[[Any, Any, Any], Awaitable[None]]
Load: TypeAlias = Literal["eager", "on_demand"]

T = TypeVar("T")


class HasScope(Protocol):
    """A request object of a framework, such as Starlette's HTTPConnection."""

    @property
    @abstractmethod
    def scope(self) -> Mapping[str, Any]:
        """Return the ASGI scope of the request."""


def session_of(connection: "HasScope | Mapping[str, Any]") -> AsyncSession:
    """Return the session of a framework's request, or of an ASGI scope."""
    scope = connection if isinstance(connection, Mapping) else connection.scope
    session = scope.get(SCOPE_KEY)
    if not isinstance(session, AsyncSession):
        raise SessionError(
            f"the scope of this request has {_shown(session)}. Fix: add"
            " SessionMiddleware(app, container=SessionContainer(keys=[...])), and remove other"
            " session middleware inside of SessionMiddleware"
        )
    return session


@takes_container(arguments=3)
class SessionMiddleware(ForASGI):
    """Give the application a session in `scope["session"]`.

    With `load="eager"`, the session is loaded before the application runs. With "on_demand", the
    application awaits `session.load()`. The session is saved before the response headers are sent.
    """

    def __init__(self, app: ASGIApp, container: SessionContainer, *, load: Load = "eager") -> None:
        if not callable(app) or not isinstance(container, SessionContainer):
            raise TypeError(
                # The values are not shown, because they may contain keys.
                "SessionMiddleware takes the application first, then a SessionContainer, not values"
                f" of the types {type(app).__name__} and {type(container).__name__}. Fix: write"
                " SessionMiddleware(app, container=SessionContainer(keys=[...]))"
            )
        if load not in get_args(Load):
            raise ConfigurationError(
                f'SessionMiddleware: load={load!r} is unknown. Fix: give "eager" or "on_demand"'
            )
        self.app = app
        self.manager = AsyncSessionManager(container)
        self._is_eager = load == "eager"

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        if (kind := _KINDS.get(scope["type"])) is None:
            if scope["type"] == "lifespan":
                send = partial(self._pass_lifespan, send)
            return await self.app(scope, receive, send)
        outer: tuple[AsyncSessionManager, ...] = scope.get(MANAGERS_KEY, ())
        if outer:
            if any(manager.container is self.manager.container for manager in outer):
                return await self.app(scope, receive, send)
            # The scope is copied, so that an outer middleware keeps its own session.
            scope = dict(scope)
        require_asyncio()
        if self.manager.tokens.taker is not None:
            receive = await self.manager.tokens.taker.from_scope(scope, receive)
        running = kind(self.manager, scope, send).run(self.app, receive, is_eager=self._is_eager)
        return await suspended(running, self.manager, scope[SCOPE_KEY])

    async def _pass_lifespan(self, send: Send, message: Message) -> None:
        """Send a message to the server; close the manager after the application has shut down."""
        if message["type"] in ("lifespan.shutdown.complete", "lifespan.shutdown.failed"):
            await self.manager.aclose()
        await send(message)


class ScopeHead:
    """The head of a request, read from an ASGI scope."""

    __slots__ = ("_cookies", "_scope")

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self._cookies: str | None = None

    @property
    def scheme(self) -> str:
        """Return the scheme, or `http` if the server gives no scheme."""
        scheme: str = self._scope.get("scheme", "http")
        return scheme

    @property
    def path(self) -> str:
        """Return the path with the mount prefix, unquoted; each byte is one character."""
        # Some servers include `root_path` in `path`, and others do not.
        root: str = self._scope.get("root_path", "").rstrip("/")
        path: str = self._scope["path"]
        if path != root and not path.startswith(f"{root}/"):
            path = root + path
        return path.encode("utf-8", "replace").decode("latin-1")

    @property
    def query(self) -> str:
        """Return the raw query."""
        query: bytes = self._scope.get("query_string", b"")
        return query.decode("latin-1")

    @property
    def taken(self) -> dict[str, list[str]] | None:
        """Return the values of each parameter that was removed from the query and the form."""
        return self._scope.get(TAKEN_KEY)

    @property
    def client(self) -> str | None:
        """Return the address of the client."""
        client = self._scope.get("client")
        return client[0] if client else None

    @property
    def cookies(self) -> str:
        """Return the raw Cookie headers, joined by `; `: an HTTP/2 request can have several."""
        if self._cookies is None:
            self._cookies = b"; ".join(self._all(b"cookie")).decode("latin-1")
        return self._cookies

    def header(self, name: str) -> str | None:
        """Return the raw value of a request header."""
        raw = name.lower().encode("latin-1")
        found = self._all(raw)
        separator = b"; " if raw == b"cookie" else b","
        return separator.join(found).decode("latin-1") if found else None

    def _all(self, wanted: bytes) -> list[bytes]:
        # The ASGI specification says that the names are in lower case.
        return [value for name, value in self._scope["headers"] if name == wanted]


class _Request:
    """Serve an HTTP request, and send the response headers only after the session is saved."""

    __slots__ = ("_failure", "_has_left", "_manager", "_scope", "_send", "_session")

    def __init__(self, manager: AsyncSessionManager, scope: Scope, send: Send) -> None:
        self._manager = manager
        self._scope = scope
        self._send = send
        self._has_left = False
        self._failure: SessionError | None = None
        # `ScopeHead` gets a copy, because a cycle of references would free the session late.
        self._session = scope[SCOPE_KEY] = manager.open(ScopeHead(dict(scope)))
        scope[MANAGER_KEY] = manager
        scope[MANAGERS_KEY] = (*scope.get(MANAGERS_KEY, ()), manager)

    async def run(self, app: ASGIApp, receive: Receive, *, is_eager: bool) -> None:
        """Call the application; answer 503 if the request's session cannot be loaded or saved."""
        try:
            # An eager load is not a use of the session, so its error is raised at the first use.
            if is_eager and not self._manager.preload_now(self._session):
                await self._manager.preload(self._session)
            await app(self._scope, receive, self.send)
            if not self._has_left or self._session.accessed:
                await self._end()
        except GeneratorExit:
            # The event loop has ended, so nothing can be awaited.
            raise
        # The server handles the error. The session is only closed here.
        except BaseException as error:
            if not await self._answers(error):
                note_remedy(error, SCOPE_KEY)
                raise

    def send(self, message: Message) -> Awaitable[None]:
        """Handle a message from the application."""
        if self._failure is not None:
            return _drop()
        if message["type"] == "http.response.start":
            # A second start message can come if the sending of the first one was cancelled.
            return self._leave(message)
        return self._send(message)

    @property
    def _is_waiting(self) -> bool:
        """Return whether no response was sent yet."""
        return not self._has_left and self._failure is None

    def _leave(self, message: Message) -> Awaitable[None]:
        """Save the session, and send the headers of the response."""
        failed = message["status"] >= 500
        # ASGI allows an iterator here, which can be read only once.
        message = {**message, "headers": list(message.get("headers") or ())}
        own = cache_headers(message["headers"])
        if not failed and self._scope.get(SCOPE_KEY) is self._session:
            headers = self._manager.close_now(self._session, headers=own)
            if headers is not None:
                self._has_left = True
                return self._send(_with_headers(message, headers))
        return self._save_and_leave(message, own, failed=failed)

    async def _save_and_leave(self, message: Message, own: Headers, *, failed: bool) -> None:
        failure = self._manager.failure(self._session) if failed else None
        if failure is not None:
            return await self._refuse(failure)
        await self._take_replacement(failed=failed)
        closing = self._manager.close(self._session, failed=failed, headers=own)
        headers = await self._or_refuse(closing)
        self._has_left = True
        return await self._send(_with_headers(message, headers))

    async def _or_refuse(self, saving: Awaitable[T]) -> T:
        """Await the save and return its result; if the store fails, send an error response.

        The application gets the error too, so that it does not run background tasks of a response
        that was never sent.
        """
        try:
            return await saving
        except SessionError as error:
            if error.status != SessionError.status:
                await self._refuse(error)
            raise

    async def _refuse(self, failure: SessionError) -> None:
        status, headers, body = refusal(failure)
        merge_headers(headers, await self._manager.close(self._session, failed=True))
        self._failure = failure
        await self._reply(status, headers, body)

    async def _answers(self, error: BaseException) -> bool:
        """Return whether the client got a response for the error; then the error is not raised."""
        if self._is_waiting:
            failure: SessionError | None = self._manager.failure(self._session)
            if isinstance(error, SessionError) and error.status != SessionError.status:
                failure = error
            if failure is None or not isinstance(error, Exception):
                await self._give_up()
                return False
            await self._refuse(failure)
        return self._failure is not None and is_due_to(error, self._failure)

    async def _end(self) -> None:
        """Finish the request after the application has returned."""
        if self._is_waiting:
            # The client closed the connection, and the application sent no response.
            await self._give_up()
        else:
            self._manager.report_late_changes(self._session)

    async def _reply(self, status: HTTPStatus, headers: Headers, body: bytes) -> None:
        """Send a complete response of the middleware itself."""
        body = b"" if self._scope["method"] == "HEAD" else body
        await _send_response(self._send, "http.response", (status, headers, body))

    async def _give_up(self) -> None:
        await self._take_replacement(failed=True)
        await self._manager.abandon(self._session)

    async def _take_replacement(self, *, failed: bool) -> None:
        """Take over a dict that a framework put into `scope["session"]`; None ends the session."""
        held, session = self._scope.get(SCOPE_KEY, self._session), self._session
        if held is session or session.closed:
            return
        if held is None or (isinstance(held, Enum) and held.name == "EMPTY"):
            session.destroy()
        elif not failed:
            if type(held) is not dict:
                raise SessionError(
                    f'scope["session"] was replaced by a {type(held).__name__}, which cannot be'
                    " saved. Fix: put a dict there, or None to end the session; and remove"
                    " other session middleware inside of SessionMiddleware"
                )
            await session.load()
            session.clear()
            session.update(held)
        self._scope[SCOPE_KEY] = session


class _WebSocket(_Request):
    """Serve a WebSocket; its session is saved at the handshake and at the end of the connection."""

    __slots__ = ("_is_open",)

    def __init__(self, manager: AsyncSessionManager, scope: Scope, send: Send) -> None:
        super().__init__(manager, scope, send)
        self._is_open = False

    def send(self, message: Message) -> Awaitable[None]:
        """Handle a message from the application."""
        if self._failure is not None:
            return _drop()
        if self._is_waiting:
            if message["type"] == "websocket.accept":
                return self._accept(message)
            if message["type"] == "websocket.close":
                return self._deny(message)
            if message["type"] == "websocket.http.response.start":
                return self._leave(message)
        return self._send(message)

    @property
    def _can_deny_with_headers(self) -> bool:
        return "websocket.http.response" in (self._scope.get("extensions") or {})

    async def _accept(self, message: Message) -> None:
        await self._take_replacement(failed=False)
        headers = await self._or_refuse(self._manager.handshake(self._session))
        self._has_left = self._is_open = True
        await self._send(_with_headers(message, headers))

    async def _deny(self, message: Message) -> None:
        """Close the session of a refused connection, and save its changes."""
        await self._take_replacement(failed=False)
        headers: Headers = []
        if self._can_deny_with_headers:
            headers = await self._or_refuse(self._manager.close(self._session))
        else:
            await self._or_refuse(self._manager.close_unanswered(self._session))
        self._has_left = True
        if headers:
            await self._reply(HTTPStatus.FORBIDDEN, [*headers, ("Content-Length", "0")], b"")
        else:
            await self._send(message)

    async def _end(self) -> None:
        if self._is_waiting:
            await self._give_up()
        elif self._is_open:
            await self._manager.close_unanswered(self._session)

    async def _answers(self, error: BaseException) -> bool:
        if self._is_open:
            await self._give_up()
        return await super()._answers(error)

    async def _reply(self, status: HTTPStatus, headers: Headers, body: bytes) -> None:
        if self._can_deny_with_headers:
            await _send_response(self._send, "websocket.http.response", (status, headers, body))
        else:
            await self._send({"type": "websocket.close", "code": 1013, "reason": status.phrase})


_KINDS: dict[str, type[_Request]] = {"http": _Request, "websocket": _WebSocket}


async def _send_response(send: Send, kind: str, answer: tuple[HTTPStatus, Headers, bytes]) -> None:
    status, headers, body = answer
    await send({"type": f"{kind}.start", "status": status.value, "headers": encoded(headers)})
    await send({"type": f"{kind}.body", "body": body})


def _shown(session: object) -> str:
    if session is None:
        return "no session, because no SessionMiddleware is around the application"
    return f"a session of another library, of type {type(session).__name__}"


async def _drop() -> None:
    """Send nothing, because the middleware has already sent its own response."""


def _with_headers(message: Message, added: Headers) -> Message:
    """Return the message, with the headers of the session added to those of the message."""
    if not added:
        return message
    headers = decoded(message.get("headers") or ())
    merge_headers(headers, added)
    return {**message, "headers": encoded(headers)}


# Type checkers do not see this function, because they would then accept every name.
if not TYPE_CHECKING:
    __getattr__ = refusing(__name__)
