"""Handlers as start-up reads them: route, parameters, guards, exception handlers."""

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from framework.around.exception_handlers import Catcher, nearest_of, read_catchers
from framework.around.guards import Guard, bind_guard, read_guards
from framework.binding.binder import Path, Supply, bind, read_function
from framework.binding.form_objects import share_names
from framework.binding.plan import Plan
from framework.binding.source import Needs
from framework.decorators import is_component, is_configuration, is_controller
from framework.dispatch.other_variables import OtherVariables
from framework.http.routes import Route, note_duplicates, routes_of, variables_of
from framework.injection.graph import Graph
from framework.report import Mistake, Place, Report, Reported
from framework.types.forgotten_returns import note_forgotten_return
from framework.types.returns import note_lost_body, note_returns
from framework.types.signatures import (
    describe,
    is_return_checked,
    note_module,
    remember_checked_return,
)


@dataclass(frozen=True)
class Handler:
    """The facts that start-up has read about a handler; `method` is bound to the controller."""

    route: Route
    endpoint: str
    plan: Plan
    method: Callable[..., object]
    # The outermost guard comes first.
    guards: tuple[Guard, ...] = ()
    # The nearest exception handler comes first.
    catchers: tuple[Catcher, ...] = ()

    @property
    def uses_session(self) -> bool:
        """Return whether the handler, its guards or its exception handlers use the session."""
        guards = (guard.plan for guard in self.guards)
        plans = (self.plan, *guards, *(catcher.plan for catcher in self.catchers))
        return any(Needs.SESSION in plan.needs for plan in plans)


class AddsController(ABC):
    """A component that adds a controller at a path that a configuration has chosen.

    The configuration has a component method that returns this component.
    """

    @abstractmethod
    def controller(self) -> type:
        """Return a new class each time, decorated with @controller and @component."""


class ReadsHandlers(ABC):
    """A controller, such as documentation, that describes the handlers of the application."""

    @abstractmethod
    def read_handlers(self, handlers: Sequence["Handler"], report: Report) -> None:
        """Read the handlers; start-up calls this once, after it has found no mistake."""


def added_controllers(graph: Graph, report: Report) -> Iterator[type]:
    """Yield the controllers that components add."""
    for where, component in graph.all_of(AddsController):
        name = describe(type(component))
        with report.at(where):
            try:
                added: object = component.controller()
            # The user's own settings make the controller, so any error is possible.
            except Exception as error:
                what = f"{name} cannot add its controller: {type(error).__name__}: {error}"
                raise Mistake(what, f"Correct the arguments of {name}.") from error
            if not (isinstance(added, type) and is_controller(added) and is_component(added)):
                raise Mistake(
                    f"{name}.controller() returned {added!r}, which is not a decorated controller",
                    "Return a new class each time, decorated with @component and @controller.",
                )
            yield added


def tell_handlers(handlers: Sequence[Handler], graph: Graph, report: Report) -> None:
    """Give all handlers to each controller that describes handlers, such as the documentation."""
    for controller in dict.fromkeys(handler.route.controller for handler in handlers):
        if issubclass(controller, ReadsHandlers):
            graph.get(controller).read_handlers(handlers, report)


class HandlerReader:
    """Read every handler of the controllers, with its guards and exception handlers."""

    def __init__(self, classes: Sequence[type], graph: Graph, report: Report) -> None:
        self._graph = graph
        self._report = report
        self._controllers = [target for target in classes if is_controller(target)]
        self._configurations = [target for target in classes if is_configuration(target)]
        self._routes = {
            controller: routes_of(controller, report) for controller in self._controllers
        }
        self._guards_of = {
            (controller, route.name): read_guards(controller, route.name, self._configurations)
            for controller, own in self._routes.items()
            for route in own
        }
        self._others = OtherVariables(self._routes, self._guards_of)
        rules = [("", route.rule) for own in self._routes.values() for route in own]
        # These exception handlers also answer requests that no handler answers. For such requests,
        # "/" stands in the list, because it has no variables.
        self.catchers = read_catchers(self._configurations, [("", "/"), *rules], graph, report)
        """The exception handlers of the whole application."""

    def read(self) -> list[Handler]:
        """Return the handlers that have no mistake."""
        found: list[Handler] = []
        note_duplicates(chain.from_iterable(self._routes.values()), self._report)
        prefixes = _endpoints(self._controllers)
        for controller, own in self._routes.items():
            rules = [(route.name, route.rule) for route in own]
            catchers = read_catchers([controller], rules, self._graph, self._report)
            for route in own:
                with self._report.at(route.where):
                    around = [*nearest_of(route.name, catchers), *self.catchers]
                    found.append(self._handler(route, prefixes[controller], around))
        return found

    def _handler(self, route: Route, prefix: str, catchers: Sequence[Catcher]) -> Handler:
        variables = variables_of(route, self._report)
        here = self._report.at(route.where)
        plan: Plan | None = None
        with here:
            declared = read_function(route.function, "handler", here)
            supply = Supply(
                report=self._report,
                provide=self._graph.provide,
                variables=variables,
                path=Path.ALL,
                others=self._others.of_handler(route),
                others_of_resolvers=self._others.of_controller(route.controller),
            )
            plan = bind(declared, where=route.where, supply=supply)
        _note_result(route, self._report.at(route.where))
        guards = self._guards(route, variables)
        controller: object = self._graph.get(route.controller)
        if plan is None or not here.is_clean:
            raise Reported
        around = (*(guard.plan for guard in guards), *(catcher.plan for catcher in catchers))
        share_names(chain.from_iterable(bound.parameters for bound in (plan, *around)))
        method = getattr(controller, route.name)
        return Handler(route, f"{prefix}.{route.name}", plan, method, guards, tuple(catchers))

    def _guards(self, route: Route, variables: Mapping[str, type | None]) -> tuple[Guard, ...]:
        found: list[Guard] = []
        for listed in self._guards_of[route.controller, route.name]:
            with self._report.at(listed.brought_by):
                others = self._others.of_guard(listed)
                supply = Supply(
                    report=self._report,
                    provide=self._graph.provide,
                    variables=variables,
                    path=Path.ANY if listed.everywhere else Path.SOME,
                    others=others,
                    others_of_resolvers=others,
                )
                found.append(bind_guard(listed, self._graph, supply))
        return tuple(found)


def _note_result(route: Route, here: Place) -> None:
    """Report what is wrong with the return annotation or the results of a handler."""
    note_lost_body(route.function, route.status, here)
    if not is_return_checked(route.function):
        note_module(route.function, here)
        note_returns(route.function, route.method.lower(), 201, here)
        note_forgotten_return(route.function, here)
        if here.is_clean:
            remember_checked_return(route.function)


def _endpoints(controllers: Collection[type]) -> dict[type, str]:
    """Return the names of controllers for `url_for`, with the module if two names are equal."""
    count = Counter(controller.__name__ for controller in controllers)
    return {
        controller: controller.__name__
        if count[controller.__name__] == 1
        else f"{controller.__module__}.{controller.__name__}"
        for controller in controllers
    }
