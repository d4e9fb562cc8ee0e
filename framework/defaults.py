"""The default sessions of an application that configures none: their store and their keys."""

import os
import secrets
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import fields
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Protocol

from framework.injection.providers import Absent, Known
from sessions.container import SessionContainer
from sessions.errors import ConfigurationError, StoreUnavailable
from sessions.manager import AsyncSessionManager, SessionManager
from sessions.stores.base import Store
from sessions.stores.sqlite import SQLiteStore
from sessions.stores.sqlite_settings import making_files
from sessions.stores.urls import store_from_url

KEYS_VARIABLE = "SESSION_KEYS"
STORE_VARIABLE = "SESSION_STORE"


class SessionDefaults:
    """Keep the sessions and the signing key in files that all processes of the machine share."""

    def __init__(
        self, folder: Path = Path(".framework"), environment: Mapping[str, str] = os.environ
    ) -> None:
        self._folder = folder
        self._environment = environment
        self.key_file: Path | None = None
        """The file of the key that signs; None if this key is not from the folder."""

    def container(self, settings: Mapping[str, Any] | None = None) -> SessionContainer:
        """Make a session container from the settings, and from defaults for missing settings.

        Raises ConfigurationError with every mistake in the settings.
        """
        settings = dict(settings or {})
        mistakes = [_unknown(name) for name in settings if name not in _FIELDS]
        try:
            if "keys" not in settings:
                settings["keys"] = self.keys()
            if "store" not in settings:
                settings["store"] = self.store()
            known = {name: settings[name] for name in settings if name in _FIELDS}
            container = SessionContainer(**known)
        except ConfigurationError as error:
            raise ConfigurationError([*mistakes, *error.problems]) from error
        if mistakes:
            raise ConfigurationError(mistakes)
        return container

    def keys(self) -> Sequence[str | bytes]:
        """Return the keys from the variable SESSION_KEYS, or else the key in `.framework`.

        If the folder `.framework` has no key, a key is made.
        """
        text = self._environment.get(KEYS_VARIABLE)
        if text is None:
            return [self._kept_key()]
        keys = [key for part in text.split(",") if (key := part.strip())]
        if not keys:
            raise ConfigurationError(
                f"the environment variable {KEYS_VARIABLE} is {text!r}, which contains no key."
                " Fix: set the variable to a key that `framework secret` prints, or remove the"
                " variable"
            )
        return _checked_keys(keys, f"the environment variable {KEYS_VARIABLE}")

    def store(self) -> Store:
        """Return the store that the environment names, or else a SQLite store in `.framework`."""
        url = self._environment.get(STORE_VARIABLE)
        if url is not None:
            return _store_of(url)
        self._make_folder()
        # Nobody can have misspelt this path, and a new project has no file yet.
        with making_files(True):
            return SQLiteStore(self._folder / "sessions.db")

    def _kept_key(self) -> str:
        self._make_folder()
        path = self._folder / "session.key"
        try:
            if not path.exists():
                _create(path, secrets.token_urlsafe(32))
            self.key_file = path
            key = path.read_text(encoding="ascii", errors="replace").strip()
        except OSError as error:
            raise ConfigurationError(
                f"the session key {str(path)!r} cannot be written or read: {_reason(error)}. Fix:"
                f" correct the cause, or put keys into the environment variable {KEYS_VARIABLE}"
            ) from error

        mistakes = _key_mistakes([key])
        if mistakes or not key.isascii():
            what = (
                [*mistakes, "is not ASCII text"][0].partition(". Fix: ")[0].removeprefix("keys[0] ")
            )
            raise ConfigurationError(
                f"the session key in {str(path)!r} cannot be used: it {what}. Fix: delete the"
                " file. The next start makes a new key"
            )
        return key

    def _make_folder(self) -> None:
        try:
            self._folder.mkdir(mode=0o700)
            # The key and the sessions must not get into a repository.
            (self._folder / ".gitignore").write_text("*\n", encoding="ascii")
        except FileExistsError:
            return
        except OSError as error:
            raise ConfigurationError(
                f"the folder {str(self._folder.absolute())!r} cannot be made: {error.strerror}."
                " Fix: start in a folder that you may write to, or configure a session_container"
            ) from error


class SessionClock(Protocol):
    """Return the time for the sessions, in epoch seconds."""

    def __call__(self) -> float: ...


def session_components(defaults: SessionDefaults) -> list[Known]:
    """List the session components that the framework provides by default."""
    return [
        Known(
            key=SessionContainer,
            make=defaults.container,
            method="session_container",
            is_for_users=True,
            parts={Store: "store", SessionClock: "clock"},
        ),
        Known(key=SessionManager, make=_manager, settings=SessionContainer),
    ]


ABSENT = (
    Absent(
        key=AsyncSessionManager,
        what="nothing provides AsyncSessionManager: WSGI has no event loop",
        remedy="Take SessionManager: it has the same methods, called without await.",
    ),
)
"""The components that an application over WSGI cannot have."""


def told_of_store(error: StoreUnavailable) -> str:
    """Return the error's message; also name the environment variable if it sets the store's URL."""
    told, url = str(error), os.environ.get(STORE_VARIABLE, "")
    host = url.partition("://")[2].partition("/")[0].rpartition("@")[2]
    named = f". The URL is in the environment variable {STORE_VARIABLE}"
    return told + named if host and host in told else told


def _store_of(url: str) -> Store:
    try:
        return store_from_url(url)
    except ConfigurationError as error:
        source = f"the environment variable {STORE_VARIABLE}"
        mistakes = [f"{source}: {mistake}" for mistake in error.problems]
        raise ConfigurationError(mistakes) from error


def _manager(container: SessionContainer) -> SessionManager:
    return SessionManager(container)


def _checked_keys(keys: Sequence[str], source: str) -> Sequence[str]:
    """Return the keys; if a key cannot be used, raise an error that names the source."""
    mistakes = _key_mistakes(keys)
    if mistakes:
        raise ConfigurationError([f"{source}: {mistake}" for mistake in mistakes])
    return keys


def _key_mistakes(keys: Sequence[str]) -> list[str]:
    """Return the mistakes in the keys, each as `fact. Fix: remedy`."""
    try:
        SessionContainer(keys=keys)
    except ConfigurationError as error:
        return [mistake.removeprefix("SessionContainer: ") for mistake in error.problems]
    return []


def _create(path: Path, text: str) -> None:
    """Create a file with the text unless the file exists; no process sees half of the text."""
    descriptor, draft = tempfile.mkstemp(dir=path.parent)
    try:
        with open(descriptor, "w", encoding="ascii") as file:
            file.write(text)
        with suppress(FileExistsError):
            if hasattr(os, "link"):
                os.link(draft, path)
            else:
                # Some systems have no links. There, a reader may meet a file that is still empty.
                path.touch(mode=0o600, exist_ok=False)
                path.write_text(text, encoding="ascii")
    finally:
        os.unlink(draft)


def _reason(error: Exception) -> str:
    # An OSError may name the draft, a temporary file that the reader does not know.
    return getattr(error, "strerror", None) or str(error)


def _unknown(name: str) -> str:
    near = get_close_matches(name, _FIELDS, n=1)
    guess = f": did you mean {near[0]!r}?" if near else ""
    return (
        f"SessionContainer has no setting {name!r}{guess}. Fix: give some of {', '.join(_FIELDS)}"
    )


_FIELDS = [field.name for field in fields(SessionContainer)]
