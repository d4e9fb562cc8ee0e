"""Ids to test with."""

from sessions.core.ids import new_id, random_secret


def an_id() -> str:
    """Return an id that no session has."""
    return new_id(random_secret).text
