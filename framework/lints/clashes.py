"""Report handlers whose parameters contradict those of their guards or exception handlers."""

from collections.abc import Iterator
from itertools import chain

from framework.binding.clashes import BODILESS, clashes, missing_bodies, two_types
from framework.binding.source import Parameter
from framework.dispatch.handlers import Handler
from framework.lints.program import Program
from framework.report import Mistake, Report


def note_clashes(program: Program, report: Report) -> None:
    """Report arguments that handlers and their guards cannot both have; report each cause once."""
    causes: dict[str, list[Mistake]] = {}
    for mistake in chain.from_iterable(map(_clashing, program.handlers)):
        # The text is the cause that several handlers share; each handler alone has no mistake.
        causes.setdefault(mistake.what, []).append(mistake)
    for first, *others in map(dict.fromkeys, causes.values()):
        count = len(others)
        also = f"; the same is in {count} other handler{'s' * (count > 1)}" if others else ""
        report.note(first.where, f"{first.what}{also}", first.remedy)
    for mistake in chain.from_iterable(map(_without_body, program.handlers)):
        report.note(mistake.where, mistake.what, mistake.remedy)


def _clashing(handler: Handler) -> Iterator[Mistake]:
    parameters = _before(handler)
    # The parameters of one function were checked when they were bound.
    if any(guard.plan.parameters for guard in handler.guards):
        yield from clashes(parameters)
    # Only one of the exception handlers runs, and its request may have had any body.
    for catcher in handler.catchers:
        if catcher.plan.parameters:
            yield from two_types([*catcher.plan.parameters, *parameters])


def _without_body(handler: Handler) -> Iterator[Mistake]:
    route = handler.route
    if route.method in BODILESS:
        yield from missing_bodies(route.method, route.where, _before(handler))


def _before(handler: Handler) -> list[Parameter]:
    """List the parameters of the guards, and then the parameters of the handler."""
    if not handler.guards:
        return [*handler.plan.parameters]
    plans = (*(guard.plan for guard in handler.guards), handler.plan)
    return [parameter for plan in plans for parameter in plan.parameters]
