"""The core with one fault each; a fault uses no private attribute of the core."""

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
    """Be the core, with a fault between the core and its store."""

    def finish(self, state: State, *, failed: bool) -> Flow[None]:
        yield from self._overheard(state, super().finish(state, failed=failed))

    def take(self, state: State, key: str, default: object) -> Flow[Any]:
        taken = yield from self._overheard(state, super().take(state, key, default))
        return taken

    def asked(self, ask: Ask) -> Ask:
        """Return the call that the store gets instead."""
        return ask

    def replied(self, state: State, ask: Ask, reply: Any) -> Replied:
        """Return the reply that the core gets instead; the fault may also call the store."""
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
    """Treat each commit as applied."""

    def replied(self, state: State, ask: Ask, reply: Any) -> Replied:
        yield from ()
        return APPLIED if reply is SUPERSEDED else reply


class DropsLateSignIns(Overhearing):
    """Treat a sign-in that comes too late as a normal write."""

    def replied(self, state: State, ask: Ask, reply: Any) -> Replied:
        yield from ()
        if reply in (SUPERSEDED, GONE) and isinstance(ask[2].user_id, str):
            state.pending = NOTHING_PENDING
        return reply


class DropsLateSignOuts(Overhearing):
    """Treat a sign-out that comes too late as a normal write."""

    def replied(self, state: State, ask: Ask, reply: Any) -> Replied:
        yield from ()
        if reply is SUPERSEDED and ask[2].user_id is None:
            state.pending = NOTHING_PENDING
        return reply


class DropsLateRenewals(Overhearing):
    """Drop the values of the second of two renewals."""

    def replied(self, state: State, ask: Ask, reply: Any) -> Replied:
        yield from ()
        return GONE if reply is SUPERSEDED and ask[2].grace is not None else reply


class BringsSessionsBack(Overhearing):
    """Create a record again if a write did not find it."""

    def replied(self, state: State, ask: Ask, reply: Any) -> Replied:
        if reply is GONE and state.record is not None:
            yield ("create", ask[1], replace(state.record, values={**state.base, **ask[2].set}))
            return APPLIED
        return reply


class TakesWithoutComparing(Overhearing):
    """Take a value without a check that it is unchanged."""

    def asked(self, ask: Ask) -> Ask:
        if ask[0] == "commit" and ask[2].expected:
            return (*ask[:2], replace(ask[2], expected={}))
        return ask


class BelievesInDeletes(Overhearing):
    """Treat a delete without a reply as carried out."""

    def finish(self, state: State, *, failed: bool) -> Flow[None]:
        try:
            yield from super().finish(state, failed=failed)
        except StoreUnavailable:
            state.to_end, state.failure = (), None


class EndsPresentIdsOnly(StoredSessions):
    """Do not end the session at a logout with an earlier id."""

    def destroy(self, state: State) -> None:
        is_present = state.standing is Standing.CURRENT
        super().destroy(state)
        state.to_end = state.to_end if is_present else ()


class ClearsEachCookie(StoredSessions):
    """Clear the cookie after each logout, also if another request ended the session."""

    def headers(self, state: State) -> Headers:
        state.clear_is_due = state.clear_is_due or state.ended
        return super().headers(state)


class SendsCookiesOfTheGone(StoredSessions):
    """Send the cookie of a session that has ended."""

    def headers(self, state: State) -> Headers:
        if state.gone and state.record is not None:
            state.gone, state.cookie_is_due = False, True
        return super().headers(state)


class ForgetsEndsOfTheFailed(StoredSessions):
    """Do not carry out a logout if its request fails."""

    def close_ask(self, state: State, *, failed: bool) -> Ask | Several | None:
        state.to_end = () if failed else state.to_end
        return super().close_ask(state, failed=failed)


class SignsInWithoutNewId(StoredSessions):
    """Keep the id at a sign-in."""

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
    """Commit the changes of a failed request."""

    def close_ask(self, state: State, *, failed: bool) -> Ask | Several | None:
        return super().close_ask(state, failed=False)

    def finish(self, state: State, *, failed: bool) -> Flow[None]:
        yield from super().finish(state, failed=False)


class KeepsTheDataOfOthers(Overhearing):
    """Let a user who signs in have the values that the earlier user stored meanwhile."""

    def asked(self, ask: Ask) -> Ask:
        return (*ask[:2], replace(ask[2], clear=False)) if ask[0] == "commit" else ask


def past_is_unknown(find: Callable[..., Standing]) -> Callable[..., Standing]:
    """Return a core that treats a past id as unknown."""

    def standing(judge: TokenStandings, id: Id, answer: object, began_at: float) -> Standing:
        worth = find(judge, id, answer, began_at)
        return Standing.UNKNOWN if worth is Standing.PAST else worth

    return standing


def grace_is_current(find: Callable[..., Standing]) -> Callable[..., Standing]:
    """Return a core that treats an earlier id with grace as the present one."""

    def standing(judge: TokenStandings, id: Id, answer: object, began_at: float) -> Standing:
        worth = find(judge, id, answer, began_at)
        return Standing.CURRENT if worth is Standing.GRACE else worth

    return standing


def applied_to_any_id(record: Record, changes: Changes, now: float) -> Outcome:
    """Apply changes without a check of the secret."""
    return APPLIED


def applied_twice(record: Record, changes: Changes, now: float) -> Outcome:
    """Apply a repeated commit a second time."""
    if changes.secret == record.secret:
        return APPLIED
    has_grace = changes.only_values and record.has_grace(changes.secret, now)
    return APPLIED if has_grace else SUPERSEDED


def has_endless_grace(record: Record, secret: str, now: float) -> bool:
    """Give the earlier id a grace time without an end."""
    return record.grace is not None and record.grace.secret == secret
