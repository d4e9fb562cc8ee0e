"""`framework check`: whether the application starts, and whether it is fit to be deployed."""

import sys
from collections.abc import Sized

import click

from framework.application import Application
from framework.commands.finding import Target, application_argument, find, load, report
from framework.mistakes.deploy import deployment_warnings
from framework.startup import numbered


@click.command()
@application_argument
@click.option("--deploy", is_flag=True, help="Warn of what is unfit to be deployed, too.")
def check(app: str | None, *, deploy: bool) -> None:
    """Report every mistake that keeps the application from starting.

    The status is 1 if there is one. Warnings do not change it.
    """
    target = find(app)
    try:
        application = load(target)
    # The user's modules may raise anything; each is a report, and none a traceback through ours.
    except Exception as error:  # noqa: BLE001
        click.echo(report(target, error))
        sys.exit(1)
    click.echo(_summary(target, application))
    if deploy:
        click.echo(_warnings(application))


def _summary(target: Target, application: Application) -> str:
    controllers = {route.controller for route in application.routes}
    counts = f"{_count(application.routes, 'route')} in {_count(controllers, 'controller')}"
    sessions = "no sessions"
    if application.sessions is not None:
        sessions = f"sessions in {str(application.sessions.container.store).strip('<>')}"
    return f"{target} starts: {counts}, {sessions}."


def _warnings(application: Application) -> str:
    found = deployment_warnings(application)
    if not found:
        return "Nothing to warn of."
    return f"{_count(found, 'warning')} for a deployment:\n\n{numbered(found)}"


def _count(things: Sized, name: str) -> str:
    return f"{len(things)} {name}" if len(things) == 1 else f"{len(things)} {name}s"
