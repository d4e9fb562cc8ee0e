"""Sessions that come from another system: the common code of stored and stateless sessions."""

from abc import abstractmethod
from collections.abc import Callable
from typing import Any, NamedTuple

from sessions.core.headers import Headers
from sessions.core.ids import Id
from sessions.core.legacy_cookies import LegacyCookie, LegacyCookies
from sessions.core.persistence import Flow
from sessions.core.state import Ask, State
from sessions.core.verbs import UNKNOWN, MemoryVerbs
from sessions.errors import StoreUnavailable


class Moving:
    """Run a generator that stores the session of another system; each step is one store call."""

    def __init__(self, flow: Flow[None]) -> None:
        self._flow = flow
        self.ask: Ask | None = next(flow, None)

    def answer(self, answer: object) -> None:
        """Continue the generator with the answer to the last store call."""
        self._go_on(lambda: self._flow.send(answer))

    def fail(self, error: StoreUnavailable) -> None:
        """Go on with the error of the last store call: raise the error inside the generator.

        If the generator does not handle the error, this method raises the error.
        """
        self._go_on(lambda: self._flow.throw(error))

    def _go_on(self, step: Callable[[], Ask]) -> None:
        try:
            self.ask = step()
        except StopIteration:
            self.ask = None


NO_COOKIES = LegacyCookies((), b"")


class Legacy(NamedTuple):
    """A valid legacy cookie of a request: its kind, its contents, and the id of its new session."""

    cookie: LegacyCookie
    content: Any
    id: Id | None


class MovingIn(MemoryVerbs):
    """Look for legacy cookies while a session loads, and clear them with the response."""

    calls_code = True

    # Loading

    def load_ask(self, state: State) -> Ask | None:
        if state.moving is None:
            ask = super().load_ask(state)  # type: ignore[safe-super]  # abstract only here
            if ask is not None or state.moving is None:
                return ask
        return None if state.values is not None else state.moving.ask

    def load_answer(self, state: State, answer: object) -> None:
        moving = state.moving
        if moving is None:
            super().load_answer(state, answer)  # type: ignore[safe-super]  # abstract only here
        elif state.values is None:
            self._go_on(state, lambda: moving.answer(answer))

    def load_failure(self, state: State, error: StoreUnavailable) -> None:
        moving = state.moving
        if moving is None:
            raise error
        self._go_on(state, lambda: moving.fail(error))

    def _go_on(self, state: State, step: Callable[[], None]) -> None:
        try:
            step()
        except BaseException:
            # The next load tries again.
            state.moving, state.ids, state.found = None, None, ()
            raise

    def begin_found(self, state: State) -> None:
        is_open = all(standing is UNKNOWN for _, standing, _ in state.found)
        if is_open and state.head is not None and not state.is_obstructed:
            legacies = self.legacies_of(state)
            if legacies and self.tokens.obstacle(state) is None:
                state.moving = Moving(self.move(state, legacies))
                return
        super().begin_found(state)

    def begin_anew(self, state: State) -> None:
        """Begin with a new session, without data of another system."""
        super().begin_found(state)

    @abstractmethod
    def move(self, state: State, legacies: list[Legacy]) -> Flow[None]:
        """Begin with the first session that a legacy cookie gives, or else with a new session."""

    def legacies_of(self, state: State) -> list[Legacy]:
        """Return the request's valid legacy cookies, and send an event for each invalid one."""
        found = []
        for cookie, texts in self._cookies.find(state.head.cookies):
            if len(texts) > 1:
                text = f"{len(texts)} different sessions in {cookie!r}"
                state.note("ambiguous", text, "ambiguous")
            elif not texts:
                text = f"none of the keys of {cookie!r} signed the cookie"
                state.note("rejected", text, "tampered")
            else:
                try:
                    content = cookie.content(texts[0])
                except ValueError as error:
                    text = f"the contents of {cookie!r} cannot be read: {error}"
                    state.note("rejected", text, "malformed")
                else:
                    found.append(Legacy(cookie, content, self._cookies.id_for(cookie, content)))
        return found

    @property
    def _cookies(self) -> LegacyCookies:
        return self.rules.legacy or NO_COOKIES

    # The end of a session

    def destroy(self, state: State) -> None:
        if state.values is None and state.head is not None:
            self.end_legacies_later(state)
        super().destroy(state)

    @abstractmethod
    def end_legacies_later(self, state: State) -> None:
        """Remember to end the sessions of the request's legacy cookies; load no session."""

    def headers(self, state: State) -> Headers:
        headers = super().headers(state)  # type: ignore[safe-super]  # abstract only here
        if not state.accessed or state.head is None:
            return headers
        # With our cookie, or after a logout, the old cookies have no use any more.
        if state.ended or len(headers) > len(self.tokens.vary):
            cleared = self._cookies.clearing(state.head)
            if cleared and ("Cache-Control", "no-store") not in headers:
                headers = [*headers, ("Cache-Control", "no-store")]
            headers = [*headers, *cleared]
        return headers
