"""Each fault that is put into the core breaks a promise that the model checks."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

import pytest

from sessions.core.standing import TokenStandings
from sessions.core.stored import StoredSessions
from sessions.record import Record
from tests.sessions.interleavings import kinds, mutants
from tests.sessions.interleavings.core import Core
from tests.sessions.interleavings.promises import explored
from tests.sessions.interleavings.scenarios import Scenario

Patch = tuple[type[Any], str, Callable[..., Any]]


@dataclass(frozen=True, kw_only=True)
class Mutant:
    """Name a fault, how to make it, and the requests that it harms."""

    fault: str
    scenario: Scenario
    core: type[StoredSessions] = StoredSessions
    patch: Patch | None = None


def _of(
    beginning: str, *sent: kinds.Kind, attacks: tuple[kinds.Kind, ...] = (), disturbances: int = 0
) -> Scenario:
    return Scenario(beginning, sent, attacks, disturbances=disturbances)


MUTANTS = (
    Mutant(
        fault="a commit does not compare the secret",
        scenario=_of("visitor", kinds.WRITE, kinds.SIGN_IN),
        patch=(Record, "outcome_of", mutants.applied_to_any_id),
    ),
    Mutant(
        fault="a commit that is asked once more is taken for a lost race",
        scenario=_of("visitor", kinds.RENEW, kinds.READ, disturbances=1),
        patch=(Record, "outcome_of", mutants.applied_twice),
    ),
    Mutant(
        fault="a grace never ends",
        scenario=_of("visitor", kinds.RENEW_WITH_GRACE, kinds.READ, disturbances=1),
        patch=(Record, "has_grace", mutants.has_endless_grace),
    ),
    Mutant(
        fault="an id that was changed a moment ago is unknown",
        scenario=_of("visitor", kinds.WRITE, kinds.SIGN_IN),
        patch=(TokenStandings, "standing", mutants.past_is_unknown(TokenStandings.standing)),
    ),
    Mutant(
        fault="an earlier id with grace is a present one",
        scenario=_of("renewed", kinds.SET_TIMEOUT, kinds.READ),
        patch=(TokenStandings, "standing", mutants.grace_is_current(TokenStandings.standing)),
    ),
    Mutant(
        fault="SUPERSEDED is taken for APPLIED",
        scenario=_of("visitor", kinds.WRITE, kinds.RENEW),
        core=mutants.TakesSupersededForApplied,
    ),
    Mutant(
        fault="a late write makes the record again",
        scenario=_of("visitor", kinds.WRITE, kinds.DESTROY),
        core=mutants.BringsSessionsBack,
    ),
    Mutant(
        fault="a sign-in that comes too late is dropped",
        scenario=_of("visitor", kinds.SIGN_IN, kinds.RENEW),
        core=mutants.DropsLateSignIns,
    ),
    Mutant(
        fault="a sign-out that comes too late is dropped",
        scenario=_of("signed in", kinds.SIGN_OUT, kinds.RENEW),
        core=mutants.DropsLateSignOuts,
    ),
    Mutant(
        fault="the second of two renewals with grace loses its values",
        scenario=_of("visitor", kinds.RENEW_WITH_GRACE, kinds.RENEW_WITH_GRACE),
        core=mutants.DropsLateRenewals,
    ),
    Mutant(
        fault="a logout with an earlier id ends nothing",
        scenario=_of("visitor", kinds.DESTROY, kinds.RENEW),
        core=mutants.EndsPresentIdsOnly,
    ),
    Mutant(
        fault="a logout whose delete may have failed is told as done",
        scenario=_of("visitor", kinds.DESTROY, kinds.READ, disturbances=1),
        core=mutants.BelievesInDeletes,
    ),
    Mutant(
        fault="a second logout clears the cookie",
        scenario=_of("visitor", kinds.DESTROY, kinds.DESTROY),
        core=mutants.ClearsEachCookie,
    ),
    Mutant(
        fault="an answer carries the cookie of a session that is gone",
        scenario=_of("visitor", kinds.WRITE, kinds.DESTROY),
        core=mutants.SendsCookiesOfTheGone,
    ),
    Mutant(
        fault="a sign-in leaves the id as it is",
        scenario=_of("visitor", kinds.SIGN_IN, attacks=(kinds.READ,)),
        core=mutants.SignsInWithoutNewId,
    ),
    Mutant(
        fault="the user is committed before the new id",
        scenario=_of("visitor", kinds.SIGN_IN, attacks=(kinds.READ,)),
        core=mutants.SignsInBeforeTheId,
    ),
    Mutant(
        fault="a request that failed is committed",
        scenario=_of("visitor", kinds.FAILING_SIGN_IN, kinds.READ),
        core=mutants.CommitsWhatFailed,
    ),
    Mutant(
        fault="a logout is undone with the rest of a request that failed",
        scenario=_of("visitor", kinds.FAILING_DESTROY, kinds.READ),
        core=mutants.ForgetsEndsOfTheFailed,
    ),
    Mutant(
        fault="a user has the data of another",
        scenario=_of("signed in", kinds.SIGN_IN_BOB, kinds.WRITE),
        core=mutants.KeepsTheDataOfOthers,
    ),
    Mutant(
        fault="a value is taken without a comparison",
        scenario=_of("visitor", kinds.TAKE, kinds.TAKE),
        core=mutants.TakesWithoutComparing,
    ),
)


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.fault)
def test_each_planted_fault_is_found(mutant: Mutant) -> None:
    """The scenario breaks no promise in the sound core, but one in the core with the fault."""
    sound = explored(mutant.scenario, Core(closes_directly=False))
    faulty = _explored(mutant)

    assert (sound.broken, faulty is None) == (None, False)


def _explored(mutant: Mutant) -> str | None:
    core = Core(mutant.core, closes_directly=False)
    if mutant.patch is None:
        broken = explored(mutant.scenario, core).broken
    else:
        target, name, value = mutant.patch
        with patch.object(target, name, value):
            broken = explored(mutant.scenario, core).broken
    return None if broken is None else f"{broken}"
