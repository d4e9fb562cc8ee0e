"""Open and close sessions, in a request or outside of requests."""

from collections.abc import Mapping
from typing import Any, Generic, TypeVar
from urllib.parse import unquote

from sessions.container import SessionContainer, checked_container, sessions_of, store_of
from sessions.core.bridging import BridgeDriver, running_loop
from sessions.core.face import SessionFace, face, state_of
from sessions.core.ids import Id
from sessions.core.legacy_cookies import refuse_coroutines
from sessions.core.lifecycle import async_driver, blocking_driver
from sessions.core.listening import AsyncListening, BlockingListening
from sessions.core.owned import Opening, OwnedState, checked_id, id_in, live, mapping_of
from sessions.core.state import Headers, State, Unsaved
from sessions.core.turn import Turn, reentrant_turn
from sessions.errors import ConfigurationError, SessionError, SessionNotFound
from sessions.events import logger
from sessions.session import AsyncSession, Session, mixed_kind
from sessions.stores.base import AsyncStore, wall_clock
from sessions.transports.base import RequestHead
from sessions.transports.cookie import CookieHead, header_text
from sessions.upkeep import AsyncUpkeep, Upkeep
from sessions.users import AsyncUserSessions, UserSessions

F = TypeVar("F", bound=SessionFace[Any])

_TOO_LATE = "changes came after the response headers, so they are lost: %s. Fix: make them earlier"


class Managing(Generic[F]):
    """The part of both managers that calls no store."""

    def __init__(self, container: SessionContainer, kind: type[F]) -> None:
        self.container = container
        self._store = store_of(container)
        if self._store is not None and container.clock is not wall_clock:
            self._store.clock = container.clock
        self._kind = kind
        self._clock = container.clock
        self._sessions = sessions_of(container)
        self.tokens = self._sessions.tokens

    @property
    def opens_every_request(self) -> bool:
        """Return whether every request needs `open` and `close`, even if it uses no session."""
        return self._sessions.opens_every_request

    def token(self, session: F) -> str:
        """Return the signed text that identifies the session at the client; it is a secret."""
        state = state_of(session)
        # Reading the id loads a blocking session. An asynchronous session must be loaded before.
        _ = session.id
        return self._sessions.token(state)

    def failure(self, session: F) -> SessionError | None:
        """Return the error of the store or of the token, if this request used the session.

        If there is an error, the middleware answers with the `status` of this error in place of a
        5xx response of the application.
        """
        state = state_of(session)
        failure = state.failure if state.accessed else None
        if isinstance(failure, SessionError) and failure.status != SessionError.status:
            return failure
        return None

    def check(self, session: F) -> None:
        """Check the changes without a store call; raise the error that `close` would raise."""
        state = state_of(session)
        if state.values is not None and not state.closed:
            self._sessions.check(state)

    def unsaved(self, session: F) -> Unsaved | None:
        """Return the unsaved changes, which `discard` can keep; None if there are no changes."""
        state = state_of(session)
        if state.values is None or state.closed:
            return None
        try:
            return state.unsaved()
        # A value that cannot be saved is not kept. The close of the session raises the error.
        except SessionError:
            return None

    def discard(self, session: F, *, keep: Unsaved | None = None) -> None:
        """Discard the unsaved changes, except `keep`, an earlier result of `unsaved`."""
        state = state_of(session)
        if state.values is not None and not state.closed:
            state.begin_as_loaded()
            if keep is not None and not (state.ended or state.gone):
                state.change_again(keep)

    def _answered(self, session: F, headers: Headers | None) -> State:
        """Store the response's headers, if given, in the state of a session; return the state."""
        state = state_of(session)
        if headers is not None:
            state.answer = headers
        return state

    def report_late_changes(self, session: F) -> None:
        """Log changes made to nested values after the close; such changes raise no error."""
        state = state_of(session)
        if state.values is None or state.gone or state.is_obstructed or state.is_past:
            return
        try:
            late = [*state.changes()[0]]
        except SessionError as error:
            late = [str(error)]
        if late:
            logger.error(_TOO_LATE, late)

    def _state_of_cookies(self, header: str | None, turn: Any) -> State:
        """Return the state for a Cookie header: prefer the cookie for https to the one for http."""
        secure = self._state_of_head(header_text(header), "https", turn)
        if secure.has_tokens:
            return secure
        plain = self._state_of_head(header or "", "http", turn)
        return plain if plain.has_tokens and not plain.is_obstructed else secure

    def _state_of_head(self, header: str, scheme: str, turn: Any) -> State:
        cookie = self.container.cookie
        head = CookieHead(header, unquote(cookie.path, "latin-1"), scheme, cookie.domain)
        state = OwnedState(head, self._clock(), turn)
        state.is_bounded, state.scheme = False, scheme
        self.tokens.identify(state)
        return state

    def _state(self, ids: tuple[Id, ...], turn: Any) -> State:
        """Return the state of a session outside of a request."""
        state = OwnedState(None, self._clock(), turn)
        state.ids, state.is_bounded = ids, False
        return state


class SessionManager(Managing[Session], UserSessions, Upkeep):
    """Open and close the sessions of one SessionContainer, for requests, jobs and admin pages."""

    def __init__(self, container: SessionContainer, *, face: type[Session] | None = None) -> None:
        store = store_of(checked_container(container, self))
        if isinstance(store, AsyncStore):
            raise ConfigurationError(
                f"SessionManager: {store!r} is an AsyncStore, which a blocking application cannot"
                " await. Fix: give the container a Store, or use AsyncSessionManager"
            )
        refuse_coroutines(container.legacy_cookies)
        kind = mixed_kind(face, container.session_class, Session)
        super().__init__(container, kind)
        self._blocking_store, listening = store, BlockingListening(container.listeners)
        self._driver = blocking_driver(self._sessions, store, listening, kind)

    # In a request

    def open(self, head: RequestHead) -> Session:
        """Return the request's session; nothing is read before code uses the session."""
        return face(self._kind, State(head, self._clock(), reentrant_turn()), self._driver)

    def close_now(
        self, session: Session, *, failed: bool = False, headers: Headers | None = None
    ) -> Headers | None:
        """Close the session and return the response headers; None if this needs a store call."""
        return self._driver.close_now(self._answered(session, headers), failed=failed)

    def close(
        self, session: Session, *, failed: bool = False, headers: Headers | None = None
    ) -> Headers:
        """Commit the changes and return the response headers that the session needs.

        `headers` are the headers of the response. If they allow a shared cache to keep the
        response, no cookie is renewed. With `failed` (a 5xx or an unhandled exception), unsaved
        changes are discarded. If the commit fails, `close` raises SessionError: answer with its
        `status`, and with the headers from a second `close(session, failed=True)`. After a
        successful close, a call returns the same headers again.
        """
        return self._driver.close(self._answered(session, headers), failed=failed)

    def handshake(self, session: Session) -> Headers:
        """Commit, and return the headers for a connection that continues, such as a WebSocket.

        The session stays usable. Later, its id cannot change, and a new session cannot be stored,
        because the connection sends no more headers.
        """
        state = state_of(session)
        self._driver.load_unasked(state, failed=False, goes_on=True)
        if self._sessions.close_ask(state, failed=False) is not None:
            self._driver.run(state, self._sessions.finish(state, failed=False))
        self._sessions.go_on(state)
        return self._sessions.headers(state)

    def close_unanswered(self, session: Session, *, failed: bool = False) -> None:
        """Close a session whose client can receive no more headers.

        The changes of a stored session are committed. A new session or a new id is dropped, because
        no response can send its cookie.
        """
        if not failed:
            self._sessions.drop_unsendable(state_of(session))
        self._driver.close(state_of(session), failed=failed)

    def abandon(self, session: Session) -> None:
        """Close the session of a request without a response; discard the unsaved changes.

        A `destroy()` still takes effect. No error is raised.
        """
        self._driver.abandon(state_of(session))

    # Without a request

    def create(self, data: Mapping[str, Any] | None = None) -> Session:
        """Store a new session with the data and return it; `close` it after further changes."""
        session = face(self._kind, self._state((), reentrant_turn()), self._driver)
        # This sets the start of the session to now, even if there is no data.
        session.load()
        state = state_of(session)
        try:
            session.update(mapping_of(data))
            self._driver.run(state, self._sessions.create(state))
        except BaseException:
            # The caller gets no session to close, so the session is closed here.
            state.closed = True
            raise
        return session

    def get(self, id: str) -> Session:
        """Return the session with the id; `close` it after changes, or use it in a `with`.

        Raises SessionNotFound, or SessionExpired if the store still has the expired session.
        """
        return self._live(checked_id(id, self.container.store), self._store)

    def from_token(self, token: str | None) -> Session | None:
        """Return the live session of a signed token, or None if there is no such session."""
        id = self.tokens.read(token) if isinstance(token, str) else None
        try:
            return None if id is None else self._live(id)
        except SessionNotFound:
            return None

    def from_cookie(self, header: str | None) -> Session | None:
        """Return the live session of a raw Cookie header, or None if there is no such session.

        The header can come from a WebSocket handshake. Pass None if the request has no such header.
        """
        state = self._state_of_cookies(header, reentrant_turn())
        session = face(self._kind, state, self._driver)
        session.load()
        return session if state.record is not None else None

    def delete(self, id: str) -> bool:
        """End the session that has or had this id; return whether there was a live session."""
        known, state = id_in(id, self.container.store), self._state((), reentrant_turn())
        return known is not None and self._driver.run(state, self._sessions.end_one(state, known))

    def close_all(self) -> None:
        """Close the connections and files of the store."""
        if self._blocking_store is not None:
            self._blocking_store.close()

    def _live(self, id: Id, store: object = None) -> Session:
        state = self._state((id,), reentrant_turn())
        self._driver.run(state, live(self._sessions, state, store))
        return face(self._kind, state, self._driver)


class AsyncSessionManager(Managing[AsyncSession], AsyncUserSessions, AsyncUpkeep):
    """Open and close the sessions of one SessionContainer on an event loop, with any store."""

    def __init__(
        self, container: SessionContainer, *, face: type[AsyncSession] | None = None
    ) -> None:
        super().__init__(
            container,
            mixed_kind(face, checked_container(container, self).async_session_class, AsyncSession),
        )
        listening = AsyncListening(container.listeners)
        self._driver = async_driver(self._sessions, self._store, listening, self._kind)

    # In a request

    def open(self, head: RequestHead) -> AsyncSession:
        """Return the request's session; nothing is read before the session is loaded."""
        return face(self._kind, State(head, self._clock(), Turn()), self._driver)

    def preload_now(self, session: AsyncSession) -> bool:
        """Load the session if that needs no waiting; return whether it is loaded.

        This call does not count as a use of the session. If the store fails, the first use of the
        session raises the error.
        """
        state = state_of(session)
        try:
            return self._driver.load_now(state)
        # An error of the store matters only if code uses the session, so the first use raises it.
        except Exception as error:  # noqa: BLE001
            state.failure = error
            return True

    async def preload(self, session: AsyncSession) -> None:
        """Load the session, as `preload_now` does, but also wait for the store."""
        state = state_of(session)
        try:
            await self._driver.load(state)
        # An error of the store matters only if code uses the session, so the first use raises it.
        except Exception as error:  # noqa: BLE001
            state.failure = error

    def close_now(
        self, session: AsyncSession, *, failed: bool = False, headers: Headers | None = None
    ) -> Headers | None:
        """Close the session and return the response headers; None if this needs an `await`."""
        return self._driver.close_now(self._answered(session, headers), failed=failed)

    async def close(
        self, session: AsyncSession, *, failed: bool = False, headers: Headers | None = None
    ) -> Headers:
        """Commit the changes and return the response headers, as `SessionManager.close` does.

        If the caller is cancelled, the stored session is either unchanged or completely committed.
        """
        return await self._driver.close(self._answered(session, headers), failed=failed)

    async def handshake(self, session: AsyncSession) -> Headers:
        """Commit, and return the headers for a connection that continues, such as a WebSocket."""
        state = state_of(session)
        await self._driver.load_unasked(state, failed=False, goes_on=True)
        if self._sessions.close_ask(state, failed=False) is not None:
            await self._driver.run(state, self._sessions.finish(state, failed=False))
        self._sessions.go_on(state)
        return self._sessions.headers(state)

    async def close_unanswered(self, session: AsyncSession, *, failed: bool = False) -> None:
        """Close a session whose client can receive no more headers, as `SessionManager` does."""
        if not failed:
            self._sessions.drop_unsendable(state_of(session))
        await self._driver.close(state_of(session), failed=failed)

    async def abandon(self, session: AsyncSession) -> None:
        """Close the session of a request without a response; discard the unsaved changes."""
        await self._driver.abandon(state_of(session))

    def face(self, session: AsyncSession, kind: type[F]) -> F:
        """Return a blocking `Session` object for this session, for functions that run in threads.

        Call it on the event loop of the request.
        """
        if issubclass(kind, AsyncSession):
            return face(kind, state_of(session), self._driver)
        return face(kind, state_of(session), BridgeDriver(self._driver, running_loop()))

    # Without a request

    async def create(self, data: Mapping[str, Any] | None = None) -> AsyncSession:
        """Store a new session with the data and return it; `close` it after further changes."""
        session = face(self._kind, self._state((), Turn()), self._driver)
        await session.load()
        state = state_of(session)
        try:
            session.update(mapping_of(data))
            await self._driver.run(state, self._sessions.create(state))
        except BaseException:
            # The caller gets no session to close, so the session is closed here.
            state.closed = True
            raise
        return session

    def get(self, id: str) -> "Opening[AsyncSession]":
        """Return the session with the id: `await` it, or use it in an `async with`.

        Raises SessionNotFound, or SessionExpired if the store still has the expired session.
        """
        return Opening(self._live(checked_id(id, self.container.store), self._store))

    async def from_token(self, token: str | None) -> AsyncSession | None:
        """Return the live session of a signed token, or None if there is no such session."""
        id = self.tokens.read(token) if isinstance(token, str) else None
        try:
            return None if id is None else await self._live(id)
        except SessionNotFound:
            return None

    async def from_cookie(self, header: str | None) -> AsyncSession | None:
        """Return the live session of a raw Cookie header, or None if there is no such session."""
        session = face(self._kind, self._state_of_cookies(header, Turn()), self._driver)
        await session.load()
        return session if state_of(session).record is not None else None

    async def delete(self, id: str) -> bool:
        """End the session that has or had this id; return whether there was a live session."""
        known, state = id_in(id, self.container.store), self._state((), Turn())
        if known is None:
            return False
        return await self._driver.run(state, self._sessions.end_one(state, known))

    async def aclose(self) -> None:
        """Wait for running commits, and close the connections and files of the store."""
        await self._driver.aclose()

    async def _live(self, id: Id, store: object = None) -> AsyncSession:
        state = self._state((id,), Turn())
        await self._driver.run(state, live(self._sessions, state, store))
        return face(self._kind, state, self._driver)
