"""Show the log lines of the application in the development server."""

import logging

from sessions.logs import HideIds
from sessions.manager import SessionManager


def show_logs() -> None:
    """Show log lines from INFO on, if the application does not set up logging itself.

    This function sets `logging.lastResort`, which Python uses only if the application has added no
    log handler.
    """
    root = logging.getLogger()
    if root.level == logging.WARNING:
        root.setLevel(logging.INFO)
    last_resort = logging.StreamHandler()
    last_resort.setLevel(logging.INFO)
    last_resort.setFormatter(logging.Formatter("%(levelname)s %(name)s: %(message)s"))
    logging.lastResort = last_resort


def hide_ids(sessions: SessionManager | None) -> None:
    """Hide the ids of sessions in the lines about requests, if URLs can contain ids."""
    links = None if sessions is None else sessions.tokens.links
    if links is not None:
        logging.getLogger("werkzeug").addFilter(HideIds(links.url.parameter))
