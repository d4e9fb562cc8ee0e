"""Show the log lines of the application in the development server."""

import logging


def show_logs() -> None:
    """Show log lines from INFO on, if the application does not set up logging itself.

    Python uses `logging.lastResort` only if the application has added no handler.
    """
    root = logging.getLogger()
    if root.level == logging.WARNING:
        root.setLevel(logging.INFO)
    last_resort = logging.StreamHandler()
    last_resort.setLevel(logging.INFO)
    last_resort.setFormatter(logging.Formatter("%(levelname)s %(name)s: %(message)s"))
    logging.lastResort = last_resort
