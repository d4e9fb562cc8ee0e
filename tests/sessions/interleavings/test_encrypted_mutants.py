"""Each fault in the encryption of sessions breaks a promise that the model checks."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any
from unittest.mock import patch

import pytest

from sessions.core import sealed
from sessions.core.ids import Id
from sessions.core.sealed import SealedSessions
from sessions.core.sealing import USER, DataKey, wrapped_name
from sessions.core.state import State
from sessions.record import Changes
from tests.sessions.interleavings import kinds
from tests.sessions.interleavings.encrypted import EncryptedCore
from tests.sessions.interleavings.promises import explored
from tests.sessions.interleavings.scenarios import Scenario


class WrapsForTheIdThatWasLost(SealedSessions):
    """Commit the values of a lost renewal, and also the data key for its id."""

    lost: Id | None = None

    def changes_as_stored(
        self, state: State, id: Id, changes: Changes, next_id: Id | None = None
    ) -> Changes:
        changed = super().changes_as_stored(state, id, changes, next_id)
        self.lost = next_id or self.lost
        if next_id is not None or self.lost is None:
            return changed
        return replace(changed, set={**changed.set, wrapped_name(self.lost.secret): b""})


class ForgetsTheUser(SealedSessions):
    """Commit a sign-in without the sealed user."""

    def changes_as_stored(
        self, state: State, id: Id, changes: Changes, next_id: Id | None = None
    ) -> Changes:
        changed = super().changes_as_stored(state, id, changes, next_id)
        kept = {name: value for name, value in changed.set.items() if name != USER}
        return replace(changed, set=kept)


class KeepsTheUser(SealedSessions):
    """Commit a sign-out without removing the sealed user."""

    def changes_as_stored(
        self, state: State, id: Id, changes: Changes, next_id: Id | None = None
    ) -> Changes:
        changed = super().changes_as_stored(state, id, changes, next_id)
        return replace(changed, removed=changed.removed - {USER})


class KeepsTheEarlierDataKey(SealedSessions):
    """Keep the data key for the id before a renewal."""

    def changes_as_stored(
        self, state: State, id: Id, changes: Changes, next_id: Id | None = None
    ) -> Changes:
        changed = super().changes_as_stored(state, id, changes, next_id)
        return replace(changed, removed=changed.removed - {wrapped_name(id.secret)})


class TakesTheDataKeyOfTheGrace(SealedSessions):
    """Remove the data key for an earlier id that has grace."""

    def changes_as_stored(
        self, state: State, id: Id, changes: Changes, next_id: Id | None = None
    ) -> Changes:
        changed = super().changes_as_stored(state, id, changes, next_id)
        if next_id is None:
            return changed
        return replace(changed, removed=changed.removed | {wrapped_name(id.secret)})


class NewDataKeyForEachId(SealedSessions):
    """Make a new data key at a renewal, although the values stay sealed with the old one."""

    def _next_key(self, state: State, id: Id, changes: Changes, next_id: Id) -> DataKey:
        return super()._next_key(state, id, replace(changes, clear=True), next_id)


class ComparesWithPlainValues(SealedSessions):
    """Compare the stored text of a counter with the plain value that was read."""

    def changes_as_stored(
        self, state: State, id: Id, changes: Changes, next_id: Id | None = None
    ) -> Changes:
        return replace(super().changes_as_stored(state, id, changes, next_id), expected={})


@dataclass(frozen=True, kw_only=True)
class Mutant:
    """Name a fault, how to make it, and the requests that it harms."""

    fault: str
    scenario: Scenario
    core: type[SealedSessions] = SealedSessions
    patch: tuple[Any, str, Callable[..., Any]] | None = None


MUTANTS = (
    Mutant(
        fault="a lost renewal leaves a data key",
        scenario=Scenario("visitor", (kinds.RENEW_WITH_GRACE, kinds.RENEW_WITH_GRACE)),
        core=WrapsForTheIdThatWasLost,
    ),
    Mutant(
        fault="an older id wraps the data key of the present one",
        scenario=Scenario("visitor", (kinds.WRITE, kinds.RENEW_WITH_GRACE)),
        patch=(sealed, "wrapped_name", lambda secret: "\0sealed.key.one for all"),
    ),
    Mutant(
        fault="a sign-in seals no user",
        scenario=Scenario("visitor", (kinds.SIGN_IN,)),
        core=ForgetsTheUser,
    ),
    Mutant(
        fault="a sign-out leaves the sealed user",
        scenario=Scenario("signed in", (kinds.SIGN_OUT,)),
        core=KeepsTheUser,
    ),
    Mutant(
        fault="a renewal leaves the data key for the id before",
        scenario=Scenario("visitor", (kinds.RENEW,)),
        core=KeepsTheEarlierDataKey,
    ),
    Mutant(
        fault="a renewal with grace takes the data key away",
        scenario=Scenario("visitor", (kinds.RENEW_WITH_GRACE,)),
        core=TakesTheDataKeyOfTheGrace,
    ),
    Mutant(
        fault="a renewal draws another data key",
        scenario=Scenario("visitor", (kinds.RENEW,)),
        core=NewDataKeyForEachId,
    ),
    Mutant(
        fault="a counter is not compared",
        scenario=Scenario("visitor", (kinds.INCREMENT, kinds.INCREMENT)),
        core=ComparesWithPlainValues,
    ),
)


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.fault)
def test_each_planted_fault_is_found(mutant: Mutant) -> None:
    """The scenario breaks no promise in the sound core, but one in the core with the fault."""
    sound = explored(mutant.scenario, EncryptedCore())
    faulty = _explored(mutant)

    assert (sound.broken, faulty is None) == (None, False)


def _explored(mutant: Mutant) -> str | None:
    core = EncryptedCore(mutant.core)
    if mutant.patch is None:
        broken = explored(mutant.scenario, core).broken
    else:
        target, name, value = mutant.patch
        with patch.object(target, name, value):
            broken = explored(mutant.scenario, core).broken
    return None if broken is None else f"{broken}"
