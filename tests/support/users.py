"""Handlers that sign users in, and look who they are."""

from typing import Any

from sessions import Session
from tests.support.apps import Handler


def signs_in(user_id: str = "ada", **user_data: Any) -> Handler:
    """Make a handler that signs a user in."""
    return lambda session: session.set_user(user_id, **user_data)


def who(session: Session) -> tuple[str | None, dict[str, Any]]:
    """Return who is signed in, and what is known of them."""
    return session.user_id, session.user_data
