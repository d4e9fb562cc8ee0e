"""Random schedules, for scenarios with too many schedules to look at all."""

from random import Random

from tests.sessions.interleavings.core import Core
from tests.sessions.interleavings.explorer import Broken, moves
from tests.sessions.interleavings.promises import ThePromises
from tests.sessions.interleavings.scenarios import Scenario


def wander(scenario: Scenario, core: Core, random: Random) -> Broken | None:
    """Follow one random schedule to its end, or until a promise is broken."""
    promises, schedule = ThePromises(core), list[str]()
    world = scenario.world(core)
    with core.drawing():
        while possible := list(moves(world)):
            move = random.choice(possible)
            schedule.append(move.name)
            for problem in (*promises.of_move(move), *promises.of_moment(move.world)):
                return Broken(problem, tuple(schedule))
            world = move.world
    return None
