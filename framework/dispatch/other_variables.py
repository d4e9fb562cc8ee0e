"""The variables that only other paths of a function have, for handlers, guards and resolvers.

On a path without such a variable, a parameter of its name receives its default, and not the query.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from framework.around.guards import Listed
from framework.binding.path import AbsentPathMarker
from framework.binding.source import Marker
from framework.http.routes import Route, common_variables

_ABSENT = AbsentPathMarker("this path does not have the variable, but other paths have it")
_Markers = Mapping[str, Marker]


class OtherVariables:
    """Know the variables of all paths for which a function runs."""

    def __init__(
        self,
        routes: Mapping[type, Sequence[Route]],
        guards: Mapping[tuple[type, str], Iterable[Listed]],
    ) -> None:
        """Read the routes of each controller, and the guards of each handler."""
        handlers: defaultdict[tuple[type, str], dict[str, Marker]] = defaultdict(dict)
        controllers: defaultdict[type, dict[str, Marker]] = defaultdict(dict)
        for controller, own in routes.items():
            for route in own:
                found = dict.fromkeys(common_variables([route.rule]).common, _ABSENT)
                handlers[controller, route.name].update(found)
                controllers[controller].update(found)
        by_check: defaultdict[type, dict[str, Marker]] = defaultdict(dict)
        for (controller, _), listed in guards.items():
            for guard in listed:
                by_check[guard.checked_by].update(controllers[controller])
        self._handlers, self._controllers, self._by_check = handlers, controllers, by_check

    def of_handler(self, route: Route) -> _Markers:
        """Return the variables of all paths of a handler."""
        return self._handlers[route.controller, route.name]

    def of_controller(self, controller: type) -> _Markers:
        """Return the variables of all paths of a controller, for the resolvers of its handlers."""
        return self._controllers[controller]

    def of_guard(self, guard: Listed) -> _Markers:
        """Return the variables of all paths of all controllers where the guard is listed."""
        return self._by_check[guard.checked_by]
