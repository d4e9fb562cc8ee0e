"""`framework explain`: how the application would answer a request, and why."""

import json
import re
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import asdict

import click

from framework.commands.finding import application_argument, json_option, load_or_report
from framework.commands.other_names import Command
from framework.dispatch.steps import Outcome
from framework.explaining.explain import Argument, Caught, Explanation, Guarded, Match
from framework.explaining.explain import explain as explanation_of

# A long reason is wrapped after this many characters.
_WIDTH = 76

_MODULE = re.compile(r"[\w.]+:[^\W\d]\w*")

# A title, and the lines that belong to the title.
Section = tuple[str, list[str]]


@click.command(cls=Command, short_help="Show how a request would be answered, and why.")
@click.argument("method", required=False)
@click.argument("path", required=False)
@application_argument
@json_option
def explain(method: str | None, path: str | None, app: str | None, *, as_json: bool) -> None:
    """Show how the application would answer a request, without sending the request."""
    if method is None or path is None or not method.isalpha() or _MODULE.fullmatch(path):
        raise click.ClickException(_missing(method, path))
    explanation = explanation_of(load_or_report(app), method, path)
    if as_json:
        click.echo(json.dumps(asdict(explanation), indent=2))
    else:
        click.echo("\n".join(_lines(explanation)))


def _missing(method: str | None, path: str | None) -> str:
    """Say which of the arguments is missing, and show the whole command."""
    shown = next((part for part in (method, path) if part and part.startswith("/")), "/")
    app = next((f" {part}" for part in (method, path) if part and _MODULE.fullmatch(part)), "")
    what = f"{method!r} is not an HTTP method"
    if method is None or app.strip() == method:
        what = "the method and path are missing"
    elif method.isalpha():
        what = "the path is missing"
    return f"{what}. Fix: write framework explain GET {shown}{app}"


def _lines(explanation: Explanation) -> Iterator[str]:
    yield f"{explanation.method} {explanation.path}: {explanation.outcome}"
    sections = [section for section in _sections(explanation) if section[1]]
    width = max([len(title) for title, _ in sections], default=0)
    for title, lines in sections:
        for number, line in enumerate(lines):
            yield f"  {title if number == 0 else '':<{width}}  {line}"


def _sections(explanation: Explanation) -> Iterator[Section]:
    near = [(f"{miss.method} {miss.rule}", miss.why) for miss in explanation.near_misses]
    yield "similar routes", _columns(near)
    if explanation.match is not None:
        yield from _match(explanation.match)
    yield "middleware", explanation.middleware or ["none"]
    if explanation.match is not None:
        yield "guards", list(_guards(explanation.match.guards)) or ["none"]
    uses = [(use.by, use.how) for use in explanation.session]
    yield "session", _columns(uses) or ["not asked for: no store call, no cookie"]
    yield "catches", list(_catches(explanation.catches))
    yield "answers", [line for answer in explanation.answers for line in _answer(answer)]
    yield "other methods", [", ".join(explanation.other_methods)] * bool(explanation.other_methods)


def _match(match: Match) -> Iterator[Section]:
    yield "rule", [f"{match.method} {match.rule}"]
    yield "path values", [f"{name} = {value}" for name, value in match.path_values.items()]
    yield "arguments", _columns(list(_arguments(match.arguments))) or ["none"]


def _guards(guards: list[Guarded]) -> Iterator[str]:
    for guarded in guards:
        yield f"{guarded.guard}, from {guarded.brought_by}"
        yield from _columns(list(_arguments(guarded.arguments, "  ")))


def _catches(catches: list[Caught]) -> Iterator[str]:
    for caught in catches:
        yield f"{', '.join(caught.exceptions)}: {caught.handler}"
        yield from _columns(list(_arguments(caught.arguments, "  ")))


def _answer(answer: Outcome) -> Iterator[str]:
    first, *others = textwrap.wrap(answer.why, _WIDTH)
    yield f"{answer.status or 'any'}  {first}"
    yield from (f"     {line}" for line in others)


def _arguments(arguments: list[Argument], indent: str = "") -> Iterator[tuple[str, str, str]]:
    for argument in arguments:
        default = "" if argument.default is None else f" = {argument.default}"
        written = f"{indent}{argument.name}: {argument.type}{default}"
        yield written, argument.where, argument.conversion
        yield from _arguments(argument.parts, indent + "  ")


def _columns(rows: Sequence[tuple[str, ...]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
