"""Find the session tokens of a request, and send tokens to the client, over the transports."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from itertools import count

from sessions.core.closed import HEADERS_LEFT
from sessions.core.ids import Id, new_id
from sessions.core.limits import FOREIGN_TOKENS, LONGEST_REMEMBERED_HEADER, REMEMBERED_TOKENS
from sessions.core.links import links_of
from sessions.core.locks import lock_across_forks
from sessions.core.signing import LONGEST_TOKEN, IdSigner, is_well_formed
from sessions.core.standing import Standing
from sessions.core.state import Headers, State
from sessions.core.taking import Taker
from sessions.errors import MalformedToken, SessionClosed, SessionError
from sessions.events import logger
from sessions.transports.base import Obstacle, RequestHead, Transport
from sessions.transports.cookie import CookieHead, CookieTransport

_FOREIGN = (
    "requests bring session tokens that none of this container's keys signed, so their users have"
    " no session. Fix: give all workers the same keys, with SessionContainer(keys=[...]) or"
    " SESSION_KEYS. After a change of keys, keep the old key behind the new key for as long as"
    " sessions live"
)

_drawing = lock_across_forks()


class Tokens(ABC):
    """Find the ids of a request, and send the new token over the same transport."""

    def __init__(self, transports: Sequence[Transport]) -> None:
        self.transports = tuple(transports)
        self._first = self.transports[0]
        # A counter from 1; next() is atomic.
        self._foreign = count(1)
        self._remembered: Callable[[str, str], tuple[Id, ...]] | None = None
        self.vary = tuple(("Vary", one.vary) for one in self.transports if one.vary)
        """The Vary headers of each response that depends on the session."""
        self.cookies = [one for one in self.transports if isinstance(one, CookieTransport)]
        """The transports of the container that send cookies."""
        self.links = links_of(self.transports)
        """Decides about tokens in links; None without a `URLTransport`."""
        url = None if self.links is None else self.links.url
        self.taker = None if url is None else Taker(url.parameter, url.form_limit)
        """Takes the tokens out of queries and forms, before the application reads them."""
        ages = [transport.age for transport in self.transports if transport.age is not None]
        self.age = min(ages) if ages else None
        """Seconds after which a client forgets its token, or None if it keeps the token."""

    @abstractmethod
    def token(self, id: Id) -> str:
        """Return the token of an id."""

    @abstractmethod
    def read(self, token: str) -> Id | None:
        """Return the id in a token, or None if no key of the container made the token."""

    def identify(self, state: State) -> tuple[Id, ...]:
        """Return the ids in the request's valid tokens, each id once."""
        if state.ids is None:
            state.ids = self._find(state, state.head) if state.head is not None else ()
        return state.ids

    def headers(self, state: State, max_age: int | None) -> Headers:
        """Return the headers that give the client a new token, or clear its token.

        `max_age` is in seconds. It is None unless the session has a timeout of its own.
        """
        if not state.accessed or state.head is None:
            return []
        headers = [*self.vary]
        # A client with an earlier id in grace got its new cookie in another response.
        sends = state.cookie_is_due and not state.gone and state.standing is not Standing.GRACE
        # A session that goes on keeps its cookie, even if this request ended other sessions.
        clears = state.clear_is_due and (state.record is None or state.gone)
        if not (sends or clears):
            return headers
        transports = self.sending_transports(state)
        if _obstacle_of(transports, state.head) is not None:
            return headers
        if sends and state.record is not None and state.id is not None:
            token = state.token or self.token(state.id)
            for transport in transports:
                headers += transport.send(state.head, token, max_age)
        elif clears:
            for transport in self._transports_used(state):
                headers += transport.clear(state.head)
        return headers

    def cookie_transport(self) -> CookieTransport:
        """Return the transport that sends cookies; raise SessionError if there is none."""
        for transport in self.cookies:
            return transport
        raise SessionError(
            "the container has no CookieTransport, so its sessions have no cookie. Fix: send"
            " manager.token(session) to the client in another way"
        )

    def obstacle(self, state: State) -> Obstacle | None:
        """Return why the client of this request cannot have a session; None if the client can."""
        if state.head is None:
            return None
        return _obstacle_of(self.sending_transports(state), state.head)

    def renews(self, state: State) -> bool:
        """Return whether the client keeps each new id that it gets, as browsers keep cookies."""
        if state.head is None or self.obstacle(state) is not None:
            return False
        used = self._transports_used(state)
        return all(transport.sent_by_browsers and not transport.in_links for transport in used)

    def can_be_sent(self, state: State) -> bool:
        """Return whether the response can send the token of a new session to the client."""
        if state.headers_left:
            raise SessionClosed(HEADERS_LEFT)
        obstacle = self.obstacle(state)
        if obstacle is not None:
            state.note_obstacle(obstacle)
        return obstacle is None

    def sending_transports(self, state: State) -> list[Transport]:
        """Return the transports over which the client receives a new token.

        These are the transports over which the client sent its present token. If it sent no
        token, the list has only one transport: `state.transport` if this is set, else the first
        transport whose `obstacle` returns None, else the first transport of the container.
        """
        id = state.id
        if state.brought and id is not None:
            # regenerate() changes the text of the id, but not its key.
            own = [
                transport for transport, ids in state.brought if any(i.key == id.key for i in ids)
            ]
            if own:
                return self._with_headers(state, own)
        if state.transport is not None:
            return self._with_headers(state, [state.transport])
        if len(self.transports) == 1:
            return [self._first]
        free = (one for one in self.transports if one.obstacle(state.head) is None)
        return [next(free, self._first)]

    def _with_headers(self, state: State, transports: list[Transport]) -> list[Transport]:
        """If the token would go only into links, add the first transport that sends headers."""
        if self.links is None or not all(transport.in_links for transport in transports):
            return transports
        others = (one for one in self.transports if not one.in_links)
        return [one for one in others if one.obstacle(state.head) is None][:1] + transports

    def is_sent_by_browsers(self, state: State) -> bool:
        """Return whether another site can make a browser send the tokens of this request."""
        return self._has_ids(state) and not self.is_sent_by_programs(state)

    def is_sent_by_programs(self, state: State) -> bool:
        """Return whether the session came in a way that a browser never uses by itself.

        Only a program or a script of this site can make such a request. If the session is not
        loaded, each id of the request must have come in this way.
        """
        if not self._has_ids(state):
            return False
        if not state.brought:
            return not (state.transport or self._first).sent_by_browsers
        own = state.id if state.record is not None else None
        ids = self.identify(state) if own is None else (own,)
        by_programs = {
            id.text
            for transport, brought in state.brought
            if not transport.sent_by_browsers
            for id in brought
        }
        return all(id.text in by_programs for id in ids)

    def _has_ids(self, state: State) -> bool:
        try:
            return bool(self.identify(state))
        except MalformedToken:
            return False

    def _transports_used(self, state: State) -> list[Transport]:
        """Return the transports that brought tokens in this request.

        If no transport brought a token, return the first transport.
        """
        if state.brought:
            return [transport for transport, _ in state.brought]
        return [state.transport or self._first]

    def _find(self, state: State, head: RequestHead) -> tuple[Id, ...]:
        remembered = self._remembered
        if remembered is not None and len(head.cookies) <= LONGEST_REMEMBERED_HEADER:
            ids = remembered(head.cookies, head.scheme)
            if ids:
                state.transport = self._first
                return ids
        return self._look(state, head)

    def _look(self, state: State, head: RequestHead) -> tuple[Id, ...]:
        """Read every transport, and return the different ids in all transports."""
        brought: list[tuple[Transport, tuple[Id, ...]]] = []
        obstacle = None
        for transport in self.transports:
            tokens = transport.read(head)
            if not tokens:
                continue
            state.transport = state.transport or transport
            if transport.has_obstacles or not tokens[0]:
                present = transport.obstacle(head)
                if present is not None:
                    obstacle = obstacle or present
                    continue
            ids = self._signed(tokens)
            if ids:
                brought.append((transport, ids))
            else:
                self._reject(state, transport, tokens)
        if obstacle is not None and not brought:
            state.note_obstacle(obstacle)
        return self._brought(state, brought)

    def _brought(
        self, state: State, brought: list[tuple[Transport, tuple[Id, ...]]]
    ) -> tuple[Id, ...]:
        if not brought:
            return ()
        state.transport, ids = brought[0]
        if len(self.transports) > 1:
            state.brought = tuple(brought)
        return ids if len(brought) == 1 else self._distinct([i for _, ids in brought for i in ids])

    def _reject(self, state: State, transport: Transport, tokens: list[str]) -> None:
        """Add the event `rejected`; raise MalformedToken if the transport has a `challenge`."""
        is_well_formed = any(map(self._is_well_formed, tokens))
        if transport.challenge is not None and not is_well_formed:
            if state.failure is None:
                text = "the text in place of a token is malformed"
                state.note("rejected", text, "malformed")
                state.failure = MalformedToken(
                    f"the request has a text that cannot be a token of {transport!r}. Fix: let the"
                    " client send the token exactly as it received the token",
                    transport.challenge,
                )
            raise state.failure
        text = f"{len(tokens)} tokens in the request, but none has a valid signature"
        state.note("rejected", text, "tampered" if is_well_formed else "malformed")
        if is_well_formed and next(self._foreign) == FOREIGN_TOKENS:
            logger.warning(_FOREIGN)

    def _is_well_formed(self, token: str) -> bool:
        """Return whether a text has the form of a token; the signature is not verified."""
        return bool(token)

    def _signed(self, tokens: list[str]) -> tuple[Id, ...]:
        """Return the ids of the valid tokens, each once, in the order of the request."""
        if len(tokens) == 1:
            only = self.read(tokens[0])
            return () if only is None else (only,)
        return self._distinct([id for id in map(self.read, tokens) if id is not None])

    def _distinct(self, ids: Iterable[Id]) -> tuple[Id, ...]:
        """Return each id once, in the order of the request."""
        return tuple({id.text: id for id in ids}.values())


class SignedIds(Tokens):
    """Find the ids of stored sessions; a token is an id and its signature."""

    def __init__(self, signer: IdSigner, transports: Sequence[Transport]) -> None:
        super().__init__(transports)
        self._signer = signer
        # A browser sends the same cookies in each request, so the last results are kept in a cache.
        reads_cookies_alone = type(self._first) is CookieTransport and not self._first.has_obstacles
        if len(self.transports) == 1 and reads_cookies_alone:
            self._remembered = lru_cache(REMEMBERED_TOKENS)(self._read_cookies)
        # A browser soon sends a new token back, and this process need not verify its own signature.
        self._made: dict[str, Id] = {}

    def token(self, id: Id) -> str:
        """Return the token of an id, signed with the newest key."""
        token = self._signer.sign(id.text)
        made = self._made
        if len(made) >= REMEMBERED_TOKENS:
            # The tokens in the old dict are verified like all others.
            made = self._made = {}
        made[token] = id
        return token

    def read(self, token: str) -> Id | None:
        """Return the id in a token, or None if no key of the container signed it."""
        if len(token) > LONGEST_TOKEN:
            return None
        return self._made.get(token) or self._signer.unsign(token)

    def _read_cookies(self, cookies: str, scheme: str) -> tuple[Id, ...]:
        """Return the ids in a Cookie header; the result depends on nothing else of the request."""
        return self._signed(self._first.read(CookieHead(cookies, "/", scheme, None)))

    def _is_well_formed(self, token: str) -> bool:
        return is_well_formed(token)


def _obstacle_of(transports: Iterable[Transport], head: RequestHead) -> Obstacle | None:
    """Return what prevents all transports from sending a token; None if one can send it."""
    obstacle = None
    for transport in transports:
        obstacle = transport.obstacle(head)
        if obstacle is None:
            break
    return obstacle


def id_of(state: State, gen_id: Callable[[], str]) -> Id:
    """Return the id that the session has, or will have after its next commit."""
    id = state.pending.next_id or state.id
    if id is None:
        # Two threads of one request must not draw two ids.
        with _drawing:
            id = state.id = state.id or new_id(gen_id)
    return id
