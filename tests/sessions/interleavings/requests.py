"""A request, step by step: its next question depends only on the replies that it got."""

from collections.abc import Generator, Iterator
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from typing import Any, NamedTuple

from sessions.core.ids import Id
from sessions.core.persistence import SEVERAL, Flow
from sessions.core.standing import Standing
from sessions.core.state import Ask, Headers, State
from sessions.errors import SessionError, StoreUnavailable
from sessions.record import Ended, Outcome, Record
from sessions.stores.base import REMEMBERED_FOR
from tests.sessions.interleavings.core import NAME, Core
from tests.sessions.interleavings.facts import id_of, worth_of
from tests.sessions.interleavings.kinds import Handling, Kind, Manage

SERVED = 200
NOBODY = 0
"""The status of an answer that never leaves."""


class Loss(Enum):
    """Stand for a reply of the store that was lost."""

    LOST = "lost"


LOST = Loss.LOST


class Told(NamedTuple):
    """Hold one thing that a request learned, and when: its cookie, or a reply of the store."""

    at: float
    what: Any


class Answer(NamedTuple):
    """Hold what leaves at the end of a request.

    `cookie` is the token that the browser is given, empty if it is to forget it, None for neither.
    """

    status: int
    cookie: str | None
    gone: bool
    events: tuple[str, ...]
    result: Any


@dataclass(frozen=True, eq=False)
class Sent:
    """Hold one request of a scenario, before it begins."""

    kind: Kind
    number: int
    is_attack: bool = False

    @cached_property
    def own(self) -> str:
        """Return the text that only this request writes, and that its ids begin with."""
        return f"r{self.number}"

    @cached_property
    def values(self) -> dict[str, bytes]:
        """Return the encoded values that the request stores."""
        return self.kind.own_values(self.own)

    @cached_property
    def kept_values(self) -> dict[str, bytes]:
        """Return the values that the request stores and no other request overwrites."""
        return {key: value for key, value in self.values.items() if self.own in key}

    @property
    def name(self) -> str:
        """Return the name of the request in a schedule."""
        return f"{self.own} ({self.kind.name}{', an attack' if self.is_attack else ''})"


@dataclass(frozen=True)
class Head:
    """Be the head of a request with one token, or with none."""

    token: str | None
    scheme: str = "http"
    path: str = "/"
    query: str = ""
    client: str | None = None

    @property
    def cookies(self) -> str:
        """Return the Cookie header."""
        return "" if self.token is None else f"{NAME}={self.token}"

    def header(self, name: str) -> str | None:
        """Return the header's value."""
        return self.cookies if name.lower() == "cookie" else None


class Position:
    """Hold how far a request has come: what it asks next, or what it has answered.

    A generator cannot be copied, so each position runs its request anew from the beginning; what
    comes next is found once and remembered.
    """

    def __init__(self, core: Core, sent: Sent, told: tuple[Told, ...] = ()) -> None:
        self.core, self.sent, self.told = core, sent, told
        self.ask: Ask | None = None
        self.answer: Answer | None = None
        self.asked: tuple[Ask, ...] = ()
        self.drawn: frozenset[Id] = frozenset()
        self._next: dict[tuple[float, str | int], Position] = {}
        if told:
            self._run()

    @property
    def kind(self) -> Kind:
        """Return what the request does."""
        return self.sent.kind

    @property
    def has_begun(self) -> bool:
        """Return whether the request was received."""
        return bool(self.told)

    @property
    def is_served(self) -> bool:
        """Return whether the request was answered with success."""
        return self.answer is not None and self.answer.status == SERVED

    @property
    def has_ended(self) -> bool:
        """Return whether a logout or a sign-out was carried out and acknowledged."""
        fails_by_itself = self.kind.fails and self.answer is not None and not self.lost_a_reply
        return self.is_served or fails_by_itself

    @cached_property
    def sent_id(self) -> Id | None:
        """Return the id that the request sends in its cookie, once it has begun."""
        return id_of(self.told[0].what) if self.told else None

    @cached_property
    def replies(self) -> list[tuple[Ask, Any]]:
        """Return the calls to the store until now, with their replies."""
        return [(ask, told.what) for ask, told in zip(self.asked, self.told[1:], strict=True)]

    @cached_property
    def standing(self) -> Standing | None:
        """Return what the token could do when it was looked up; None if this is not known."""
        return _standing(self)

    @cached_property
    def was_stored(self) -> bool:
        """Return whether the store acknowledged a write."""
        return any(
            (ask[0] == "create" and reply is True) or reply is Outcome.APPLIED
            for ask, reply in self.replies
        )

    @cached_property
    def ended_one(self) -> bool:
        """Return whether the store acknowledged the end of a session."""
        return any(ask[0] == "delete" and reply is True for ask, reply in self.replies)

    @cached_property
    def lost_a_reply(self) -> bool:
        """Return whether a reply of the store was lost."""
        return any(reply is LOST for _, reply in self.replies)

    def after(self, told: Told) -> "Position":
        """Return the position after this reply."""
        # Equal replies of one exploration's store are one object.
        name = (told.at, told.what if isinstance(told.what, str) else id(told.what))
        found = self._next.get(name)
        if found is None:
            found = self._next[name] = Position(self.core, self.sent, (*self.told, told))
        return found

    def _run(self) -> None:
        first, *replies = self.told
        self.core.begin(self.sent.own, first.at)
        state = State(Head(first.what), first.at, None)
        serving = _serve(self.core, self.sent, state)
        try:
            ask = next(serving)
            for reply in replies:
                self.asked = (*self.asked, ask)
                self.core.clock.set(reply.at)
                ask = _tell(serving, state, reply.what)
            self.ask = ask
        except StopIteration as done:
            self.answer = done.value
        self.drawn = frozenset(_drawn(self.asked))


def _standing(position: Position) -> Standing | None:
    if position.sent_id is None:
        return Standing.FRESH
    if not position.replies or position.replies[0][0][0] != "load":
        return None
    found = position.replies[0][1]
    if isinstance(found, Record):
        worth = worth_of(position.sent_id, found, position.told[1].at)
        changed_at = found.secret_since
    elif isinstance(found, Ended):
        worth, changed_at = None, found.at
    else:
        return Standing.UNKNOWN if found is None else None
    if worth is not None:
        return worth
    is_past = changed_at > position.told[0].at - REMEMBERED_FOR
    return Standing.PAST if is_past else Standing.UNKNOWN


def _drawn(asked: tuple[Ask, ...]) -> Iterator[Id]:
    """Yield what a store knows about the ids that these calls created."""
    for verb, key, *arguments in asked:
        if verb == "create":
            yield Id("", key, arguments[0].secret)
        elif verb == "commit" and arguments[0].new_secret is not None:
            yield Id("", key, arguments[0].new_secret)


def _tell(serving: Generator[Ask, Any, Answer], state: State, reply: Any) -> Ask:
    """Do what a driver does with a reply, or with a lost reply."""
    if reply is not LOST:
        return serving.send(reply)
    state.failure = StoreUnavailable("the store's reply was lost")
    ask = serving.throw(state.failure)
    # A store that has failed is not asked again by the same request.
    while (failure := _failure(state)) is not None:
        ask = serving.throw(failure)
    return ask


def _failure(state: State) -> Exception | None:
    return state.failure


def _serve(core: Core, sent: Sent, state: State) -> Generator[Ask, Any, Answer]:
    """Do what a middleware does, from the request to its answer."""
    if sent.kind.deletes:
        return (yield from _administer(core, state))
    if sent.kind.manages is not None:
        return (yield from _manage(core, sent.kind.manages, state))
    status, result = 500 if sent.kind.fails else SERVED, None
    try:
        result = yield from _handle(core, sent, state)
    except SessionError as error:
        status = error.status
    if sent.kind.is_abandoned:
        return (yield from _abandon(core, state))
    try:
        yield from _close(core, state, failed=status != SERVED)
    except SessionError as error:
        status = error.status
        yield from _close(core, state, failed=True)
    headers = core.sessions.headers(state)
    events = tuple(event.kind for event in state.events)
    return Answer(status, _cookie(headers), state.gone, events, result)


def _administer(core: Core, state: State) -> Flow[Answer]:
    (id,) = core.tokens.identify(state)
    try:
        deleted = yield ("delete", id.key)
    except StoreUnavailable as error:
        return Answer(error.status, None, False, (), None)
    return Answer(SERVED, None, False, (), deleted)


def _manage(core: Core, manage: Manage, state: State) -> Flow[Answer]:
    try:
        result = yield from manage(core.sessions, state)
    except StoreUnavailable as error:
        return Answer(error.status, None, False, (), None)
    return Answer(SERVED, None, False, (), repr(result))


def _handle(core: Core, sent: Sent, state: State) -> Flow[Any]:
    while (ask := core.sessions.load_ask(state)) is not None:
        core.sessions.load_answer(state, (yield ask))
    state.accessed = True
    handling = Handling(core.face(state), core.sessions, state, sent.own)
    result = yield from sent.kind.act(handling)
    return result


def _close(core: Core, state: State, *, failed: bool) -> Flow[None]:
    sessions = core.sessions
    try:
        ask = sessions.close_ask(state, failed=failed)
        if isinstance(ask, tuple) and core.closes_directly:
            ask = None if sessions.close_answer(state, ask, (yield ask)) else SEVERAL
        if ask is not None:
            yield from sessions.finish(state, failed=failed)
    except SessionError:
        if not failed:
            raise


def _abandon(core: Core, state: State) -> Flow[Answer]:
    # What fails is logged, for nobody waits for an answer.
    with suppress(SessionError):
        yield from core.sessions.give_up(state)
    return Answer(NOBODY, None, state.gone, (), None)


def _cookie(headers: Headers) -> str | None:
    for name, value in headers:
        if name == "Set-Cookie":
            return value.partition(";")[0].removeprefix(f"{NAME}=")
    return None
