"""Parameters with the same name as the parameter that carries a session in URLs and forms."""

from framework.lints.program import Program
from framework.report import Report
from sessions.manager import SessionManager


def note_taken(program: Program, report: Report) -> None:
    """Report parameters that never get a value, because `URLTransport` uses the same name."""
    manager: SessionManager | None = program.sessions
    links = None if manager is None else manager.tokens.links
    if links is None:
        return
    taken = {f"{source}:{links.url.parameter}" for source in ("query", "form")}
    for handler in program.handlers:
        plans = (*(guard.plan for guard in handler.guards), handler.plan)
        for part in (part for plan in plans for part in plan.flattened()):
            members = part.marker.explained_parts(part.field)
            if not taken.isdisjoint({part.where, *(member.where for member in members)}):
                report.note(
                    handler.route.where,
                    f"parameter {part.name!r} never gets a value: {links.url!r} takes"
                    f" {links.url.parameter!r} out of each request",
                    "Give the parameter another name, or write URLTransport(parameter=...) with a"
                    " name that no handler uses.",
                )
