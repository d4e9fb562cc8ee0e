"""The beginning of a scenario: what the store holds, and who has which cookie."""

from dataclasses import dataclass

from sessions.core import codec
from sessions.core.ids import Id
from sessions.core.values import USER_DATA
from sessions.record import Grace, Record
from sessions.testing.clock import START
from tests.sessions.interleavings.contents import Contents
from tests.sessions.interleavings.core import IDLE, Core, made_id
from tests.sessions.interleavings.explorer import World
from tests.sessions.interleavings.kinds import GRACE_TIME, Kind
from tests.sessions.interleavings.requests import Position, Sent

EARLY, PRESENT = made_id("first", "early"), made_id("first", "present")
BEGINNINGS = ("nobody", "visitor", "signed in", "renewed")


@dataclass(frozen=True)
class Scenario:
    """Name what the store holds at the beginning, and the requests that come."""

    beginning: str
    kinds: tuple[Kind, ...]
    attacks: tuple[Kind, ...] = ()
    disturbances: int = 0

    def __str__(self) -> str:
        names = [kind.name for kind in self.kinds]
        names += [f"an attacker's {kind.name}" for kind in self.attacks]
        return f"{self.beginning}: {' + '.join(names)}"

    def world(self, core: Core) -> World:
        """Return the first world."""
        record, own, attackers = _beginning(self.beginning)
        stored = {} if record is None else {PRESENT.key: core.stored(record, PRESENT, EARLY)}
        sent = [Sent(kind, number) for number, kind in enumerate(self.kinds)]
        sent += [
            Sent(kind, number, is_attack=True)
            for number, kind in enumerate(self.attacks, start=len(sent))
        ]
        return World(
            now=START,
            contents=Contents.of(stored, core.opened),
            jars=(_token(core, own), _token(core, attackers)),
            positions=tuple(Position(core, one) for one in sent),
            first_token=_token(core, own),
            disturbances=self.disturbances,
        )


def a_record(
    id: Id, *, user_id: str | None = None, timeout: float | None = None, grace: Grace | None = None
) -> Record:
    """Return a record that is known at the beginning."""
    values: dict[str, object] = {"cart": "full", "count": 0, "ticket": "the only one"}
    if user_id is not None:
        values[USER_DATA] = {"by": "first"}
    # It was last used so long ago that a use is written down.
    return Record(
        values={key: codec.encode(value) for key, value in values.items()},
        secret=id.secret,
        secret_since=START - 5,
        created_at=START - 300,
        accessed_at=START - 200,
        updated_at=START - 200,
        expires_at=START - 200 + IDLE,
        user_id=user_id,
        timeout=timeout,
        grace=grace,
    )


def _beginning(name: str) -> tuple[Record | None, Id | None, Id | None]:
    """Return the record, the id of the user, and the early id that an attacker has seen."""
    if name == "nobody":
        return None, None, None
    if name == "visitor":
        return a_record(PRESENT), PRESENT, PRESENT
    if name == "signed in":
        return a_record(PRESENT, user_id="ann", timeout=IDLE), PRESENT, EARLY
    # The answer with the present id never arrived.
    grace = Grace(EARLY.secret, START + GRACE_TIME.total_seconds())
    return a_record(PRESENT, grace=grace), EARLY, None


def _token(core: Core, id: Id | None) -> str | None:
    return None if id is None else core.tokens.token(id)
