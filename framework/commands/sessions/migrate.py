"""`framework sessions migrate`: make the table or the index that the store needs."""

import click

from framework.commands.finding import application_argument
from framework.commands.other_names import Command
from framework.commands.sessions.naming import store_named, url_option


@click.command(cls=Command)
@application_argument
@url_option
def migrate(app: str | None, *, url: str | None) -> None:
    """Make the table of a SQLStore, or the index of a MongoStore.

    Nothing changes if the table or the index already exists. The database user of this command
    needs the right to make tables; the application does not need this right.
    """
    with store_named(url or app) as store:
        if not store.has("create_schema"):
            click.echo(f"{store} needs no table. Nothing to do.")
            return
        store.ask("create_schema")
        click.echo(f"{store} is ready.")
