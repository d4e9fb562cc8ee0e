"""`framework secret`: prints a new key for signing sessions."""

import secrets

import click

from framework.commands.other_names import Command


@click.command(cls=Command)
def secret() -> None:
    """Print a new key for the environment variable SESSION_KEYS."""
    click.echo(secrets.token_hex(32))
