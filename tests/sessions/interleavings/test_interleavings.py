"""What holds in every order of the steps of two or three requests of one session."""

import os
from collections.abc import Iterable, Iterator
from itertools import combinations_with_replacement as all_of
from random import Random

import pytest

from tests.sessions.interleavings import kinds
from tests.sessions.interleavings.core import Core
from tests.sessions.interleavings.encrypted import EncryptedCore
from tests.sessions.interleavings.kinds import Kind
from tests.sessions.interleavings.promises import explored
from tests.sessions.interleavings.scenarios import BEGINNINGS, Scenario
from tests.sessions.interleavings.wandering import wander
from tests.support.thoroughness import examples, some

KINDS = tuple(kind for kind in vars(kinds).values() if isinstance(kind, Kind))
USERS = tuple(kind for kind in KINDS if kind.user != "eve")
ATTACKS = tuple(kind for kind in KINDS if kind.user in (None, "eve") and not kind.deletes)
# Each has something to lose or to take away.
CENTRAL = (
    kinds.WRITE,
    kinds.SIGN_IN,
    kinds.SIGN_IN_BOB,
    kinds.SIGN_IN_BY_HAND,
    kinds.RENEW,
    kinds.RENEW_WITH_GRACE,
    kinds.SIGN_OUT,
    kinds.DESTROY,
    kinds.DELETE,
)
SOME = (
    *CENTRAL,
    kinds.SAVE,
    kinds.READ,
    kinds.INCREMENT,
    kinds.SET_TIMEOUT,
    kinds.DESTROY_AND_WRITE,
)
IS_THOROUGH = int(os.environ.get("SESSIONS_INTERLEAVINGS", "0")) >= 10_000
# The whole takes long: `.ci/run` explores all scenarios, and any other run draws some of them.
DRAWN = 1.0 if IS_THOROUGH else 0.1
thorough = pytest.mark.skipif(not IS_THOROUGH, reason="set SESSIONS_INTERLEAVINGS=10000")


@pytest.mark.slow
@pytest.mark.parametrize("beginning", BEGINNINGS)
def test_two_requests_and_one_fault(beginning: str) -> None:
    """Between any two steps, a reply is lost, a call is made twice, or time passes."""
    sent = USERS if IS_THOROUGH or beginning in ("visitor", "signed in") else SOME
    scenarios = _scenarios([beginning], all_of(sent, 2), disturbances=1)

    assert _broken(scenarios, Core()) == []


@pytest.mark.parametrize("beginning", BEGINNINGS)
def test_two_requests_of_rolling_sessions_on_an_event_loop(beginning: str) -> None:
    """Two requests on an event loop, and each answer renews the cookie."""
    scenarios = _scenarios([beginning], all_of(USERS, 2))

    assert _broken(scenarios, Core(rolling=True, closes_directly=False)) == []


@pytest.mark.parametrize("beginning", BEGINNINGS)
def test_a_user_beside_an_attacker(beginning: str) -> None:
    """An attacker with an early id sees and changes nothing after the sign-in."""
    scenarios = [
        Scenario(beginning, (user,), (attack,))
        for user in USERS
        for attack in ATTACKS
        if not (user.deletes and beginning == "nobody")
    ]

    assert _broken(scenarios, Core()) == []


@pytest.mark.slow
@pytest.mark.parametrize("beginning", ["visitor", "signed in"])
def test_three_requests(beginning: str) -> None:
    """Three requests, of the kinds that can harm each other."""
    scenarios = _scenarios([beginning], all_of(CENTRAL, 3))

    assert _broken(scenarios, Core()) == []


@pytest.mark.parametrize("beginning", BEGINNINGS)
def test_two_requests_of_encrypted_sessions(beginning: str) -> None:
    """Two requests and a disturbance, and the first commit takes a newer server key."""
    sent = USERS if IS_THOROUGH else SOME
    scenarios = _scenarios([beginning], all_of(sent, 2), disturbances=1)

    assert _broken(scenarios, EncryptedCore()) == []


@pytest.mark.parametrize("kind", [Core, EncryptedCore])
def test_three_requests_at_random(kind: type[Core]) -> None:
    """Three requests of any kind, an attacker and two disturbances, in orders drawn at random."""
    random = Random(7)  # noqa: S311
    cores = [kind(), kind(rolling=True, closes_directly=False)]
    broken = []
    for _ in range(examples(1000)):
        scenario = Scenario(
            random.choice(BEGINNINGS[1:]),
            tuple(random.choices(USERS, k=3)),
            (random.choice(ATTACKS),),
            disturbances=2,
        )
        broken.append(wander(scenario, random.choice(cores), random))

    assert [found for found in broken if found] == []


@thorough
@pytest.mark.parametrize("beginning", BEGINNINGS)
def test_three_requests_of_any_kind(beginning: str) -> None:
    """All orders of three requests, for all combinations of their operations."""
    assert _broken(_scenarios([beginning], all_of(USERS, 3)), Core()) == []


@thorough
@pytest.mark.parametrize("beginning", BEGINNINGS)
def test_two_requests_and_two_faults(beginning: str) -> None:
    """All orders of two requests where two things go wrong."""
    assert _broken(_scenarios([beginning], all_of(USERS, 2), disturbances=2), Core()) == []


@thorough
@pytest.mark.parametrize("beginning", ["visitor", "signed in"])
def test_a_user_beside_two_attacks(beginning: str) -> None:
    """All orders of a request of the user and two of an attacker."""
    scenarios = [
        Scenario(beginning, (user,), attacks) for user in USERS for attacks in all_of(ATTACKS, 2)
    ]

    assert _broken(scenarios, Core()) == []


def _scenarios(
    beginnings: Iterable[str], sent: Iterable[tuple[Kind, ...]], *, disturbances: int = 0
) -> Iterator[Scenario]:
    """Yield the scenarios; without a session there is no id that an administrator could end."""
    requests = list(sent)
    for beginning in beginnings:
        for sent_at_once in requests:
            if not (beginning == "nobody" and kinds.DELETE in sent_at_once):
                yield Scenario(beginning, sent_at_once, disturbances=disturbances)


def _broken(scenarios: Iterable[Scenario], core: Core) -> list[str]:
    """Return what is broken, each with its shortest schedule."""
    drawn = some(scenarios, DRAWN)
    found = [(scenario, explored(scenario, core).broken) for scenario in drawn]
    return [f"{scenario}\n  {broken}" for scenario, broken in found if broken is not None]
