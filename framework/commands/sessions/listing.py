"""`framework sessions list`: list the live sessions; the session used last comes first."""

from collections.abc import Iterator
from heapq import nlargest

import click

from framework.commands.finding import json_option
from framework.commands.other_names import Command
from framework.commands.sessions.naming import store_argument, store_named
from framework.commands.sessions.opened import OpenedStore, patiently
from framework.commands.sessions.rows import (
    SHOWN_HANDLE,
    echo_json,
    echo_table,
    facts_of,
    in_units,
    moment,
    size_of,
    user_of,
)
from sessions.record import Record

_TITLES = ("HANDLE", "USER", "CREATED", "LAST USED", "EXPIRES", "SIZE")
_LIMIT = 50


@click.command(cls=Command, name="list")
@store_argument
@click.option("--user", metavar="USER_ID", help="List the sessions of this user only.")
@click.option(
    "--limit",
    default=_LIMIT,
    show_default=True,
    type=click.IntRange(min=1),
    help="List at most this number of sessions.",
)
@json_option
def list_sessions(app: str | None, *, user: str | None, limit: int, as_json: bool) -> None:
    """List the live sessions with handles and times (UTC); the session used last comes first."""
    with store_named(app, is_source=True) as store:
        found = nlargest(limit, of_user(store, user), key=lambda pair: pair[1].accessed_at)
    if as_json:
        echo_json([facts_of(key, record) for key, record in found])
        return
    echo_table(_TITLES, [_row(key, record) for key, record in found])
    if len(found) == limit:
        click.echo(f"These are the {limit} sessions used last. To see more, give a larger --limit.")


def of_user(store: OpenedStore, user: str | None) -> Iterator[tuple[str, Record]]:
    """Yield the live sessions of a user, or of everybody."""
    if user is None:
        yield from store.sessions()
        return
    for key, record in _candidates(store, user):
        if record.user_id == user:
            yield key, record


def _candidates(store: OpenedStore, user: str) -> Iterator[tuple[str, Record]]:
    """Yield the sessions that may belong to a user: all sessions if the store has no index."""
    if not store.has("keys_of_user"):
        yield from store.sessions()
        return
    for key in patiently(store.ask, "keys_of_user", user):
        found = patiently(store.found, key)
        if isinstance(found, Record):
            yield key, found


def _row(key: str, record: Record) -> tuple[str, ...]:
    return (
        key[:SHOWN_HANDLE],
        user_of(record),
        moment(record.created_at),
        moment(record.accessed_at),
        moment(record.expires_at),
        in_units(size_of(record)),
    )
