"""What requests do in the tests of revoked tokens."""

from typing import Any

from sessions import (
    Session,
)
from tests.support.apps import Site


def signs_in(session: Session) -> None:
    """Sign a user in."""
    session.set_user("ada")


def destroys(session: Session) -> None:
    """Log out."""
    session.destroy()


def regenerates(session: Session) -> None:
    """Take a new id."""
    session.regenerate()


def signs_out(session: Session) -> None:
    """Sign the user out."""
    session.clear_user()


def content(site: Site, cookie: str) -> Any:
    """Return the content of the session that a request with the cookie sees."""
    return site.visit(lambda session: (dict(session), session.user_id), cookie).value


NOBODY: Any = ({}, None)
