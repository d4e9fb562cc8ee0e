"""`framework sessions purge`: remove the records of expired sessions."""

import click

from framework.commands.finding import application_argument, load_container_or_report
from framework.commands.other_names import Command
from framework.commands.sessions.managed import ManagedStore
from framework.commands.sessions.opened import patiently

_BATCH = 1000


@click.command(cls=Command)
@application_argument
def purge(app: str | None) -> None:
    """Remove the records of sessions that have expired; a job for cron.

    A live session is never removed. The listeners of the application, and `finish` of its session
    class, are called. Redis and Valkey remove expired sessions themselves.
    """
    removed = 0
    with ManagedStore(load_container_or_report(app)) as store:
        while count := patiently(store.manage, "purge", _BATCH):
            removed += count
    click.echo(f"Removed {removed} expired {'session' if removed == 1 else 'sessions'}.")
