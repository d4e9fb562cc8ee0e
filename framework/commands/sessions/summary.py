"""`framework sessions`: the number of sessions and users, and the sizes of the sessions."""

from dataclasses import dataclass, field

import click

from framework.commands.finding import json_option
from framework.commands.other_names import Command
from framework.commands.sessions.naming import store_argument, store_named
from framework.commands.sessions.opened import OpenedStore
from framework.commands.sessions.rows import echo_json, echo_pairs, in_units, size_of
from sessions.record import Record


@dataclass
class Counts:
    """Count the live sessions of a store."""

    live: int = 0
    signed_in: int = 0
    users: set[str] = field(default_factory=set)
    size: int = 0
    largest: int = 0

    def add(self, record: Record) -> None:
        """Count one more session."""
        size = size_of(record)
        self.live += 1
        self.size += size
        self.largest = max(self.largest, size)
        if record.user_id is not None:
            self.signed_in += 1
            self.users.add(record.user_id)


@click.command(cls=Command)
@store_argument
@json_option
def summary(app: str | None, *, as_json: bool) -> None:
    """Show how many sessions are live and signed in, and how large they are.

    The command reads all live sessions.
    """
    with store_named(app, is_source=True) as store:
        counts = Counts()
        for _, record in store.sessions():
            counts.add(record)
        _echo(store, counts, as_json=as_json)


def _echo(store: OpenedStore, counts: Counts, *, as_json: bool) -> None:
    if as_json:
        facts = {**vars(counts), "users": len(counts.users)}
        echo_json({"store": str(store), **facts})
        return
    mean = in_units(counts.size / counts.live) if counts.live else "0 bytes"
    users = f" ({len(counts.users)} {'user' if len(counts.users) == 1 else 'users'})"
    echo_pairs(
        [
            ("store", str(store)),
            ("live", f"{counts.live} {'session' if counts.live == 1 else 'sessions'}"),
            ("signed in", f"{counts.signed_in}{users if counts.signed_in else ''}"),
            ("size", in_units(counts.size)),
            ("mean", mean),
            ("largest", in_units(counts.largest)),
        ]
    )
