"""Handlers that sign users in, and return the signed-in user."""

from typing import Any

from sessions import Session
from tests.support.apps import Handler


def signs_in(user_id: str = "ada", **user_data: Any) -> Handler:
    """Make a handler that signs a user in."""
    return lambda session: session.set_user(user_id, **user_data)


def who(session: Session) -> tuple[str | None, dict[str, Any]]:
    """Return the signed-in user and the stored data of the user."""
    return session.user_id, session.user_data
