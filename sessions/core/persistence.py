"""The interface between the drivers and the decisions about sessions.

An ask is a store call that the driver has to make. An operation with one ask has two methods,
`x_ask(state)` and `x_answer(state, answer)`. An operation with several asks is a generator (a
flow): it yields each ask, and the driver sends the answer back to the generator. These methods
never call a store, because the drivers in `driving` and `async_driving` do so.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Mapping
from datetime import timedelta
from enum import Enum, auto
from typing import Any, Final, TypeVar

from sessions.core.devices import Device
from sessions.core.ids import Id
from sessions.core.state import Ask, Headers, State
from sessions.core.tokens import Tokens
from sessions.errors import StoreUnavailable
from sessions.record import Record
from sessions.transports.url import Html

T = TypeVar("T")

Flow = Generator[Ask, Any, T]
"""The generator of one operation, which yields the store calls (asks) in order.

If the store fails, the driver throws StoreUnavailable into the generator.
"""


class Several(Enum):
    """What `close_ask` returns if the close has to run the generator `finish`."""

    SEVERAL = auto()


SEVERAL: Final = Several.SEVERAL


class Persistence(ABC):
    """Make all decisions about the sessions of one SessionContainer."""

    tokens: Tokens
    """Finds the ids in the tokens of a request."""
    opens_every_request: bool
    """Whether to open and close the session of every request, even if no code uses the session."""
    revocable: bool = True
    """Whether the token of an ended session stops working, even if a client kept a copy."""
    calls_code: bool = False
    """Whether a load can call functions of the application, which must not block an event loop."""
    loads_to_go_on: bool = False
    """Whether the handshake of a connection loads the session, because it cannot load later."""
    uses_links: bool = False
    """Whether `rewrite` and `hidden_input` put tokens into links and forms."""
    clock: Callable[[], float]
    """Return the time now in epoch seconds."""

    # Methods that work in memory

    @abstractmethod
    def id_of(self, state: State) -> Id:
        """Return the id that the session has, or will have when it is stored."""

    @abstractmethod
    def token(self, state: State) -> str:
        """Return the text that the client sends to identify the session."""

    @abstractmethod
    def cookie_headers(self, state: State, scheme: str) -> Headers:
        """Return the headers that give a client the session's cookie; this needs no request."""

    @abstractmethod
    def clearing_headers(self, scheme: str) -> Headers:
        """Return the headers that remove the cookie from a client; this needs no request."""

    @abstractmethod
    def go_on(self, state: State) -> None:
        """Mark the headers as sent; the session stays in use."""

    @abstractmethod
    def regenerate(self, state: State, grace: timedelta | None) -> None:
        """Give the session a new id with the next commit."""

    @abstractmethod
    def set_user(self, state: State, user_id: str, data: Mapping[str, Any]) -> None:
        """Sign a user in with the next commit."""

    @abstractmethod
    def clear_user(self, state: State) -> None:
        """Sign the user out with the next commit."""

    @abstractmethod
    def set_timeout(self, state: State, seconds: float | None) -> None:
        """Give the session its own idle timeout; None means the SessionContainer's timeout."""

    @abstractmethod
    def keep_expiry(self, state: State) -> None:
        """Mark the request as one that does not extend the session."""

    @abstractmethod
    def destroy(self, state: State) -> None:
        """End the sessions of the request's tokens at the next commit; begin a new session now."""

    @abstractmethod
    def user_id(self, state: State) -> str | None:
        """Return the id of the user who is signed in, even if this request signed the user in."""

    @abstractmethod
    def idle_timeout(self, state: State) -> float:
        """Return the session's idle timeout in seconds."""

    @abstractmethod
    def expires_at(self, state: State) -> float:
        """Return when the session ends, in epoch seconds, if no later request uses the session."""

    def rewrite(self, state: State, url: str) -> str:
        """Return the URL, with the token of the session if the client needs it in links."""
        return url

    def hidden_input(self, state: State) -> Html:
        """Return a form field with the token, or an empty text if the client needs none."""
        return Html()

    # Methods that call the store

    @abstractmethod
    def sessions_of(self, user_id: str) -> "Flow[list[tuple[str, Record]]]":
        """Return the live sessions of a user with their keys, the latest sign-in first."""

    @abstractmethod
    def device_in(self, key: str, record: Record) -> Device:
        """Return the device of a session, for the list of a user's sessions."""

    @abstractmethod
    def end_sessions_of(self, state: State, user_id: str, keep: str | None) -> "Flow[int | None]":
        """End a user's sessions, except the one with the key `keep`; return how many, if known."""

    @abstractmethod
    def end_session_of(self, state: State, user_id: str, handle: str) -> "Flow[bool]":
        """End one session of a user; return whether the user had this session."""

    @abstractmethod
    def load_ask(self, state: State) -> Ask | None:
        """Return the next store call that loading needs, or None if the session is loaded."""

    @abstractmethod
    def load_answer(self, state: State, answer: object) -> None:
        """Process the store's answer to the call that `load_ask` returned last."""

    def load_failure(self, state: State, error: StoreUnavailable) -> None:
        """Process the failure of the call that `load_ask` returned last.

        Go on with the load, or raise the error.
        """
        raise error

    def loading(self, state: State) -> Flow[None]:
        """Load the session, as a part of another operation."""
        while (ask := self.load_ask(state)) is not None:
            try:
                answer = yield ask
            except StoreUnavailable as error:
                self.load_failure(state, error)
            else:
                self.load_answer(state, answer)

    @abstractmethod
    def save(self, state: State) -> Flow[None]:
        """Commit the unsaved changes; raise SessionNotFound if the session has ended."""

    @abstractmethod
    def delete(self, state: State) -> Flow[bool]:
        """End the session now; return whether it was live until now."""

    @abstractmethod
    def create(self, state: State) -> Flow[None]:
        """Store a new session, even if it is empty."""

    @abstractmethod
    def reload(self, state: State) -> Flow[None]:
        """Load the session again, with what other requests committed."""

    @abstractmethod
    def update(self, state: State, key: str, function: Callable[[Any], Any]) -> Flow[Any]:
        """Replace one value by the result of the function, atomically."""

    @abstractmethod
    def take(self, state: State, key: str, default: object) -> Flow[Any]:
        """Remove one value and return it; of several concurrent requests, only one gets it."""

    @abstractmethod
    def opens_unasked(self, state: State) -> bool:
        """Return whether the settings open a session that the request itself has not used."""

    @abstractmethod
    def close_ask(self, state: State, *, failed: bool) -> Ask | Several | None:
        """Return the store call that the close needs, or None if the close needs no call.

        Return SEVERAL if the driver must run `finish`, which can make several calls.
        """

    @abstractmethod
    def close_answer(self, state: State, ask: Ask, outcome: object) -> bool:
        """Process the store's answer to `close_ask`; return False if `finish` must try again."""

    @abstractmethod
    def finish(self, state: State, *, failed: bool) -> Flow[None]:
        """Store the changes of a request at its end."""

    @abstractmethod
    def give_up(self, state: State) -> Flow[None]:
        """Discard the unsaved changes, except ends of sessions and a sign-out."""

    @abstractmethod
    def drop_unsendable(self, state: State) -> None:
        """Drop a new session or a new id, because the response cannot send a cookie."""

    @abstractmethod
    def headers(self, state: State) -> Headers:
        """Return the response headers that the session needs."""

    @abstractmethod
    def check(self, state: State) -> None:
        """Raise an error for changes that cannot be saved, such as too large ones.

        This method calls no store.
        """
