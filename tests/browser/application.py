"""The application of the browser tests: a page that counts visits, and a logout."""

import secrets

from framework import Application, component, configuration, controller, get, session
from sessions import MemoryStore, SessionContainer


@controller("/")
class Account:
    """Count the visits of one browser until it leaves."""

    @get("/")
    def show(self, session: session) -> str:
        """Count one more visit."""
        session["visits"] = session.get("visits", 0) + 1
        return f"visits: {session['visits']}"

    @get("/logout")
    def log_out(self, session: session) -> str:
        """End the session."""
        session.destroy()
        return "goodbye"


@configuration
class Sessions:
    """Keep sessions in memory, with every cookie setting at its default."""

    @component
    def session_container(self) -> SessionContainer:
        """Sign with a key of this process."""
        return SessionContainer(keys=[secrets.token_hex(32)], store=MemoryStore())


def build() -> Application:
    """Build a fresh application with an empty store."""
    return Application(Account, Sessions)
