"""The sessions of a user: a description, a limit, and methods of a manager to list and end them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sessions.core.async_driving import AsyncDriver
from sessions.core.driving import BlockingDriver
from sessions.core.face import SessionFace
from sessions.core.ids import is_key
from sessions.core.owned import OwnedState
from sessions.core.persistence import Persistence
from sessions.core.signed_in import utc
from sessions.core.state import State
from sessions.core.stateless import StatelessSessions
from sessions.core.stored import StoredSessions
from sessions.core.turn import Turn, reentrant_turn
from sessions.core.user_ids import check_user_id
from sessions.core.user_limits import SessionLimit
from sessions.public_names import refusing
from sessions.record import Record

__all__ = ["SessionInfo", "SessionLimit"]


@dataclass(frozen=True, slots=True)
class SessionInfo:
    """One session in a list of a user's sessions; it contains no secret.

    `handle` is the public name of the session. `created_at` is the time of its sign-in.
    `user_agent` and `address` are known only with `SessionContainer(remember_devices=True)`.
    `address` is the network of the client, not its full address.
    """

    handle: str
    created_at: datetime
    last_access: datetime
    expires_at: datetime
    user_agent: str | None = None
    address: str | None = None


class UserSessions:
    """List and end the sessions of a user: methods of a `SessionManager`."""

    _driver: BlockingDriver
    _sessions: StoredSessions | StatelessSessions

    def sessions_of(self, user_id: str) -> list[SessionInfo]:
        """Return the live sessions of a user, the latest sign-in first.

        Raises SessionError if the store has no index of users.
        """
        flow = self._sessions.sessions_of(check_user_id(user_id, "sessions_of()"))
        return infos_of(
            self._sessions,
            self._driver.run(own_state(self._sessions, reentrant_turn()), flow),
        )

    def end_sessions_of(
        self, user_id: str, keep: "SessionFace[Any] | str | None" = None
    ) -> int | None:
        """End all sessions of a user, except `keep`: a session or its handle.

        Return how many were ended; None for stateless sessions, because nobody can count them. If a
        login is not complete yet, its session survives. If the store fails, some sessions have
        possibly ended: call the method again. Raises SessionError if the store has no index of
        users, or if stateless sessions have no `revocations`.
        """
        state = own_state(self._sessions, reentrant_turn())
        user = check_user_id(user_id, "end_sessions_of()")
        flow = self._sessions.end_sessions_of(state, user, handle_of(keep))
        return self._driver.run(state, flow)

    def end_session_of(self, user_id: str, handle: str) -> bool:
        """End one session of a user; return whether the user had a live session with this handle.

        Raises SessionError if the store has no index of users.
        """
        state = own_state(self._sessions, reentrant_turn())
        user_id = check_user_id(user_id, "end_session_of()")
        return self._driver.run(state, self._sessions.end_session_of(state, user_id, handle))


class AsyncUserSessions:
    """List and end the sessions of a user: methods of an `AsyncSessionManager`."""

    _driver: AsyncDriver
    _sessions: StoredSessions | StatelessSessions

    async def sessions_of(self, user_id: str) -> list[SessionInfo]:
        """Return the live sessions of a user: see `SessionManager.sessions_of`."""
        flow = self._sessions.sessions_of(check_user_id(user_id, "sessions_of()"))
        return infos_of(
            self._sessions, await self._driver.run(own_state(self._sessions, Turn()), flow)
        )

    async def end_sessions_of(
        self, user_id: str, keep: "SessionFace[Any] | str | None" = None
    ) -> int | None:
        """End all sessions of a user, except `keep`: see `SessionManager.end_sessions_of`.

        If the caller is cancelled, the work goes on to its end.
        """
        state = own_state(self._sessions, Turn())
        user = check_user_id(user_id, "end_sessions_of()")
        flow = self._sessions.end_sessions_of(state, user, handle_of(keep))
        return await self._driver.run(state, flow)

    async def end_session_of(self, user_id: str, handle: str) -> bool:
        """End one session of a user: see `SessionManager.end_session_of`."""
        state = own_state(self._sessions, Turn())
        user_id = check_user_id(user_id, "end_session_of()")
        return await self._driver.run(state, self._sessions.end_session_of(state, user_id, handle))


def handle_of(keep: object) -> str | None:
    """Return the handle of the session to keep; raise TypeError or ValueError for anything else."""
    if isinstance(keep, SessionFace):
        return keep.handle
    # The value is not shown, because it may be an id or a token.
    if keep is not None and not isinstance(keep, str):
        raise TypeError(
            f"keep= has a value of type {type(keep).__name__}, which is not a session. Fix: give"
            " the session or its handle, session.handle"
        )
    if keep is not None and not is_key(keep):
        # With another text, the session to keep would end with the others.
        raise ValueError(
            "keep is a text that is not the handle of a session. Fix: give the session or its"
            " handle, session.handle, and not session.id"
        )
    return keep


def infos_of(sessions: Persistence, found: Iterable[tuple[str, Record]]) -> list[SessionInfo]:
    """Return the list of `SessionInfo` for these records."""
    return [
        SessionInfo(
            handle=key,
            created_at=utc(record.created_at),
            last_access=utc(record.accessed_at),
            expires_at=utc(record.expires_at),
            user_agent=device.user_agent,
            address=device.address,
        )
        for key, record in found
        for device in [sessions.device_in(key, record)]
    ]


def own_state(sessions: Persistence, turn: Any) -> State:
    """Return the state for a manager's own call, without a request and without a session."""
    state = OwnedState(None, sessions.clock(), turn)
    state.ids, state.is_bounded = (), False
    return state


# Type checkers do not see this function, because they would then accept every name.
if not TYPE_CHECKING:
    __getattr__ = refusing(__name__)
