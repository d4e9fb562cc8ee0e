"""The methods of a session about the user who is signed in."""

from collections.abc import MutableMapping
from datetime import UTC, datetime, timedelta
from typing import Any

from sessions.core.state import MISSING, State
from sessions.core.user_ids import check_user_id
from sessions.core.values import OTHER_SIGN_IN, USER_DATA
from sessions.core.wrong_values import timedelta_instead
from sessions.record import CLOCK_TOLERANCE


class SignedIn(MutableMapping[str, Any]):
    """Sign a user in and out; return the user and the time of the sign-in."""

    __slots__ = ()

    _state: State
    _driver: Any
    _readable: Any
    _writable: Any
    _check_headers: Any

    @property
    def user_id(self) -> str | None:
        """Return the id of the user who is signed in, or None."""
        self._readable()
        user_id: str | None = self._driver.sessions.user_id(self._state)
        return user_id

    @property
    def user_data(self) -> dict[str, Any]:
        """Return the keyword arguments of the last `set_user()`."""
        data: dict[str, Any] = self.get(USER_DATA) or {}
        return data

    @property
    def authenticated_at(self) -> datetime | None:
        """Return when the user signed in, or None if nobody is signed in.

        This is the time of the last `set_user()`, even if the same user was signed in again. For a
        session of another system, this is the `authenticated_at` of its `LegacySession`, or None.
        """
        sessions = self._driver.sessions
        if self.user_id is None:
            return None
        elsewhere = self.get(OTHER_SIGN_IN, MISSING)
        if elsewhere is not MISSING:
            return utc(elsewhere) if isinstance(elsewhere, float) else None
        is_pending = isinstance(self._state.pending.user_id, str)
        return utc(sessions.clock() if is_pending else self._state.started_at)

    def signed_in_within(self, time: timedelta) -> bool:
        """Return whether a user is signed in, and signed in at most this time ago."""
        if not isinstance(time, timedelta):
            raise TypeError(
                f"session.signed_in_within({time!r}) needs a timedelta. Fix:"
                f" {timedelta_instead(time)}"
            )
        at = self.authenticated_at
        if at is None:
            return False
        age = self._driver.sessions.clock() - at.timestamp()
        # A sign-in in the future comes from a wrong clock, so nobody knows its age.
        return bool(-CLOCK_TOLERANCE <= age <= time.total_seconds())

    def set_user(self, user_id: str, /, **user_data: Any) -> None:
        """Sign a user in; the next commit stores the sign-in, and gives the session a new id.

        The absolute timeout begins again. The data of a user who was signed in before are removed.
        If another request has ended the session, the user gets a new session.
        """
        check_user_id(user_id, "session.set_user()")
        self._writable()
        self._check_headers()
        self._driver.sessions.set_user(self._state, user_id, user_data)

    def clear_user(self) -> None:
        """Sign the user out, even if the rest of the request fails."""
        self._writable()
        self._driver.sessions.clear_user(self._state)


def utc(seconds: float) -> datetime:
    """Return a time as an aware datetime."""
    try:
        return datetime.fromtimestamp(seconds, UTC)
    # A damaged record may hold a time outside the range of datetime.
    except (OverflowError, ValueError, OSError):
        return (datetime.max if seconds > 0 else datetime.min).replace(tzinfo=UTC)
