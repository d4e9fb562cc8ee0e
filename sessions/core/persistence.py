"""Where a session lives, as seen by the drivers: what is asked next, and what the answer means.

A verb with one ask is a pair, `x_ask(state)` and `x_answer(state, answer)`. A verb with several is
a generator, which yields asks and is sent their answers. Neither calls a store: `driving` does.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Mapping
from datetime import timedelta
from enum import Enum, auto
from typing import Any, Final, TypeVar

from sessions.core.ids import Id
from sessions.core.state import Ask, Headers, State
from sessions.events import EventKind

T = TypeVar("T")

Flow = Generator[Ask, Any, T]
"""The asks of one verb, in order; a store that fails is thrown in as StoreUnavailable."""


class Several(Enum):
    """Say that a generator has more than one ask, or none that is known yet."""

    SEVERAL = auto()


SEVERAL: Final = Several.SEVERAL


class Persistence(ABC):
    """Decide everything about the sessions of one container."""

    opens_every_request: bool
    """Whether to open and close every request, also one that asks for no session."""
    revocable: bool = True
    """Whether a session that has ended is dead for who kept its token, too."""
    clock: Callable[[], float]
    """The present in epoch seconds."""

    # What happens in memory

    @abstractmethod
    def id_of(self, state: State) -> Id:
        """Return the id that the session has, or will have once it is stored."""

    @abstractmethod
    def token(self, state: State) -> str:
        """Return the text that stands for the session at the client."""

    @abstractmethod
    def go_on(self, state: State) -> None:
        """Learn that the headers have left, and that the session stays in use."""

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
        """Give the session an idle timeout of its own, or take it back."""

    @abstractmethod
    def destroy(self, state: State) -> None:
        """End with the next commit what the request's tokens name, and begin afresh."""

    @abstractmethod
    def user_id(self, state: State) -> str | None:
        """Return who is signed in, this request's own sign-in included."""

    @abstractmethod
    def idle_timeout(self, state: State) -> float:
        """Return the session's idle timeout in seconds."""

    @abstractmethod
    def expires_at(self, state: State) -> float:
        """Return when the session ends unless it is used again after this request."""

    # What asks the store

    @abstractmethod
    def load_ask(self, state: State) -> Ask | None:
        """Return the next ask before the session can be used, None once it can."""

    @abstractmethod
    def load_answer(self, state: State, answer: object) -> None:
        """Learn what the store said to the last `load_ask`."""

    @abstractmethod
    def save(self, state: State) -> Flow[None]:
        """Commit what is to be saved; raise SessionNotFound if the session has ended."""

    @abstractmethod
    def create(self, state: State) -> Flow[None]:
        """Store a new session, also an empty one."""

    @abstractmethod
    def reload(self, state: State) -> Flow[None]:
        """Read what others committed."""

    @abstractmethod
    def update(self, state: State, key: str, function: Callable[[Any], Any]) -> Flow[Any]:
        """Replace one value by what the function makes of it, atomically."""

    @abstractmethod
    def take(self, state: State, key: str, default: object) -> Flow[Any]:
        """Remove one value and return it, to one caller only."""

    @abstractmethod
    def close_ask(self, state: State, *, failed: bool) -> Ask | Several | None:
        """Return the one ask that ends the request, SEVERAL for `finish`, or None for no ask."""

    @abstractmethod
    def close_answer(self, state: State, ask: Ask, outcome: object) -> None:
        """Learn what the store said to `close_ask`."""

    @abstractmethod
    def finish(self, state: State, *, failed: bool) -> Flow[None]:
        """Store what a request has changed, at the end of the request."""

    @abstractmethod
    def give_up(self, state: State) -> Flow[None]:
        """Discard what was not saved; end what is to end all the same."""

    @abstractmethod
    def drop_unbearable(self, state: State) -> None:
        """Drop what a client could not learn of: a new session, and a new id."""

    @abstractmethod
    def headers(self, state: State) -> Headers:
        """Return the response headers that the session needs."""

    @abstractmethod
    def check(self, state: State) -> None:
        """Refuse what cannot be saved, without asking the store."""

    @abstractmethod
    def tell(self, events: tuple[tuple[EventKind, str], ...]) -> None:
        """Tell the listeners what happened."""
