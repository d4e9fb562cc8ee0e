"""What start-up finds out about every handler: its route, its plan and all that stands around."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain

from framework.annotations.returns import return_problems
from framework.binding import bind
from framework.catching import Catcher, read_catchers
from framework.components import is_configuration
from framework.controllers import Route, is_controller, routes_of
from framework.guards import Guard, bind_guard, read_guards
from framework.injection import Graph
from framework.mistakes.clashes import clashes, missing_bodies, two_types
from framework.mistakes.misplaced import misplaced
from framework.mistakes.rule_problems import variables_of
from framework.mistakes.undecorated import undecorated
from framework.plans import Parameter, Plan
from framework.routing import path_key
from framework.startup import Problem

_NO_CONTROLLER = Problem(
    "Application(…)",
    "no controller is given, so there is nothing to answer",
    "Give classes decorated with @controller, or the modules that define them.",
)


@dataclass(frozen=True)
class Handler:
    """Hold what start-up knows about one handler; `method` is bound to its controller."""

    route: Route
    endpoint: str
    plan: Plan
    method: Callable[..., object]
    # The outermost first.
    guards: tuple[Guard, ...] = ()
    # The nearest first.
    catchers: tuple[Catcher, ...] = ()

    @property
    def plans(self) -> tuple[Plan, ...]:
        """Return the plans of all that may run for a request of this handler."""
        guards = tuple(each.plan for each in self.guards)
        return (self.plan, *guards, *(each.plan for each in self.catchers))

    @property
    def is_bare(self) -> bool:
        """Tell whether it needs nothing but values of the path, and nothing stands around it."""
        return self.plan.path_only and not self.guards and not self.catchers

    @property
    def may_use_session(self) -> bool:
        """Tell whether something has the session, or a request through which it may ask for it."""
        return self.uses_session or any(
            part.source == "request"
            for plan in self.plans
            for each in plan.parameters
            for part in each.flattened()
        )

    @property
    def uses_session(self) -> bool:
        """Tell whether the handler, or what stands around it, asks for the session."""
        return any(plan.uses_session for plan in self.plans)


class HandlerReader:
    """Bind every handler of the controllers, with what stands around it."""

    def __init__(self, classes: list[type], graph: Graph, problems: list[Problem]) -> None:
        self._graph = graph
        self._problems = problems
        self._controllers = [each for each in classes if is_controller(each)]
        self._configurations = [each for each in classes if is_configuration(each)]
        self._routes = {each: routes_of(each, problems) for each in self._controllers}
        rules = [route.rule for own in self._routes.values() for route in own]
        # They also answer where there is no handler, and so no variable of the path.
        self.catchers = read_catchers(self._configurations, ["/", *rules], graph, problems)
        """The exception handlers of the whole application."""
        problems += undecorated(self._configurations)
        problems += misplaced(classes)

    def read(self) -> list[Handler]:
        """Return the handlers that have no problem."""
        # What is wrong with a part may be the reason why it is no controller.
        if not self._controllers and not self._problems:
            self._problems.append(_NO_CONTROLLER)
        found: list[Handler] = []
        self._problems += _duplicates(chain.from_iterable(self._routes.values()))
        prefixes = _endpoints(self._controllers)
        for controller, own in self._routes.items():
            rules = [route.rule for route in own]
            catchers = read_catchers([controller], rules, self._graph, self._problems)
            for route in own:
                handler = self._handler(route, prefixes[controller], [*catchers, *self.catchers])
                found += [] if handler is None else [handler]
        self._problems += _clashes(found)
        self._problems += chain.from_iterable(map(_bodiless, found))
        return found

    def _handler(self, route: Route, prefix: str, catchers: list[Catcher]) -> Handler | None:
        variables = variables_of(route, self._problems)
        if variables is None:
            return None
        plan = bind(
            route.function,
            where=route.where,
            path_variables=variables,
            provide=self._graph.provide,
            problems=self._problems,
        )
        self._problems += return_problems(route.function, route.where, route.method.lower())
        guards = self._guards(route, variables)
        try:
            controller: object = self._graph.get(route.controller)
        # The graph has reported why there is none.
        except KeyError:
            return None
        if plan is None:
            return None
        method = getattr(controller, route.name)
        return Handler(route, f"{prefix}.{route.name}", plan, method, guards, tuple(catchers))

    def _guards(self, route: Route, variables: Mapping[str, type | None]) -> tuple[Guard, ...]:
        listed = read_guards(route.controller, route.name, self._configurations)
        found = (
            bind_guard(each, path_variables=variables, graph=self._graph, problems=self._problems)
            for each in listed
        )
        return tuple(each for each in found if each is not None)


def _clashes(handlers: Iterable[Handler]) -> Iterator[Problem]:
    """Report what handlers and what stands around them cannot both have, each cause once."""
    causes: dict[str, list[Problem]] = {}
    for problem in chain.from_iterable(map(_clashing, handlers)):
        # It names what the handlers share, since each of them is right by itself.
        causes.setdefault(problem.what, []).append(problem)
    for first, *others in map(dict.fromkeys, causes.values()):
        count = len(others)
        also = f"; so it is in {count} other handler{'s' * (count > 1)}" if others else ""
        yield Problem(first.where, f"{first.what}{also}", first.remedy)


def _clashing(handler: Handler) -> Iterator[Problem]:
    parameters = _before(handler)
    yield from clashes(parameters)
    # Of the exception handlers only one runs; which body its request had, nobody knows.
    for catcher in handler.catchers:
        yield from two_types([*catcher.plan.parameters, *parameters])


def _bodiless(handler: Handler) -> Iterator[Problem]:
    """Report what the handler and its guards read from a body that its requests do not have."""
    route = handler.route
    return missing_bodies(route.method, route.where, _before(handler))


def _before(handler: Handler) -> list[Parameter]:
    """List the parameters of the guards, and then of the handler."""
    plans = (*(each.plan for each in handler.guards), handler.plan)
    return [each for plan in plans for each in plan.parameters]


def _endpoints(controllers: Collection[type]) -> dict[type, str]:
    """Name the controllers for URL building by their class, and its module where two are alike."""
    count = Counter(each.__name__ for each in controllers)
    return {
        each: each.__name__ if count[each.__name__] == 1 else f"{each.__module__}.{each.__name__}"
        for each in controllers
    }


def _duplicates(routes: Iterable[Route]) -> Iterator[Problem]:
    """Report handlers that no request could reach, since others have their method and paths."""
    first: dict[tuple[str, str], Route] = {}
    for route in routes:
        other = first.setdefault((route.method, path_key(route.rule)), route)
        if other is not route:
            yield Problem(
                route.where,
                f"{route.method} {route.rule} is also {other.method} {other.rule} in {other.where}",
                "Give one of the two another path or method.",
            )
