"""The index of users: requests and managers that crash or wait at any step."""

from collections.abc import Iterable
from itertools import combinations_with_replacement as all_of

import pytest

from sessions.core.ids import Id
from sessions.core.persistence import Flow
from sessions.core.state import State
from sessions.core.stored import StoredSessions
from sessions.record import Record
from tests.sessions.interleavings import kinds
from tests.sessions.interleavings.core import Core
from tests.sessions.interleavings.explorer import Broken
from tests.sessions.interleavings.kinds import Kind
from tests.sessions.interleavings.promises import explored
from tests.sessions.interleavings.scenarios import BEGINNINGS, Scenario
from tests.sessions.interleavings.users import END_ALL, END_OTHERS, LIST, explored_with_index
from tests.support.thoroughness import some

pytestmark = pytest.mark.slow

DRAWN = 0.1
"""The share of the scenarios that a short run of the tests draws."""
MANAGERS = (END_ALL, END_OTHERS, LIST)
USERS = (
    kinds.SIGN_IN,
    kinds.SIGN_IN_BOB,
    kinds.SIGN_IN_AT_ONCE,
    kinds.FAILING_SIGN_IN,
    kinds.SIGN_OUT,
    kinds.DESTROY,
    kinds.RENEW,
    kinds.WRITE,
)


@pytest.mark.parametrize("beginning", BEGINNINGS)
def test_a_request_beside_two_managers(beginning: str) -> None:
    """A sign-in, a sign-out or a write runs while two managers list and end the user's sessions."""
    sent = [(user, *managers) for user in USERS for managers in all_of(MANAGERS, 2)]

    assert _broken(beginning, sent) == []


@pytest.mark.parametrize("beginning", BEGINNINGS)
@pytest.mark.parametrize("manager", MANAGERS, ids=lambda kind: kind.name)
def test_two_requests_beside_a_manager(beginning: str, manager: Kind) -> None:
    """Any two requests of the user and a manager run in every order of their steps."""
    assert _broken(beginning, [(*users, manager) for users in all_of(USERS, 2)]) == []


@pytest.mark.parametrize("beginning", BEGINNINGS)
@pytest.mark.parametrize("manager", MANAGERS, ids=lambda kind: kind.name)
def test_a_fault_at_any_step(beginning: str, manager: Kind) -> None:
    """Something goes wrong at any step, such as a pause of some minutes."""
    sent = [(user, manager) for user in USERS]

    assert _broken(beginning, sent, disturbances=1, purges=1) == []


@pytest.mark.slow
@pytest.mark.parametrize("beginning", BEGINNINGS)
def test_a_sign_in_and_a_list_where_two_things_go_wrong(beginning: str) -> None:
    """The sign-in and the list may each pause for minutes."""
    assert _broken(beginning, [(kinds.SIGN_IN, LIST)], disturbances=2, purges=1) == []


@pytest.mark.parametrize("beginning", BEGINNINGS)
def test_sign_ins_keep_the_other_promises(beginning: str) -> None:
    """With an index, a sign-in has one more step, and all other promises hold."""
    core = Core(indexes_users=True)
    drawn = some(all_of(USERS, 2), DRAWN)
    scenarios = [Scenario(beginning, sent, disturbances=1) for sent in drawn]
    found = [(scenario, explored(scenario, core).broken) for scenario in scenarios]

    assert [f"{scenario}\n  {broken}" for scenario, broken in found if broken] == []


class EntersLate(StoredSessions):
    """Enter a session in the index only after its sign-in."""

    def _commit_and_enter(self, flow: Flow[object], state: State) -> Flow[object]:
        late = None
        answer = None
        while True:
            try:
                ask = flow.send(answer)
            except StopIteration as done:
                if late is not None:
                    yield late
                return done.value
            if ask[0] == "add_to_user":
                late, answer = ask, None
            else:
                answer = yield ask

    def finish(self, state: State, *, failed: bool) -> Flow[None]:
        yield from self._commit_and_enter(super().finish(state, failed=failed), state)


class NeverEntersAgain(StoredSessions):
    """Do not enter a session again after a slow creation."""

    def is_late(self, record: Record) -> bool:
        return False


class EntersNothing(StoredSessions):
    """Do not use the index."""

    def enter(self, id: Id, user_id: str, created_at: float) -> Flow[None]:
        yield from ()


class RemovesYoungEntries(StoredSessions):
    """Remove the entry of a session that will be created soon."""

    def _is_over(self, answer: object, until: float) -> bool:
        return not isinstance(answer, Record)


class RemovesTheEntriesOfOthers(StoredSessions):
    """Remove an entry whose session is missing or belongs to another user."""

    def _is_over(self, answer: object, until: float) -> bool:
        return not (isinstance(answer, Record) and answer.user_id == "ann")


class EndsWhatIsListed(StoredSessions):
    """End each session in the index without a look at its user."""

    def end_sessions_of(self, state: State, user_id: str, keep: str | None) -> Flow[int]:
        keys = yield ("keys_of_user", user_id)
        for key in keys:
            if key != keep:
                yield ("delete", key)
        return 0


class EndsTheKeptOne(StoredSessions):
    """End also the session that was to stay."""

    def end_sessions_of(self, state: State, user_id: str, keep: str | None) -> Flow[int]:
        return super().end_sessions_of(state, user_id, None)


class EndsOne(StoredSessions):
    """End only the first session."""

    def end_sessions_of(self, state: State, user_id: str, keep: str | None) -> Flow[int]:
        keys = yield ("keys_of_user", user_id)
        for key in keys:
            if key != keep and (yield ("delete_of_user", key, user_id)):
                return 1
        return 0


MUTANTS: tuple[tuple[type[StoredSessions], str, tuple[Kind, ...], int], ...] = (
    (EntersLate, "visitor", (kinds.SIGN_IN,), 0),
    (EntersNothing, "visitor", (kinds.SIGN_IN,), 0),
    (NeverEntersAgain, "nobody", (kinds.SIGN_IN, LIST), 1),
    (RemovesYoungEntries, "nobody", (kinds.SIGN_IN, LIST), 0),
    (RemovesTheEntriesOfOthers, "visitor", (kinds.SIGN_IN, END_ALL), 0),
    (EndsWhatIsListed, "signed in", (END_ALL,), 0),
    (EndsTheKeptOne, "signed in", (END_OTHERS,), 0),
    (EndsOne, "signed in", (END_ALL,), 0),
)


@pytest.mark.parametrize(
    ("kind", "beginning", "sent", "disturbances"),
    MUTANTS,
    ids=lambda found: getattr(found, "__name__", ""),
)
def test_each_planted_fault_is_found(
    kind: type[StoredSessions], beginning: str, sent: tuple[Kind, ...], disturbances: int
) -> None:
    """The scenario breaks no promise in the sound core, but one in the core with the fault."""
    scenario = Scenario(beginning, sent, disturbances=disturbances)
    sound = explored_with_index(scenario, Core(indexes_users=True)).broken
    faulty = explored_with_index(scenario, Core(kind, indexes_users=True)).broken

    assert (sound, isinstance(faulty, Broken)) == (None, True)


def _broken(
    beginning: str, sent: Iterable[tuple[Kind, ...]], *, disturbances: int = 0, purges: int = 0
) -> list[str]:
    """Return what is broken, each with its shortest schedule."""
    core = Core(indexes_users=True)
    drawn = some(sent, DRAWN)
    scenarios = [Scenario(beginning, one, disturbances=disturbances) for one in drawn]
    found = [(one, explored_with_index(one, core, purges=purges).broken) for one in scenarios]
    return [f"{one}\n  {broken}" for one, broken in found if broken is not None]
