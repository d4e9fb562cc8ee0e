"""`framework sessions copy`: copy live sessions to another store."""

import sys
from collections import Counter
from collections.abc import Iterator

import click

from framework.commands.other_names import Command
from framework.commands.sessions.naming import store_named
from framework.commands.sessions.opened import OpenedStore, patiently
from sessions.core.limits import LONGEST_SESSION
from sessions.record import Outcome, Record
from sessions.stores.copying import Copied, changes_to, what_to_do

_TRIES = 5
_PROGRESS = 100
_TOLD = (
    (Copied.NEW, "new"),
    (Copied.CHANGED, "changed"),
    (Copied.SAME, "already there"),
    (Copied.NEWER, "newer there"),
    (Copied.ENDED, "ended there"),
)


@click.command(cls=Command)
@click.argument("source", metavar="FROM_URL")
@click.argument("target", metavar="TO_URL")
@click.option(
    "--end-missing",
    is_flag=True,
    help="Afterwards, end the sessions at TO_URL that FROM_URL no longer has.",
)
def copy(source: str, target: str, *, end_missing: bool) -> None:
    """Copy the live sessions of one store to another store; nobody is logged out.

    FROM_URL and TO_URL are URLs of stores, or applications such as shop.app:app. A second run
    copies new and changed sessions, and keeps sessions that are newer at TO_URL. Keep the
    application stopped during the last run. Do not copy after the application has used the store
    at TO_URL, because the copy can bring back a session that has ended there.
    """
    with store_named(source, is_source=True) as read, store_named(target) as written:
        counts: Counter[Copied] = Counter()
        for key, record in _with_progress(read):
            counts[patiently(_copied, read, written, key, record)] += 1
        click.echo(_told(counts))
        if end_missing:
            ended = _end_missing(read, written)
            click.echo(f"Ended sessions that {read} no longer has: {ended}.")


def _copied(source: OpenedStore, target: OpenedStore, key: str, record: Record) -> Copied:
    """Copy one session, unless the target has the same or a newer state; return what was done."""
    for _ in range(_TRIES):
        there = target.found(key)
        what = what_to_do(record, there)
        if what in (Copied.NEW, Copied.CHANGED):
            _enter(source, target, key, record)
        if what is Copied.NEW:
            if target.ask("create", key, record):
                return what
        elif what is Copied.CHANGED and isinstance(there, Record):
            if target.ask("commit", key, changes_to(there, record)) is Outcome.APPLIED:
                return what
        else:
            return what
    # The session changed in the target at each try, so it is in use there.
    return Copied.NEWER


def _enter(source: OpenedStore, target: OpenedStore, key: str, record: Record) -> None:
    """Add a session to the target's index of users, before the caller stores the session."""
    if record.user_id is None or not target.has("add_to_user"):
        return
    entries = source.ask("keys_of_user", record.user_id) if source.has("keys_of_user") else {}
    until = entries.get(key, record.created_at + LONGEST_SESSION.total_seconds())
    target.ask("add_to_user", record.user_id, key, until)


def _end_missing(source: OpenedStore, target: OpenedStore) -> int:
    return sum(
        bool(patiently(target.ask, "delete", key))
        for key, _ in target.records()
        if not isinstance(patiently(source.found, key), Record)
    )


def _with_progress(source: OpenedStore) -> Iterator[tuple[str, Record]]:
    """Yield the sessions, and show their number if a person watches the terminal."""
    is_seen = sys.stderr.isatty()
    for number, pair in enumerate(source.records(), 1):
        yield pair
        if is_seen and number % _PROGRESS == 0:
            click.echo(f"\r{number} sessions", nl=False, err=True)
    if is_seen:
        click.echo("\r" + " " * 20 + "\r", nl=False, err=True)


def _told(counts: Counter[Copied]) -> str:
    told = {what: f"{counts[what]} {words}" for what, words in _TOLD}
    copied = counts[Copied.NEW] + counts[Copied.CHANGED]
    skipped = counts.total() - copied
    lines = [f"Copied {copied}: {told[Copied.NEW]}, {told[Copied.CHANGED]}."]
    lines.append(
        f"Skipped {skipped}: {told[Copied.SAME]}, {told[Copied.NEWER]}, {told[Copied.ENDED]}."
    )
    return "\n".join(lines)
