"""`framework sessions end`: end one session, all sessions of a user, or all sessions."""

from collections.abc import Sequence
from typing import NamedTuple

import click

from framework.commands.finding import load_container_or_report
from framework.commands.other_names import Command
from framework.commands.sessions.listing import of_user
from framework.commands.sessions.managed import ManagedStore
from framework.commands.sessions.opened import patiently, stored
from framework.commands.sessions.rows import SHOWN_HANDLE, printable, user_of
from sessions.core.token_formats import TokenFormat


class _Which(NamedTuple):
    """What the command line names: the sessions to end, and the application."""

    handle: str | None
    user: str | None
    app: str | None


@click.command(cls=Command)
@click.argument("words", nargs=-1, metavar="[HANDLE] [module:app]")
@click.option("--user", metavar="USER_ID", help="End all sessions of this user.")
@click.option("--all", "everybody", is_flag=True, help="End all sessions.")
@click.option("--yes", is_flag=True, help="Do not ask for a confirmation.")
def end(words: Sequence[str], *, user: str | None, everybody: bool, yes: bool) -> None:
    """End the session HANDLE, all sessions of a user, or all sessions.

    The users of these sessions have to sign in again. The listeners of the application, and
    `finish` of its session class, are called.
    """
    which = _chosen(words, user, everybody=everybody)
    container = load_container_or_report(which.app)
    if isinstance(container.store, TokenFormat) and which.user is not None:
        with ManagedStore(container) as store:
            _end_tokens(store, which.user, yes=yes)
        return
    with ManagedStore(stored(container)) as store:
        if which.handle is not None:
            _end_one(store, which.handle, yes=yes)
        else:
            _end_many(store, which.user, yes=yes)


def _chosen(words: Sequence[str], user: str | None, *, everybody: bool) -> _Which:
    names_one = user is None and not everybody
    if (user is not None and everybody) or len(words) > (2 if names_one else 1):
        raise click.UsageError("Write one of these: HANDLE, --user USER_ID, or --all.")
    if names_one and not words:
        raise click.UsageError(
            "Nothing says which sessions to end. Fix: write HANDLE, --user USER_ID, or --all."
        )
    handle, *rest = words if names_one else (None, *words)
    return _Which(handle, user, rest[0] if rest else None)


def _end_one(store: ManagedStore, handle: str, *, yes: bool) -> None:
    key, record = store.named(handle)
    of = "" if record.user_id is None else f" of {user_of(record)}"
    if not yes:
        click.confirm(f"End the session {key[:SHOWN_HANDLE]}{of}?", abort=True)
    _tell(int(store.manage("end_session", key)))


def _end_many(store: ManagedStore, user: str | None, *, yes: bool) -> None:
    whose = "all sessions" if user is None else f"all sessions of {printable(user)}"
    if not yes:
        click.confirm(f"End {whose} in {store}?", abort=True)
    # Sessions are ended during the listing, because the listing still finds all other sessions.
    ended = sum(
        bool(patiently(store.manage, "end_session", key, user_id=user))
        for key, _ in of_user(store, user)
    )
    _tell(ended)


def _end_tokens(store: ManagedStore, user: str, *, yes: bool) -> None:
    """End the stateless sessions of a user, by an entry in the list of revocations."""
    if not yes:
        click.confirm(f"End all sessions of {printable(user)}?", abort=True)
    store.manage("end_sessions_of", user)
    click.echo(f"Ended all sessions of {printable(user)}.")


def _tell(ended: int) -> None:
    click.echo(f"Ended {ended} {'session' if ended == 1 else 'sessions'}.")
