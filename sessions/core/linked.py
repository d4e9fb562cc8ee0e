"""Sessions that can put their token into links and forms, because there is a `URLTransport`."""

from typing import Any, TypeVar, cast

from sessions.core.links import Links, came_in_links, is_given
from sessions.core.standing import Standing
from sessions.core.state import Headers, State
from sessions.core.stored import StoredSessions
from sessions.core.tokens import Tokens
from sessions.core.verbs import STORES_NOTHING, Rules
from sessions.transports.url import Html

S = TypeVar("S", bound=StoredSessions)


class LinkedSessions(StoredSessions):
    """Put the token of a session into links and forms, if the client has no cookie."""

    uses_links = True

    def __init__(self, rules: Rules, tokens: Tokens, *more: Any) -> None:
        super().__init__(rules, tokens, *more)
        if tokens.links is None:
            raise TypeError("LinkedSessions needs tokens with a URLTransport")
        self._links = tokens.links
        # Even a page that does not use its session can have a URL with a token to protect.
        self.opens_every_request = True

    def load_answer(self, state: State, answer: object) -> None:
        ids, number = state.ids or (), len(state.found)
        is_found = state.values is None and number < len(ids)
        if is_found and self._links.refuses(state, ids[number], answer):
            state.note("rejected", "the session of a signed-in user came in a URL", "in_url")
            state.is_rejected = True
            answer = None
        super().load_answer(state, answer)

    def headers(self, state: State) -> Headers:
        if not state.accessed:
            return self._links.protection(state.head)
        if self._links.moves(state):
            state.cookie_is_due = True
        elif state.cookie_is_due and came_in_links(state) and is_given(state):
            state.cookie_is_due = False
        # Decide about the links now, because the driver drops the head afterwards.
        headers = self._links.headers(state)
        return super().headers(state) + headers

    def rewrite(self, state: State, url: str) -> str:
        token = self._token_for_links(state)
        if token is None:
            return url
        return self._links.url.rewritten(url, token, self._links.place(state).origin)

    def hidden_input(self, state: State) -> Html:
        token = self._token_for_links(state)
        return Html() if token is None else self._links.url.hidden_input(token)

    def _token_for_links(self, state: State) -> str | None:
        """Return the token for the links of this response, or None if the links need no token."""
        if not self._links.place(state).carries:
            return None
        state.asks_for_cookies = True
        if state.gone or (self._links.url.refuse_users and self.user_id(state) is not None):
            return None
        if state.record is None and not self._will_be_stored(state):
            return None
        if state.standing is Standing.GRACE and state.id is not None:
            return self.tokens.token(state.id)
        return self.tokens.token(self.id_of(state))

    def _will_be_stored(self, state: State) -> bool:
        """Return whether the end of the request will store a new session."""
        is_wanted = self.rules.save_uninitialized and not state.ended
        return state.standing not in STORES_NOTHING and (is_wanted or state.has_changes())


def linked(kind: type[S], links: Links | None) -> type[S]:
    """Return the class of sessions; with `links`, a subclass that puts tokens into links."""
    if links is None:
        return kind
    return cast("type[S]", type(f"Linked{kind.__name__}", (LinkedSessions, kind), {}))
