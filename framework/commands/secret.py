"""`framework secret`: a key that signs sessions."""

import secrets

import click


@click.command()
def secret() -> None:
    """Print a new key for the environment variable SESSION_KEYS."""
    click.echo(secrets.token_hex(32))
