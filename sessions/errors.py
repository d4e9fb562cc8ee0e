"""The errors of sessions.

SessionError
├── ConfigurationError       settings that cannot work, all of them at once
├── SessionNotFound          no live session has this id
│   └── SessionExpired       there is one, but its time is over
├── SessionNotLoaded         an asynchronous session was used before it was loaded
├── SessionClosed            used after the response's headers left
├── SessionTooLarge          more data than a session may hold
├── UnencodableValue         a value that would not come back as it is
├── UnreadableValue          stored bytes that cannot be turned back
└── StoreUnavailable         the store is broken, locked or full
"""

from collections.abc import Sequence


class SessionError(Exception):
    """The base of all errors of sessions.

    `status` is the HTTP status of the answer if no code handles the error.
    """

    status: int = 500


class ConfigurationError(SessionError, ValueError):
    """Report every setting that cannot work."""

    def __init__(self, problems: str | Sequence[str]) -> None:
        self.problems = (problems,) if isinstance(problems, str) else tuple(problems)
        super().__init__("\n".join(self.problems))


class WrongSettings(ConfigurationError, TypeError):
    """Report settings that do not exist, or that are missing."""


class SessionNotFound(SessionError):
    """Report that no live session has the id that was asked for."""


class SessionExpired(SessionNotFound):
    """Report that the session has expired."""


class SessionNotLoaded(SessionError):
    """Report that an asynchronous session was used before it was loaded."""


class SessionClosed(SessionError):
    """Report a use of the session that can no longer reach the client or the store."""


class SessionTooLarge(SessionError):
    """Report that the session holds more data than its limit allows."""


class UnencodableValue(SessionError, TypeError):
    """Report a value that cannot be stored and read back equal, with the same type."""


class UnreadableValue(SessionError):
    """Report stored bytes that cannot be decoded."""


class StoreUnavailable(SessionError):
    """Report that the store could not do its work.

    `retry_after` is in seconds, for the header of that name.
    """

    status = 503
    retry_after: int = 1
