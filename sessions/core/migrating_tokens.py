"""Move sessions of another system into tokens, when a request brings a cookie of that system.

The new session begins with the old values, as if the request itself had set these values. So the
response sends the token. If the request fails, the old cookie stays as it is.
"""

from typing import Any, TypeVar, cast

from sessions.core.legacy_calls import Loading, sign_in_of
from sessions.core.legacy_cookies import LegacySession
from sessions.core.moving import Legacy, MovingIn
from sessions.core.outside import CALL
from sessions.core.persistence import Flow
from sessions.core.state import State
from sessions.core.stateless import StatelessSessions
from sessions.core.values import OTHER_SIGN_IN, plain_key
from sessions.errors import SessionTooLarge

T = TypeVar("T", bound=StatelessSessions)


class MigratingTokens(MovingIn, StatelessSessions):
    """Make the decisions about stateless sessions; some sessions come from another system."""

    def move(self, state: State, legacies: list[Legacy]) -> Flow[None]:
        for legacy in legacies:
            loaded = yield (CALL, Loading(legacy.cookie, legacy.content))
            if loaded is None:
                text = f"{legacy.cookie!r} has no session in the other system"
                state.note("rejected", text, "unknown")
                continue
            if self._fits(state, loaded):
                return
            text = f"the session of {legacy.cookie!r} is too large for a token"
            state.note("rejected", text, "too_big")
        self.begin_anew(state)

    def _fits(self, state: State, loaded: LegacySession) -> bool:
        """Move the data to a new session; return whether its token is small enough to be sent."""
        self.begin_anew(state)
        for key, value in loaded.data.items():
            state.set(plain_key(key), value)
        if loaded.user_id is not None:
            self.set_user(state, loaded.user_id, loaded.user_data)
            state.set(OTHER_SIGN_IN, sign_in_of(loaded))
        try:
            self.check(state)
        except SessionTooLarge:
            return False
        return True

    def end_legacies_later(self, state: State) -> None:
        """Do nothing, because a LegacyCookie with `end` is refused for sessions without a store.

        The response clears the cookies of the other system.
        """


def migrating_tokens(kind: type[T]) -> type[T]:
    """Return a subclass of `kind` that also moves sessions of another system into tokens."""
    mixed: Any = type(f"Migrating{kind.__name__}", (MigratingTokens, kind), {})
    return cast("type[T]", mixed)
