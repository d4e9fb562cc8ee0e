"""The calls of a legacy cookie's functions: `load` and `end`."""

from collections.abc import Mapping
from typing import Any, NoReturn

from sessions.core.legacy_cookies import LegacyCookie, LegacySession
from sessions.core.outside import OutsideCall
from sessions.errors import SessionError, StoreUnavailable
from sessions.events import logger


class Loading(OutsideCall):
    """Load a session from the other system; None if there is no such session."""

    def __init__(self, cookie: LegacyCookie, content: Any) -> None:
        super().__init__(cookie.load or dict, content)
        self._cookie = cookie

    def learn(self, result: Any) -> LegacySession | None:
        loaded = LegacySession(result) if isinstance(result, Mapping) else result
        if loaded is None or (isinstance(loaded, LegacySession) and _is_right(loaded)):
            return loaded
        raise TypeError(
            f"load of {self._cookie!r} returned a value of type {type(result).__name__}. Fix:"
            " return a dict of values, a LegacySession whose user_id is a str, or None"
        )

    def fail(self, error: Exception) -> NoReturn:
        if isinstance(error, SessionError):
            raise error
        # If the other system does not answer, nobody may be logged out.
        raise StoreUnavailable(
            f"load of {self._cookie!r} raised {type(error).__name__}. Fix: check the other system,"
            " and return None for a session that it does not know"
        ) from error


class Ending(OutsideCall):
    """End a session in the other system; an error is only logged."""

    def __init__(self, cookie: LegacyCookie, content: Any) -> None:
        super().__init__(cookie.end or (lambda _: None), content)
        self._cookie = cookie

    def learn(self, result: Any) -> None:
        """Ignore the result of `end`."""

    def fail(self, error: Exception) -> None:
        logger.error(
            "a session was not ended in the other system, because end of %r failed",
            self._cookie,
            exc_info=error,
        )


def _is_right(loaded: LegacySession) -> bool:
    user_id: object = loaded.user_id
    mappings: tuple[object, ...] = (loaded.data, loaded.user_data)
    is_user = user_id is None or (isinstance(user_id, str) and user_id != "")
    return is_user and all(isinstance(mapping, Mapping) for mapping in mappings)
