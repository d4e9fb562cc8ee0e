"""What must be true at every moment, as if nothing happened afterwards."""

from collections.abc import Iterator

from sessions.core import codec
from sessions.core.ids import Id
from sessions.core.standing import Standing
from sessions.record import Outcome
from tests.sessions.interleavings.core import Core
from tests.sessions.interleavings.explorer import World
from tests.sessions.interleavings.facts import id_of, reads, worth_of
from tests.sessions.interleavings.requests import Position
from tests.sessions.interleavings.scenarios import EARLY, PRESENT


def problems_of_moment(world: World, core: Core) -> Iterator[str]:
    """Yield what is wrong at this moment."""
    yield from _of_ended(world)
    yield from _of_ids(world, core)
    yield from _of_attacker(world)
    yield from _of_counts(world)
    yield from _of_harmless(world)
    yield from _of_cookies(world)


def _of_ended(world: World) -> Iterator[str]:
    for position in world.positions:
        kind = position.kind
        if not position.has_ended:
            continue
        id = position.sent_id
        record = None if id is None else world.contents.live(id.key, world.now)
        if record is None:
            continue
        if kind.destroys or kind.deletes:
            yield "a session lives after a logout was acknowledged"
        if kind.signs_out and record.user_id is not None and not _signs_in(world):
            yield "a user is signed in after a sign-out was acknowledged"


def _of_ids(world: World, core: Core) -> Iterator[str]:
    """Yield an id that the core lets read a session, although it must not."""
    drawn = tuple(position.drawn for position in world.positions)
    if not core.is_new((world.contents, world.now, drawn)):
        return
    for id in {EARLY, PRESENT}.union(*drawn):
        if id.key not in world.contents.entries:
            continue
        record = world.contents.live(id.key, world.now)
        if core.worth_of(id, world.contents, world.now) is not worth_of(id, record, world.now):
            yield "an id reads a session although it is no id of it, or no longer"


def _of_attacker(world: World) -> Iterator[str]:
    """Yield what an attacker sees with an id from before the user's sign-in."""
    stored = _stored_by_sign_ins(world)
    for id in _ids_of_attacker(world):
        record = reads(id, world.contents, world.now)
        if record is None:
            continue
        if record.values.items() & stored:
            yield "an attacker with an early id reads what was stored by a sign-in"
        if record.user_id not in (None, "eve"):
            yield "an attacker with an early id is signed in as the user"


def _ids_of_attacker(world: World) -> Iterator[Id]:
    for position in world.positions:
        if position.sent.is_attack and position.has_begun:
            answer = position.answer
            ids = (position.sent_id, id_of(None if answer is None else answer.cookie))
            yield from (id for id in ids if id is not None)


def _stored_by_sign_ins(world: World) -> set[tuple[str, bytes]]:
    """Return the values that the user's sign-ins store; a manual sign-in keeps an id with grace."""
    stored: set[tuple[str, bytes]] = set()
    for position in world.positions:
        kind = position.kind
        if position.sent.is_attack or not kind.signs_in or kind.has_grace:
            continue
        if kind.user is not None or position.standing is not Standing.GRACE:
            stored.update(position.sent.values.items())
    return stored


def _of_counts(world: World) -> Iterator[str]:
    """Yield an increment that was lost or counted twice, and a value that was taken twice."""
    counting = [position for position in world.positions if position.kind.counts]
    if counting and not any(position.kind.user for position in world.positions):
        counted = sum(map(_has_counted, counting))
        unknown = sum(position.lost_a_reply for position in counting)
        record = world.contents.live(PRESENT.key, world.now)
        count = counted if record is None else codec.decode(record.values["count"])
        if not counted <= count <= counted + unknown:
            yield "a count was lost, or made twice"
    takers = [position for position in world.positions if position.kind.name == "take"]
    if sum(one.is_served and one.was_stored for one in takers) > 1:
        yield "two requests were given what only one could take"


def _has_counted(position: Position) -> bool:
    return any(
        ask[:2] == ("commit", PRESENT.key) and reply is Outcome.APPLIED
        for ask, reply in position.replies
    )


def _of_harmless(world: World) -> Iterator[str]:
    """Yield a request that lost a write although no other request ends the session or its id."""
    if not world.is_calm or world.first_token is None:
        return
    for position in world.positions:
        others = [other.sent for other in world.positions if other is not position]
        if position.answer is None or not all(sent.kind.is_harmless for sent in others):
            continue
        kind = position.kind
        if kind.fails or not kind.is_harmless or position.sent.is_attack:
            continue
        # Only one earlier id has grace: a second renewal takes it from the first id.
        if sum(sent.kind.has_grace for sent in others) > 1:
            continue
        writes = (kind.sets or kind.counts) and not position.was_stored
        if not position.is_served or (writes and position.answer.gone):
            yield "a request lost its session where no other one ends or renews it without grace"
        record = world.contents.live(PRESENT.key, world.now)
        if record is None or not position.sent.kept_values.items() <= record.values.items():
            yield "a write is lost where no request ends the session or its id"


def _of_cookies(world: World) -> Iterator[str]:
    """Yield a cookie that its browser lost, if answers arrive in the order in which they left."""
    sent = [position.sent for position in world.positions]
    if not world.is_calm or not all(position.answer for position in world.positions):
        return
    if any(one.is_attack or one.kind.deletes or one.kind.is_abandoned for one in sent):
        return
    token = world.first_token
    for number in world.left:
        answer = world.positions[number].answer
        if answer is not None and answer.cookie is not None:
            token = answer.cookie
    id = id_of(token)
    record = None if id is None else reads(id, world.contents, world.now)
    if id is not None and record is None:
        yield "the browser is left with the cookie of a session that it cannot reach"
    users = {one.kind.user for one in sent if one.kind.user and not one.kind.fails}
    ends = any(one.kind.destroys or one.kind.signs_out for one in sent)
    begins = any(one.kind.sets and one.kind.changes_id and not one.kind.user for one in sent)
    begins = begins or any(one.kind.sets_timeout for one in sent)
    # Of three requests, one may still send the id of the session that the sign-in left.
    begins = begins or world.first_token is None or len(sent) > 2
    if users and not ends and not begins and (record is None or record.user_id not in users):
        yield "a user signed in, and the browser is left with another session"


def _signs_in(world: World) -> bool:
    return any(position.kind.user for position in world.positions)
