"""What one call of one request may change in the store."""

from collections.abc import Iterator

from sessions.core import codec
from sessions.core.ids import Id
from sessions.core.standing import Standing
from sessions.record import Outcome, Record
from tests.sessions.interleavings.explorer import Move
from tests.sessions.interleavings.facts import worth_of
from tests.sessions.interleavings.kinds import GRACE_TIME
from tests.sessions.interleavings.requests import Position
from tests.sessions.interleavings.scenarios import PRESENT

EARLIER = (Standing.PAST, Standing.UNKNOWN)


def problems_of_step(move: Move) -> Iterator[str]:
    """Yield what the request changed although it must not."""
    if move.number is None or move.ask is None:
        return
    position = move.before.positions[move.number]
    before, after, now = move.before.contents, move.world.contents, move.before.now
    for key, entry in after.entries.items():
        if entry == before.entries.get(key):
            continue
        old, new = before.live(key, now), after.live(key, now)
        if old is None and new is not None:
            if key in before.entries:
                yield "a session that had ended came back to life"
            yield from _of_create(position, new)
        elif old is not None and new is None:
            yield from _of_end(position)
        elif old is not None and new is not None:
            yield from _of_change(position, old, new, now)
    yield from _of_reply(move, position)


def _of_create(position: Position, new: Record) -> Iterator[str]:
    kind = position.kind
    first_count = {"count": codec.encode(1)} if kind.counts else {}
    if not new.values.items() <= {**position.sent.values, **first_count}.items():
        yield "a fresh session holds what its request did not set"
    if new.user_id != kind.user:
        yield "a fresh session belongs to a user whom its request did not sign in"
    if kind.fails:
        yield "a request that failed made a session"
    makes_one = kind.signs_in or kind.destroys
    worth = position.standing
    if worth not in (Standing.FRESH, Standing.UNKNOWN) and not makes_one:
        yield "a request with an earlier id stored something"


def _of_end(position: Position) -> Iterator[str]:
    kind = position.kind
    if not (kind.destroys or kind.deletes or kind.signs_out):
        yield "a request that does not end sessions ended one"


def _of_change(position: Position, old: Record, new: Record, now: float) -> Iterator[str]:
    yield from _of_values(position, old, new)
    yield from _of_user(position, old, new)
    yield from _of_secret(position, old, new, now)
    if new.timeout != old.timeout and not position.kind.sets_timeout:
        yield "a request changed a timeout that it did not set"
    worth = position.standing
    if worth in EARLIER:
        yield "a request with an earlier id changed the session"
    if not any(worth_of(id, old, now) for id in _ids(position)):
        yield "a request changed the session although its id was changed meanwhile"
    if worth is Standing.GRACE and _identity(old) != _identity(new):
        yield "a request with an earlier id that has grace changed id, user or timeout"


def _ids(position: Position) -> Iterator[Id]:
    """Yield the ids with which the request may change the session."""
    yield from position.drawn
    if position.sent_id is not None:
        yield position.sent_id
    found = position.told[1].what
    if position.standing is Standing.GRACE and isinstance(found, Record):
        # It goes on with the record that it has loaded.
        yield Id("", PRESENT.key, found.secret)


def _of_values(position: Position, old: Record, new: Record) -> Iterator[str]:
    kind = position.kind
    own = {} if kind.fails else position.sent.values
    if kind.user is not None and not kind.fails:
        others = {old.user_id, _loaded_user(position)} - {None, kind.user}
        if old.user_id in others and not new.values.items() <= own.items():
            yield "a user was given the data of another"
        if others:
            return
    for key in {**old.values, **new.values}:
        value = new.values.get(key)
        if value == old.values.get(key) or (key == "count" and kind.counts):
            continue
        if value is None and not (key in kind.removes and (kind.signs_out or not kind.fails)):
            yield f"a request removed {key!r}, which it did not name"
        if value is not None and value != own.get(key):
            yield f"a request changed {key!r}, which it did not set"


def _loaded_user(position: Position) -> str | None:
    """Return the signed-in user of the session as the request loaded it."""
    found = position.told[1].what
    return found.user_id if isinstance(found, Record) else None


def _of_user(position: Position, old: Record, new: Record) -> Iterator[str]:
    kind = position.kind
    # What is committed may have been made before the index was asked.
    asked_at = {told.at for told in position.told}
    signs_in = kind.user is not None and not kind.fails
    if new.user_id != old.user_id:
        allowed = new.user_id is None if kind.signs_out else signs_in and new.user_id == kind.user
        if not allowed:
            yield "a request changed the user, whom it neither signed in nor out"
        if new.user_id is not None and (new.secret == old.secret or new.created_at not in asked_at):
            yield "a user was signed in without a new id and a new absolute timeout"
    if signs_in and new.secret != old.secret and new.user_id != kind.user:
        yield "a sign-in changed the id without the user"


def _of_secret(position: Position, old: Record, new: Record, now: float) -> Iterator[str]:
    kind = position.kind
    if new.secret == old.secret:
        if new.grace != old.grace:
            yield "a request changed which earlier id has grace"
        return
    if not kind.changes_id or kind.fails:
        yield "a request changed the id, which it did not ask for"
    if kind.has_grace:
        if new.grace is None or new.grace.secret != old.secret:
            yield "a renewal with grace left no grace to the id before it"
        elif new.grace.until > now + GRACE_TIME.total_seconds():
            yield "a grace is longer than the renewal said"
    elif new.grace is not None:
        yield "an earlier id has grace although nobody gave it one"


def _of_reply(move: Move, position: Position) -> Iterator[str]:
    """Yield an acknowledged write that the store does not have."""
    assert move.ask is not None
    verb, key, *_ = move.ask
    taken = move.reply is True if verb == "create" else move.reply is Outcome.APPLIED
    if verb not in ("create", "commit") or not taken or position.kind.fails:
        return
    record = move.world.contents.entries[key]
    kept = position.sent.kept_values.items()
    if not isinstance(record, Record) or not kept <= record.values.items():
        yield "a write was acknowledged and is not there"


def _identity(record: Record) -> tuple[object, ...]:
    return record.secret, record.user_id, record.timeout
