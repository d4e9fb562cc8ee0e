"""Call the two functions of a legacy cookie: `load` and `end`."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NoReturn

from sessions.core.legacy_cookies import LegacyCookie, LegacySession
from sessions.core.outside import OutsideCall
from sessions.core.user_ids import check_user_id
from sessions.errors import SessionError, StoreUnavailable
from sessions.events import logger


class Loading(OutsideCall):
    """Load a session from the other system; None if there is no such session."""

    def __init__(self, cookie: LegacyCookie, content: Any) -> None:
        super().__init__(cookie.load or dict, content)
        self._cookie = cookie

    def succeed(self, result: Any) -> LegacySession | None:
        loaded = LegacySession(result) if isinstance(result, Mapping) else result
        if isinstance(loaded, LegacySession) and _is_right(loaded):
            _check_user(loaded, f"load() of {self._cookie!r}")
            return loaded
        if loaded is None:
            return None
        raise TypeError(
            f"load() of {self._cookie!r} returned a value of type {type(result).__name__}. Fix:"
            " return a dict of values, a LegacySession with a dict of values, or None"
        )

    def fail(self, error: Exception) -> NoReturn:
        if isinstance(error, SessionError):
            raise error
        # If the other system does not answer, its users must stay logged in.
        raise StoreUnavailable(
            f"load() of {self._cookie!r} raised {type(error).__name__}. Fix: check the other"
            " system, and return None for a session that the other system does not know"
        ) from error


class Ending(OutsideCall):
    """End a session in the other system; an error is logged, and not raised."""

    def __init__(self, cookie: LegacyCookie, content: Any) -> None:
        super().__init__(cookie.end or (lambda _: None), content)
        self._cookie = cookie

    def succeed(self, result: Any) -> None:
        """Ignore the result of `end`."""

    def fail(self, error: Exception) -> None:
        logger.error(
            "a session was not ended in the other system, because end() of %r failed",
            self._cookie,
            exc_info=error,
        )


def sign_in_of(loaded: LegacySession) -> float | None:
    """Return the time of a sign-in in the other system, in seconds, or None if it is unknown."""
    at = loaded.authenticated_at
    return None if at is None else at.timestamp()


def _is_right(loaded: LegacySession) -> bool:
    mappings: tuple[object, ...] = (loaded.data, loaded.user_data)
    return all(isinstance(mapping, Mapping) for mapping in mappings)


def _check_user(loaded: LegacySession, given: str) -> None:
    at: object = loaded.authenticated_at
    if at is not None and not (isinstance(at, datetime) and at.tzinfo is not None):
        raise TypeError(
            f"{given} gave authenticated_at={at!r}. Fix: give a datetime with a time zone, such as"
            " datetime.fromtimestamp(seconds, UTC), or None if the time is unknown"
        )
    if loaded.user_id is not None:
        check_user_id(loaded.user_id, given)
