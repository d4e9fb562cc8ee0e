"""What must be true of every step, every answer and every moment, in every order of the steps.

A step of one request changes only what the request may change (`steps`): no update is lost, no
ended session comes back, a user and a new id are one commit. An answer that leaves tells the truth
(`answers`): its cookie is good, its writes are stored, its logout is done. At every moment
(`moments`) an id reads only what it may: not after a logout, and not after a sign-in if it is
earlier. The rules do not ask the core what a token is worth: they reckon it once more, from what
the store said.
"""

from collections.abc import Iterator

from tests.sessions.interleavings.answers import problems_of_answer
from tests.sessions.interleavings.core import Core
from tests.sessions.interleavings.explorer import Exploration, Move, World, explore
from tests.sessions.interleavings.moments import problems_of_moment
from tests.sessions.interleavings.scenarios import Scenario
from tests.sessions.interleavings.steps import problems_of_step


class ThePromises:
    """Check all that an exploration of one core finds."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def of_move(self, move: Move) -> Iterator[str]:
        """Yield what is wrong in the changes of a step, and in its answer."""
        yield from problems_of_step(move)
        yield from problems_of_answer(move)

    def of_moment(self, world: World) -> Iterator[str]:
        """Yield what is wrong at this moment, as if nothing happened afterwards."""
        return problems_of_moment(world, self._core)


def explored(scenario: Scenario, core: Core) -> Exploration:
    """Look at everything that can happen in a scenario, until a promise is broken."""
    return explore(scenario.world(core), core, ThePromises(core))
