"""Sign-ins while a manager lists and ends the sessions of the user: what must be true."""

from collections.abc import Iterator
from typing import Any

from sessions.core.persistence import Flow, Persistence
from sessions.core.state import State
from sessions.record import Record
from sessions.testing.clock import START
from tests.sessions.interleavings.contents import Entered, index_of
from tests.sessions.interleavings.core import ABSOLUTE, Core, made_id
from tests.sessions.interleavings.explorer import Exploration, Move, World, explore
from tests.sessions.interleavings.facts import id_of, reads
from tests.sessions.interleavings.kinds import Kind
from tests.sessions.interleavings.requests import SERVED, Position
from tests.sessions.interleavings.scenarios import PRESENT, Scenario, a_record

OTHER, BOBS = made_id("other", "present"), made_id("bobs", "present")
# Long enough for the entry of a session that is being created to look like a dead one.
PASSAGES = (130.0, 4000.0)


def end_all(sessions: Persistence, state: State) -> Flow[object]:
    """End all sessions of the user ann."""
    ended = yield from sessions.end_sessions_of(state, "ann", None)
    return ended


def end_others(sessions: Persistence, state: State) -> Flow[object]:
    """End all sessions of the user ann except one."""
    ended = yield from sessions.end_sessions_of(state, "ann", PRESENT.key)
    return ended


def list_all(sessions: Persistence, state: State) -> Flow[object]:
    """List the sessions of the user ann, and remove the entries of ended sessions."""
    found = yield from sessions.sessions_of("ann")
    return sorted(key for key, _ in found)


def _act(handling: Any) -> Flow[None]:
    yield from ()


END_ALL = Kind(name="end all", act=_act, manages=end_all)
END_OTHERS = Kind(name="end others", act=_act, manages=end_others, keeps=PRESENT.key)
LIST = Kind(name="list", act=_act, manages=list_all)
ENDS = (END_ALL, END_OTHERS)


class ThePromisesOfTheIndex:
    """Check all that an exploration with an index finds."""

    def of_move(self, move: Move) -> Iterator[str]:
        """Yield what is wrong in what a manager ended, or in its answer."""
        if move.number is None:
            return
        position = move.world.positions[move.number]
        if move.ask is not None and position.kind.manages:
            yield from _of_step(move, position)

    def of_moment(self, world: World) -> Iterator[str]:
        """Yield what is wrong now, as if every request crashed at this moment."""
        yield from _of_index(world)
        for position in world.positions:
            if position.kind in ENDS and position.is_served:
                yield from _of_end(world, position)


def explored_with_index(
    scenario: Scenario, core: Core, *, passages: tuple[float, ...] = PASSAGES, purges: int = 0
) -> Exploration:
    """Look at everything that can happen when a user has two sessions, and another user one."""
    world = scenario.world(core)._replace(passages=passages, purges=purges)
    mine = [PRESENT] if scenario.beginning == "signed in" else []
    # One entry is older than its session: it was made for a login that never was complete.
    indexed = {"ann": (*mine, OTHER, BOBS), "bob": (BOBS,)}
    since = START - 300
    entries: dict[str, Any] = {
        OTHER.key: core.stored(a_record(OTHER, user_id="ann"), OTHER, OTHER),
        BOBS.key: core.stored(a_record(BOBS, user_id="bob"), BOBS, BOBS),
    }
    for user_id, ids in indexed.items():
        times = (since + ABSOLUTE + 60, since)
        entries[index_of(user_id)] = Entered(dict.fromkeys([id.key for id in ids], times))
    world = world._replace(contents=world.contents.and_also(entries))
    return explore(world, core, ThePromisesOfTheIndex())


def _of_step(move: Move, position: Position) -> Iterator[str]:
    before, after, now = move.before.contents, move.world.contents, move.before.now
    for key in before.entries:
        old, new = before.live(key, now), after.live(key, now)
        if old is None or old == new:
            continue
        if position.kind not in ENDS:
            yield "a list changed a session"
        if new is not None or old.user_id != "ann":
            yield "a manager ended or changed the session of another user"
        if key == position.kind.keeps:
            yield "the session to keep was ended"


def _of_index(world: World) -> Iterator[str]:
    """Yield a signed-in session that is not in the index."""
    for key, entry in world.contents.entries.items():
        record = world.contents.live(key, world.now)
        if not isinstance(entry, Record) or record is None or record.user_id is None:
            continue
        if key in world.contents.entered(record.user_id):
            continue
        creators = [one for one in world.positions if _creates(one, key)]
        # A creation that took so long enters its key again before the answer leaves.
        if world.is_calm or not creators or any(one.is_served for one in creators):
            yield "the index does not know a session that is signed in"


def _creates(position: Position, key: str) -> bool:
    is_asked = position.ask is not None and position.ask[:2] == ("create", key)
    return is_asked or any(id.key == key for id in position.drawn)


def _of_end(world: World, position: Position) -> Iterator[str]:
    """Yield a session that is live although all were ended, or ended although it should live."""
    ((_, listed), *_) = position.replies
    for id in (PRESENT, OTHER):
        record = world.contents.live(id.key, world.now)
        if record is None or record.user_id != "ann" or id.key == position.kind.keeps:
            continue
        if id.key in listed and record.created_at == a_record(id).created_at:
            yield "a session lives on although all sessions of its user were ended"
    if not world.is_calm:
        return
    for other in world.positions:
        answer = other.answer
        if other.kind.user != "ann" or answer is None or answer.status != SERVED:
            continue
        id_given = id_of(answer.cookie)
        if id_given is None or any(id_given.key in keys for keys in _lists(world)):
            continue
        if not _is_ended_by_others(world, other) and not reads(id_given, world.contents, world.now):
            yield "a login that came after the list was ended with the older ones"


def _lists(world: World) -> Iterator[Entered]:
    """Yield the keys that managers found in the index before they ended sessions."""
    for position in world.positions:
        if position.kind in ENDS and position.replies:
            yield position.replies[0][1]


def _is_ended_by_others(world: World, position: Position) -> bool:
    """Return whether a request of a browser may have ended or left this sign-in."""
    others = [other.kind for other in world.positions if other is not position]
    return any(kind.destroys or kind.signs_out or kind.changes_id for kind in others)
