"""Open the store that a command needs, by a URL or through an application."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import unquote, urlsplit

import click

from framework.commands.finding import load_container_or_report
from framework.commands.sessions.opened import OpenedStore, opened, reachable
from sessions.errors import ConfigurationError
from sessions.stores.base import without_password
from sessions.stores.urls import async_store_from_url, store_from_url

Command = TypeVar("Command", bound=Callable[..., Any])


def url_option(command: Command) -> Command:
    """Add the option `--url` to a command: it names a store in place of an application."""
    return click.option("--url", help="The URL of the store, in place of the application.")(command)


def store_argument(command: Command) -> Command:
    """Let a command take an application, or the URL of a store, as its last, optional argument."""
    return click.argument("app", required=False, metavar="[module:app | URL]")(command)


def store_named(text: str | None, *, is_source: bool = False) -> OpenedStore:
    """Open the store of a URL such as redis://host/0, or of an application such as shop.app:app.

    With `is_source`, the file of the store must exist.
    """
    is_url = text is not None and ("://" in text or text in ("memory:", "memory"))
    if not is_url or text is None:
        return opened(load_container_or_report(text, makes_files=not is_source))
    if is_source:
        _require_file(text)
    return reachable(_made(text))


def _made(url: str) -> Any:
    try:
        return store_from_url(url)
    except ConfigurationError as error:
        try:
            # A driver such as asyncpg has an asynchronous store only.
            return async_store_from_url(url)
        except ConfigurationError:
            raise error from None


def _require_file(url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme == "sqlite" and not Path(unquote(parts.path.removeprefix("/"))).is_file():
        shown = without_password(url) if parts.netloc else url
        raise click.ClickException(f"{shown} names a file that does not exist.")
