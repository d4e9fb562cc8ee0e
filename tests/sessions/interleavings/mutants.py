"""The core with one fault each; none of them reaches into what is private to the core."""

from collections.abc import Callable, Generator
from dataclasses import replace
from datetime import timedelta
from typing import Any

from sessions.core.ids import Id
from sessions.core.pending import NOTHING_PENDING
from sessions.core.persistence import Flow, Several
from sessions.core.standing import Standing, TokenStandings
from sessions.core.state import Ask, Headers, State
from sessions.core.stored import StoredSessions
from sessions.errors import StoreUnavailable
from sessions.record import Changes, Outcome, Record

APPLIED, GONE, SUPERSEDED = Outcome.APPLIED, Outcome.GONE, Outcome.SUPERSEDED
Replied = Generator[Ask, Any, Any]


class Overhearing(StoredSessions):
    """Be the core, with somebody between it and its store."""

    def finish(self, state: State, *, failed: bool) -> Flow[None]:
        yield from self._overheard(state, super().finish(state, failed=failed))

    def take(self, state: State, key: str, default: object) -> Flow[Any]:
        taken = yield from self._overheard(state, super().take(state, key, default))
        return taken

    def asked(self, ask: Ask) -> Ask:
        """Return what the store is asked instead."""
        return ask

    def replied(self, state: State, ask: Ask, reply: Any) -> Replied:
        """Return what the core is told instead; it may ask the store, too."""
        yield from ()
        return reply

    def _overheard(self, state: State, flow: Flow[Any]) -> Flow[Any]:
        try:
            ask = next(flow)
            while True:
                try:
                    reply = yield self.asked(ask)
                except StoreUnavailable as error:
                    ask = flow.throw(error)
                else:
                    ask = flow.send((yield from self.replied(state, ask, reply)))
        except StopIteration as done:
            return done.value


class TakesSupersededForApplied(Overhearing):
    """Believe that each commit was applied."""

    def replied(self, state: State, ask: Ask, reply: Any) -> Replied:
        yield from ()
        return APPLIED if reply is SUPERSEDED else reply


class DropsLateSignIns(Overhearing):
    """Take a sign-in that came too late for a write."""

    def replied(self, state: State, ask: Ask, reply: Any) -> Replied:
        yield from ()
        if reply in (SUPERSEDED, GONE) and isinstance(ask[2].user_id, str):
            state.pending = NOTHING_PENDING
        return reply


class DropsLateSignOuts(Overhearing):
    """Take a sign-out that came too late for a write."""

    def replied(self, state: State, ask: Ask, reply: Any) -> Replied:
        yield from ()
        if reply is SUPERSEDED and ask[2].user_id is None:
            state.pending = NOTHING_PENDING
        return reply


class DropsLateRenewals(Overhearing):
    """Drop the values of the renewal that came second."""

    def replied(self, state: State, ask: Ask, reply: Any) -> Replied:
        yield from ()
        return GONE if reply is SUPERSEDED and ask[2].grace is not None else reply


class BringsSessionsBack(Overhearing):
    """Make the record again that a write did not find."""

    def replied(self, state: State, ask: Ask, reply: Any) -> Replied:
        if reply is GONE and state.record is not None:
            yield ("create", ask[1], replace(state.record, values={**state.base, **ask[2].set}))
            return APPLIED
        return reply


class TakesWithoutComparing(Overhearing):
    """Take a value whatever it is by now."""

    def asked(self, ask: Ask) -> Ask:
        if ask[0] == "commit" and ask[2].expected:
            return (*ask[:2], replace(ask[2], expected={}))
        return ask


class BelievesInDeletes(Overhearing):
    """Take a delete whose reply was lost for one that was carried out."""

    def finish(self, state: State, *, failed: bool) -> Flow[None]:
        try:
            yield from super().finish(state, failed=failed)
        except StoreUnavailable:
            state.doomed, state.failure = (), None


class EndsPresentIdsOnly(StoredSessions):
    """Let a logout with an earlier id end nothing."""

    def destroy(self, state: State) -> None:
        is_present = state.standing is Standing.CURRENT
        super().destroy(state)
        state.doomed = state.doomed if is_present else ()


class ClearsEachCookie(StoredSessions):
    """Clear the cookie after each logout, whoever ended the session."""

    def headers(self, state: State) -> Headers:
        state.clear_is_due = state.clear_is_due or state.ended
        return super().headers(state)


class SendsCookiesOfTheGone(StoredSessions):
    """Answer with the cookie although the session is gone."""

    def headers(self, state: State) -> Headers:
        if state.gone and state.record is not None:
            state.gone, state.cookie_is_due = False, True
        return super().headers(state)


class ForgetsEndsOfTheFailed(StoredSessions):
    """Undo a logout with the rest of a request that failed."""

    def close_ask(self, state: State, *, failed: bool) -> Ask | Several | None:
        state.doomed = () if failed else state.doomed
        return super().close_ask(state, failed=failed)


class SignsInWithoutNewId(StoredSessions):
    """Leave the id as it is."""

    def regenerate(self, state: State, grace: timedelta | None) -> None:
        if state.record is None:
            super().regenerate(state, grace)


class SignsInBeforeTheId(Overhearing):
    """Commit the user first, and the new id in a second commit."""

    def replied(self, state: State, ask: Ask, reply: Any) -> Replied:
        changes = ask[2] if ask[0] == "commit" else None
        if isinstance(changes, Changes) and changes.user_id is not None and reply is APPLIED:
            reply = yield (*ask[:2], changes)
        return reply

    def asked(self, ask: Ask) -> Ask:
        if ask[0] == "commit" and isinstance(ask[2].user_id, str):
            return (*ask[:2], replace(ask[2], new_secret=None))
        return ask


class CommitsWhatFailed(StoredSessions):
    """Commit a request that failed like any other."""

    def close_ask(self, state: State, *, failed: bool) -> Ask | Several | None:
        return super().close_ask(state, failed=False)

    def finish(self, state: State, *, failed: bool) -> Flow[None]:
        yield from super().finish(state, failed=False)


class KeepsTheDataOfOthers(Overhearing):
    """Let a user who signs in have what the one before stored meanwhile."""

    def asked(self, ask: Ask) -> Ask:
        return (*ask[:2], replace(ask[2], clear=False)) if ask[0] == "commit" else ask


def past_is_unknown(find: Callable[..., Standing]) -> Callable[..., Standing]:
    """Return what takes an id that was changed a moment ago for one that nobody knows."""

    def standing(judge: TokenStandings, id: Id, answer: object, began_at: float) -> Standing:
        worth = find(judge, id, answer, began_at)
        return Standing.UNKNOWN if worth is Standing.PAST else worth

    return standing


def grace_is_current(find: Callable[..., Standing]) -> Callable[..., Standing]:
    """Return what lets an earlier id with grace do all that the present one may."""

    def standing(judge: TokenStandings, id: Id, answer: object, began_at: float) -> Standing:
        worth = find(judge, id, answer, began_at)
        return Standing.CURRENT if worth is Standing.GRACE else worth

    return standing


def applied_to_any_id(record: Record, changes: Changes, now: float) -> Outcome:
    """Apply changes without a look at the secret."""
    return APPLIED


def applied_twice(record: Record, changes: Changes, now: float) -> Outcome:
    """Take a commit that is asked once more for another one."""
    if changes.secret == record.secret:
        return APPLIED
    has_grace = changes.only_values and record.has_grace(changes.secret, now)
    return APPLIED if has_grace else SUPERSEDED


def has_endless_grace(record: Record, secret: str, now: float) -> bool:
    """Let the earlier id go on for ever."""
    return record.grace is not None and record.grace.secret == secret
