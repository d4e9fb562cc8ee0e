"""`framework routes`: every method and path, and the handler of each."""

import json
from collections.abc import Iterator

import click

from framework.commands.finding import application_argument, json_option, load_or_report
from framework.commands.other_names import Command


@click.command(cls=Command)
@application_argument
@json_option
def routes(app: str | None, *, as_json: bool) -> None:
    """List the routes of the application."""
    rows = [
        {"method": route.method, "path": route.rule, "handler": route.where}
        for route in sorted(
            load_or_report(app).routes, key=lambda route: (route.rule, route.method)
        )
    ]
    click.echo(json.dumps(rows, indent=2) if as_json else "\n".join(_table(rows)))


def _table(rows: list[dict[str, str]]) -> Iterator[str]:
    method = max([6, *(len(row["method"]) for row in rows)])
    path = max([4, *(len(row["path"]) for row in rows)])
    yield f"{'METHOD':<{method}}  {'PATH':<{path}}  HANDLER"
    for row in rows:
        yield f"{row['method']:<{method}}  {row['path']:<{path}}  {row['handler']}"
