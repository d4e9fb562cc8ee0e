"""The errors of sessions.

SessionError
├── ConfigurationError    wrong settings, all of them in one error
│   └── WrongSettings     settings that do not exist, or are missing
├── SessionNotFound       no live session has this id
│   └── SessionExpired    the session with this id has expired
├── SessionNotLoaded      an asynchronous session was used before it was loaded
├── SessionClosed         the session was used after the response headers were sent
├── SessionTooLarge       the session has more data than its limit allows
├── UnencodableValue      a value cannot be stored and read back unchanged
├── UnreadableValue       stored bytes cannot be decoded
├── MalformedToken        the request has a text that cannot be a token
├── TooManySessions       a sign-in was refused
└── StoreUnavailable      the store is broken, locked or full
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sessions.public_names import refusing


class SessionError(Exception):
    """The base of all errors of sessions.

    `status` is the HTTP status of the answer if no code handles the error.
    """

    status: int = 500


class ConfigurationError(SessionError, ValueError):
    """One or more settings are wrong; `problems` has a text for each."""

    def __init__(self, problems: str | Sequence[str]) -> None:
        self.problems = (problems,) if isinstance(problems, str) else tuple(problems)
        super().__init__("\n".join(self.problems))


class WrongSettings(ConfigurationError, TypeError):
    """A given setting does not exist, or a required setting is missing."""


class SessionNotFound(SessionError):
    """No live session has this id."""


class SessionExpired(SessionNotFound):
    """The session has expired."""


class SessionNotLoaded(SessionError):
    """An asynchronous session was used before it was loaded."""


class SessionClosed(SessionError):
    """The session was used after it was closed, so the change cannot be saved."""


class SessionTooLarge(SessionError):
    """The session has more data than its limit allows."""


class UnencodableValue(SessionError, TypeError):
    """A value cannot be stored and read back equal, with the same type."""


class UnreadableValue(SessionError):
    """Stored bytes cannot be decoded."""


class MalformedToken(SessionError):
    """The request has a text where a token is expected, but the text cannot be a token.

    `challenge` is the value of the header WWW-Authenticate. Source: RFC 9110, 11.6.1.
    """

    status = 401

    def __init__(self, message: str, challenge: str) -> None:
        super().__init__(message)
        self.challenge = challenge


class TooManySessions(SessionError):
    """The user already has as many sessions as allowed, so the sign-in was refused."""

    status = 409


class StoreUnavailable(SessionError):
    """The store failed, or did not answer in time.

    `retry_after` is the value of the header Retry-After, in seconds.
    """

    status = 503
    retry_after: int = 1


def is_due_to(error: BaseException | None, failure: SessionError) -> bool:
    """Return whether the error is the session's failure, or was caused only by this failure."""
    if isinstance(error, BaseExceptionGroup):
        return all(is_due_to(inner, failure) for inner in error.exceptions)
    if error is failure or error is None:
        return error is failure
    # An error can be its own cause. Without this check, the calls would never end.
    return error.__cause__ is not error and is_due_to(error.__cause__, failure)


# Type checkers do not see this function, because they would then accept every name.
if not TYPE_CHECKING:
    __getattr__ = refusing(__name__)
