"""`RecentLogin`: a guard for pages that need a recent login (step-up authentication)."""

from datetime import timedelta
from math import isfinite
from typing import TYPE_CHECKING

from werkzeug.exceptions import Forbidden

from framework.advice.other_frameworks import refusing
from sessions.session import Session

__all__ = ["LoginTooOld", "RecentLogin"]


class LoginTooOld(Forbidden):
    """Nobody is signed in, or the sign-in is too long ago; the status is 403.

    A `@catch(LoginTooOld)` can send the user to the login page.
    """

    description = "Log in again to see this page."


class RecentLogin:
    """A guard that passes if the user signed in at most `minutes` minutes ago.

    If the last sign-in is older, or nobody is signed in, the guard raises LoginTooOld. A new
    `session.set_user()` for the same user counts as a new sign-in. Raises ValueError if `minutes`
    is not a positive number.
    """

    def __init__(self, *, minutes: float) -> None:
        is_number = isinstance(minutes, int | float) and not isinstance(minutes, bool)
        if not is_number or not isfinite(minutes) or not 0 < minutes <= 60 * 24 * 3650:
            raise ValueError(
                f"RecentLogin(minutes={minutes!r}) is not a time. Fix: give a positive number of"
                " minutes, such as RecentLogin(minutes=5)"
            )
        self._time = timedelta(minutes=minutes)

    def __repr__(self) -> str:
        return f"RecentLogin(minutes={self._time.total_seconds() / 60:g})"

    def check(self, session: Session) -> bool:
        """Return True for a recent sign-in, or raise LoginTooOld."""
        if not session.signed_in_within(self._time):
            raise LoginTooOld
        return True


# Type checkers report unknown names themselves.
if not TYPE_CHECKING:
    __getattr__ = refusing(__name__)
