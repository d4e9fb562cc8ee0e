"""What the answer of a request may say at the moment when it leaves."""

from collections.abc import Iterator

from sessions.core.ids import Id
from sessions.core.standing import Standing
from tests.sessions.interleavings.explorer import Move, World
from tests.sessions.interleavings.facts import (
    id_of,
    is_expired,
    reads,
    worth_of,
)
from tests.sessions.interleavings.requests import Answer, Position


def problems_of_answer(move: Move) -> Iterator[str]:
    """Yield what is wrong in the answer that leaves now."""
    if move.number is None:
        return
    position, world = move.world.positions[move.number], move.world
    answer = position.answer
    if answer is None:
        return
    yield from _of_cookie(position, answer, world)
    yield from _of_write(position, answer, world)
    if position.is_served:
        yield from _of_sign_in(position, answer, world)
    if position.has_ended:
        yield from _of_end(position, answer, world)


def _of_cookie(position: Position, answer: Answer, world: World) -> Iterator[str]:
    kind, worth = position.kind, position.standing
    if answer.cookie == "":
        if not (kind.destroys or kind.signs_out):
            yield "a request that did not end its session cleared the cookie"
        elif not (position.ended_one or worth is Standing.UNKNOWN):
            yield "a logout that ended nothing cleared a cookie that may be another's"
        return
    id = id_of(answer.cookie)
    if id is None:
        yield from _of_rolling(position, answer, world)
        return
    if position.is_served and not _is_good(id, position, world):
        yield "an answer gives an id that is not the present one of a live session"
    if worth is Standing.PAST and not (kind.signs_in or kind.destroys):
        yield "a request with an earlier id was answered with a cookie"
    if worth is Standing.GRACE and not (kind.user or kind.destroys):
        yield "a request with an earlier id that has grace was answered with a cookie"


def _of_rolling(position: Position, answer: Answer, world: World) -> Iterator[str]:
    """Yield a cookie that was not renewed although the settings say so."""
    id = position.sent_id
    if not (position.core.rolling and world.is_calm and id and answer.cookie is None):
        return
    record = world.contents.live(id.key, world.now)
    if position.is_served and worth_of(id, record, world.now) is Standing.CURRENT:
        yield "an answer did not renew the cookie of a rolling session"


def _is_good(id: Id, position: Position, world: World) -> bool:
    """Return whether the id may be given to a browser."""
    if worth_of(id, world.contents.live(id.key, world.now), world.now) is Standing.CURRENT:
        return True
    # Each answer of a request that made an id carries it, also if the store cannot be asked again.
    is_own = any(made.secret == id.secret for made in position.drawn)
    return is_expired(id.key, world.contents, world.now) or (is_own and position.lost_a_reply)


def _of_write(position: Position, answer: Answer, world: World) -> Iterator[str]:
    kind = position.kind
    if answer.gone and kind.changes_id and _still_works(position, world):
        yield "a commit that was applied was taken for one that was too late"
    if kind.fails or not (kind.sets or kind.counts) or kind.deletes:
        return
    if position.is_served and not answer.gone and not position.was_stored:
        yield "a write was acknowledged and the store never took it"
    if answer.gone and "gone" not in answer.events:
        yield "a write was dropped and nobody was told"
    if answer.gone and not position.was_stored and not _may_be_dropped(position, world):
        yield "a write was dropped although its session lives under the id that it bore"
    own = position.sent.values.items()
    # A write whose reply was lost is asked once more, and may then come too late.
    if answer.gone and own and not position.was_stored and world.is_calm:
        for entry in world.contents.entries:
            record = world.contents.live(entry, world.now)
            if record is not None and own <= record.values.items():
                yield "a write was told as dropped and is there"


def _may_be_dropped(position: Position, world: World) -> bool:
    """Return whether the session may have refused the request's changes, or some of them."""
    kind, id = position.kind, position.sent_id
    if id is None or position.standing in (Standing.PAST, Standing.UNKNOWN):
        return True
    record = world.contents.live(id.key, world.now)
    worth = worth_of(id, record, world.now)
    # Grace lets values through, and nothing else.
    wants_more = kind.changes_id and not kind.has_grace
    return worth is None or (worth is Standing.GRACE and wants_more)


def _of_sign_in(position: Position, answer: Answer, world: World) -> Iterator[str]:
    kind, worth = position.kind, position.standing
    begins_one = kind.user is not None or (
        kind.signs_in and worth in (Standing.PAST, Standing.UNKNOWN, Standing.FRESH)
    )
    if not begins_one and not (kind.signs_in and answer.cookie):
        return
    id = id_of(answer.cookie)
    record = None if id is None else reads(id, world.contents, world.now)
    if id is None or record is None:
        if id is not None and is_expired(id.key, world.contents, world.now):
            return
        if not position.was_stored or _still_works(position, world):
            yield "a sign-in was dropped"
        return
    if record.user_id != kind.user and kind.user is not None:
        yield "a sign-in left another user signed in"
    if not position.sent.kept_values.items() <= record.values.items():
        yield "a sign-in lost what its own request had set"
    before = position.sent_id
    is_same = before is not None and before.key == id.key and not kind.has_grace
    if is_same and before and reads(before, world.contents, world.now):
        yield "the id before a sign-in still works"


def _still_works(position: Position, world: World) -> bool:
    """Return whether an id that the request has made reads a session."""
    return any(reads(id, world.contents, world.now) for id in position.drawn)


def _of_end(position: Position, answer: Answer, world: World) -> Iterator[str]:
    kind, id = position.kind, position.sent_id
    if id is None:
        return
    record = world.contents.live(id.key, world.now)
    if (kind.destroys or kind.deletes) and record is not None:
        yield "a logout was acknowledged and the session lives"
    leaves = not kind.is_abandoned
    if kind.destroys and leaves and position.ended_one and answer.cookie is None:
        yield "a logout ended the session and left the cookie"
    # Whoever signs in between the last two steps of a sign-out is signed in.
    is_now = position.replies[-1][0][0] in ("commit", "delete")
    if kind.signs_out and is_now and record is not None and record.user_id is not None:
        yield "a user was signed out, was told so, and is signed in"
