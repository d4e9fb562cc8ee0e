"""Call the store of a session in the caller's thread.

Only `driving` and `async_driving` know whether a store is blocking or asynchronous. Both enforce
the store deadline of a request. If several threads or tasks use one session, their operations run
one after another.
"""

import logging
from abc import ABC, abstractmethod
from threading import get_ident
from time import monotonic
from typing import Any, TypeVar

from sessions.core.asks import verbs_of
from sessions.core.budget import NESTED, check_budget, keep_or_raise
from sessions.core.listening import Listening
from sessions.core.outside import CALL
from sessions.core.persistence import SEVERAL, Flow, Persistence
from sessions.core.state import Ask, Headers, State
from sessions.errors import SessionError, StoreUnavailable, UnreadableValue
from sessions.stores.base import AsyncStore, Store

T = TypeVar("T")

logger = logging.getLogger("sessions")


class Driver(ABC):
    """Run the operations of the sessions of one SessionContainer; the base class of all drivers."""

    keeps_faces: bool = False
    """Whether a state refers to its session object, because its class has lifecycle methods."""

    def __init__(
        self,
        sessions: Persistence,
        store: Store | AsyncStore | None,
        listening: Listening | None = None,
    ) -> None:
        self.sessions = sessions
        self.store = store
        self.listening = Listening() if listening is None else listening
        self.is_in_place = store is None or (isinstance(store, Store) and store.in_place)
        self._verbs = verbs_of(store)

    @abstractmethod
    def loaded(self, state: State) -> dict[str, Any]:
        """Return the values of the session; the first use of the session calls this method."""

    @abstractmethod
    def close_now(self, state: State, *, failed: bool) -> Headers | None:
        """Close the session and return the response headers; None if this needs a store call."""

    def _close_now(self, state: State, *, failed: bool) -> Headers | None:
        if state.headers is not None:
            return state.headers
        state.closed = True
        try:
            ask = self.sessions.close_ask(state, failed=failed)
        except BaseException:
            # The code that answers the error may still use the session.
            state.closed = False
            raise
        return self._headers(state) if ask is None else None

    def tell(self, state: State) -> None:
        """Send the new events to the listeners."""
        self.listening.tell(state.take_events())

    @abstractmethod
    def tell_soon(self, state: State) -> None:
        """Send the events now; if an operation of this request is running, send them at its end."""

    def _begin(self, state: State) -> None:
        """Begin a new store deadline after the headers were sent, for example on a WebSocket."""
        if state.headers_left:
            state.spent, state.failure = 0.0, None
            state.began_at = self.sessions.clock()

    def _headers(self, state: State) -> Headers:
        if state.headers is not None:
            # Another task of the request has closed the session in the meantime.
            return state.headers
        headers = state.headers = self.sessions.headers(state)
        # The head may refer to the session. Break this cycle, so that the session is freed soon.
        state.head = None
        return headers

    def _told_headers(self, state: State) -> Headers:
        headers = self._headers(state)
        if state.events:
            self.tell(state)
        return headers

    def _load_in_place(self, state: State) -> None:
        while (ask := self.sessions.load_ask(state)) is not None:
            try:
                answer = self._ask_in_place(state, ask)
            except StoreUnavailable as error:
                self.sessions.load_failure(state, error)
            else:
                self.sessions.load_answer(state, answer)

    def _ask_in_place(self, state: State, ask: Ask) -> Any:
        """Call the store in this thread."""
        if self.is_in_place:
            return self._ask_at_once(state, ask)
        return self._ask_in_time(state, ask)

    def _ask_at_once(self, state: State, ask: Ask) -> Any:
        """Call the store without measuring the time."""
        if state.failure is not None:
            check_budget(state)
        try:
            return self._verbs[ask[0]](*ask[1:])
        except UnreadableValue as error:
            return error
        except StoreUnavailable as error:
            state.note_failure(ask[0], error)
            raise

    def _ask_in_time(self, state: State, ask: Ask) -> Any:
        """Call the store in this thread, and count the time against the store deadline."""
        if state.spent or state.failure is not None:
            check_budget(state)
        began = monotonic()
        try:
            return self._ask_at_once(state, ask)
        finally:
            # Time in functions of the application does not count as time of the store.
            if state.is_bounded and ask[0] != CALL:
                state.spent += monotonic() - began

    def _run_in_place(self, state: State, flow: Flow[T]) -> T:
        """Run a flow: make each store call that the flow yields, and send back the answer."""
        try:
            ask = next(flow)
            while True:
                try:
                    answer = self._ask_in_place(state, ask)
                except StoreUnavailable as error:
                    ask = flow.throw(error)
                else:
                    ask = flow.send(answer)
        except StopIteration as done:
            result: T = done.value
            return result
        finally:
            flow.close()


class BlockingDriver(Driver):
    """Call a blocking store in the caller's thread."""

    def loaded(self, state: State) -> dict[str, Any]:
        """Return the values; the first access loads them."""
        if state.values is None:
            state.check_open()
            state.accessed = True
            self.load(state)
        return state.values if state.values is not None else {}

    def close_now(self, state: State, *, failed: bool) -> Headers | None:
        """Close the session and return the response headers; None if this needs a store call."""
        headers = self._close_now(state, failed=failed)
        if state.events:
            self.tell(state)
        return headers

    def tell_soon(self, state: State) -> None:
        """Send the events now; if an operation of this request is running, send them at its end."""
        if state.runner is None:
            self.tell(state)

    def load_unasked(self, state: State, *, failed: bool, goes_on: bool = False) -> None:
        """Do nothing; a subclass that calls `resume` loads an unused session here."""

    def load(self, state: State) -> None:
        """Load the session unless it is loaded."""
        try:
            with state.turn:
                self._load_in_place(state)
        finally:
            if state.events:
                self.tell(state)

    def run(self, state: State, flow: Flow[T]) -> T:
        """Run the flow of one operation, such as `increment`."""
        if state.runner == get_ident():
            raise SessionError(NESTED)
        self._begin(state)
        try:
            with state.turn:
                state.runner = get_ident()
                try:
                    return self._run_in_place(state, flow)
                finally:
                    state.runner = None
        finally:
            if state.events:
                self.tell(state)

    def close(self, state: State, *, failed: bool = False) -> Headers:
        """Commit the changes, or discard them if `failed` is True; return the response headers."""
        if state.headers is not None:
            return state.headers
        state.closed = True
        sessions = self.sessions
        try:
            # Another thread of the request may be in the middle of a commit.
            with state.turn:
                ask = sessions.close_ask(state, failed=failed)
                if isinstance(ask, tuple):
                    answer = self._ask_in_place(state, ask)
                    ask = None if sessions.close_answer(state, ask, answer) else SEVERAL
                if ask is not None:
                    self._run_in_place(state, sessions.finish(state, failed=failed))
        # Every error is raised again, or logged if the request has failed already.
        except BaseException as error:  # noqa: BLE001
            if state.events:
                self.tell(state)
            keep_or_raise(state, error, failed=failed)
        return self._told_headers(state)

    def abandon(self, state: State) -> None:
        """Close the session of a request whose response cannot be changed; log any error."""
        state.closed, state.head = True, None
        try:
            self.run(state, self.sessions.give_up(state))
        # The request has failed already. The caller must see its error, not this one.
        except Exception as error:
            logger.exception("no response was sent, and the session could not be closed: %s", error)
