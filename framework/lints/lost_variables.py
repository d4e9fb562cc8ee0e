"""Find path variables that a function takes, but that some of its routes do not have.

On a route without the variable, the parameter would be read from the query. Then the client would
choose the value that a guard checks. A parameter with a default receives its default there, if the
other paths of the function are known before the parameter is bound. If not, it is a mistake, too.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from framework.binding.inject import InjectMarker
from framework.binding.plan import Plan
from framework.binding.query import QueryMarker
from framework.binding.source import Parameter
from framework.dispatch.handlers import Handler
from framework.http.routes import Route, common_variables
from framework.lints.program import Program
from framework.report import Report
from framework.types.signatures import describe

# The number of routes that a mistake shows at most.
_MOST_ROUTES = 3


@dataclass(frozen=True)
class _Use:
    """A parameter that is bound for a route, and the variables that count as its function's."""

    parameter: Parameter
    route: Route
    variables: Iterable[str]
    # A handler belongs to one controller; any other function is the same in all controllers.
    owner: type | None = None
    # Whether a default would take the place of the query, because the other paths are known.
    may_be_absent: bool = True


def note_lost_variables(program: Program, report: Report) -> None:
    """Report each parameter that some routes take from the path, and others from the query."""
    of_controller = _variables_by_controller(program.handlers)
    variables = set[str]().union(*of_controller.values())
    # Most programs have no such name, so nothing else has to be compared.
    if not any(name in variables for name in _names_in_query(program.handlers)):
        return
    # The names that are variables of the paths for which a function runs.
    names: defaultdict[tuple[str, type | None], set[str]] = defaultdict(set)
    found: defaultdict[tuple[str, type | None, str], list[_Use]] = defaultdict(list)
    for handler in program.handlers:
        for use in _uses(handler, of_controller[handler.route.controller]):
            where, name = use.parameter.taken_by, use.parameter.name
            names[where, use.owner].update(use.variables)
            if _is_implied_query(use.parameter):
                found[where, use.owner, name].append(use)
    for (where, owner, name), uses in found.items():
        if name in names[where, owner]:
            _note(uses, report)


def _variables_by_controller(handlers: Iterable[Handler]) -> dict[type, set[str]]:
    """Return the variables that at least one path of each controller has."""
    found: defaultdict[type, set[str]] = defaultdict(set)
    for handler in handlers:
        found[handler.route.controller].update(_variables(handler.route))
    return found


def _variables(route: Route) -> Iterable[str]:
    return common_variables([route.rule]).common


def _names_in_query(handlers: Iterable[Handler]) -> Iterator[str]:
    """Yield the names of the parameters that the query gives only because of their type."""
    # Many handlers share the plan of a guard or of an exception handler.
    plans = {id(plan): plan for handler in handlers for plan in (handler.plan, *_around(handler))}
    for plan in plans.values():
        for parameter in (*plan.parameters, *_of_resolvers(plan.parameters)):
            if _is_implied_query(parameter):
                yield parameter.name


def _uses(handler: Handler, of_controller: set[str]) -> Iterator[_Use]:
    """Yield the parameters of the functions that run for a handler, and of their resolvers."""
    route, own = handler.route, _variables(handler.route)
    for parameter in handler.plan.parameters:
        yield _Use(parameter, route, own, route.controller)
    for catcher in handler.catchers:
        for parameter in catcher.plan.parameters:
            yield _Use(parameter, route, own, may_be_absent=False)
    for guard in handler.guards:
        for parameter in guard.plan.parameters:
            yield _Use(parameter, route, of_controller)
    for plan in (handler.plan, *_around(handler)):
        for parameter in _of_resolvers(plan.parameters):
            is_known = parameter.name in of_controller
            yield _Use(parameter, route, of_controller, may_be_absent=is_known)


def _around(handler: Handler) -> list[Plan]:
    """List the plans of the guards and exception handlers of a handler."""
    guards = [guard.plan for guard in handler.guards]
    return guards + [catcher.plan for catcher in handler.catchers]


def _of_resolvers(parameters: Iterable[Parameter]) -> Iterator[Parameter]:
    """Yield parameters of resolvers, not of components: a component takes nothing from the path."""
    for parameter in parameters:
        if parameter.parts and not isinstance(parameter.marker, InjectMarker):
            yield from parameter.parts
            yield from _of_resolvers(parameter.parts)


def _is_implied_query(parameter: Parameter) -> bool:
    return isinstance(parameter.marker, QueryMarker) and not parameter.marked


def _note(uses: list[_Use], report: Report) -> None:
    parameter, routes = uses[0].parameter, [use.route for use in uses]
    name, kind = parameter.name, describe(parameter.field.annotation)
    shown = ", ".join(f"{route.method} {route.rule}" for route in routes[:_MOST_ROUTES])
    more = " and others" if len(routes) > _MOST_ROUTES else ""
    helps = parameter.required and all(use.may_be_absent for use in uses)
    absent = "If the parameter may be absent, give it a default. " if helps else ""
    report.note(
        parameter.taken_by,
        f"parameter {name!r} is a variable of some paths, but not of {shown}{more}. There, the"
        " value would come from the query, where the client chooses the value",
        f"Add <{name}> to the path, or use this function only on paths that have <{name}>."
        f" {absent}If it comes from the query, give it another name and write"
        f' Annotated[{kind}, query("{name}")].',
    )
