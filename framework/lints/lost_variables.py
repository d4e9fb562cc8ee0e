"""Find path variables that a guard or a resolver takes, but that some routes do not have.

On a route without the variable, the parameter of the guard would be read from the query. Then the
client would choose the value that the guard checks.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator

from framework.binding.inject import InjectMarker
from framework.binding.query import QueryMarker
from framework.binding.source import Parameter
from framework.dispatch.handlers import Handler
from framework.http.routes import Route, common_variables
from framework.lints.program import Program
from framework.report import Report
from framework.types.signatures import describe

# The number of routes that a mistake shows at most.
_MOST_ROUTES = 3


def note_lost_variables(program: Program, report: Report) -> None:
    """Report each parameter that some routes take from the path, and others from the query."""
    parameters = [
        (parameter, handler.route)
        for handler in program.handlers
        for parameter in _of_guards_and_resolvers(handler)
    ]
    if not any(_is_implied_query(parameter) for parameter, _ in parameters):
        return
    of_controller = _variables_by_controller(program.handlers)
    # The names that are variables of the paths for which a function runs.
    names: defaultdict[str, set[str]] = defaultdict(set)
    used: defaultdict[tuple[str, str], list[tuple[Parameter, Route]]] = defaultdict(list)
    for parameter, route in parameters:
        names[parameter.taken_by] |= of_controller[route.controller]
        if _is_implied_query(parameter):
            used[parameter.taken_by, parameter.name].append((parameter, route))
    for (where, name), uses in used.items():
        if name in names[where]:
            _note(uses[0][0], [route for _, route in uses], report)


def _variables_by_controller(handlers: Iterable[Handler]) -> dict[type, set[str]]:
    """Return the variables that at least one path of each controller has."""
    found: defaultdict[type, set[str]] = defaultdict(set)
    for handler in handlers:
        variables = common_variables([handler.route.rule])
        found[handler.route.controller].update(variables.common)
    return found


def _of_guards_and_resolvers(handler: Handler) -> Iterator[Parameter]:
    """Yield the parameters of a handler's guards, and the parameters of all resolvers."""
    for guard in handler.guards:
        yield from guard.plan.parameters
    plans = [guard.plan for guard in handler.guards]
    plans += [catcher.plan for catcher in handler.catchers]
    for plan in (handler.plan, *plans):
        yield from _of_resolvers(plan.parameters)


def _of_resolvers(parameters: Iterable[Parameter]) -> Iterator[Parameter]:
    """Yield parameters of resolvers, not of components: a component takes nothing from the path."""
    for parameter in parameters:
        if not isinstance(parameter.marker, InjectMarker):
            yield from parameter.parts
            yield from _of_resolvers(parameter.parts)


def _is_implied_query(parameter: Parameter) -> bool:
    is_query = isinstance(parameter.marker, QueryMarker)
    return is_query and not parameter.marked and parameter.required


def _note(parameter: Parameter, routes: list[Route], report: Report) -> None:
    name, kind = parameter.name, describe(parameter.field.annotation)
    shown = ", ".join(f"{route.method} {route.rule}" for route in routes[:_MOST_ROUTES])
    more = " and others" if len(routes) > _MOST_ROUTES else ""
    report.note(
        parameter.taken_by,
        f"parameter {name!r} is a variable of some paths, but not of {shown}{more}. There, the"
        " value would come from the query, where the client chooses the value",
        f"Add <{name}> to the path, or use this function only on paths that have <{name}>. If the"
        " parameter may be absent, give it a default. If it comes from the query, give it another"
        f' name and write Annotated[{kind}, query("{name}")].',
    )
