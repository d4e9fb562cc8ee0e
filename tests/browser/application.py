"""The application of the browser tests: a page that counts visits, and a logout."""

import secrets

from framework import Application, component, configuration, controller, get, session
from sessions import CookieSettings, MemoryStore, SessionContainer


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


def build(domain: str | None = None) -> Application:
    """Build a fresh application with an empty store, and a domain in place of the default."""

    @configuration
    class Sessions:
        @component
        def session_container(self) -> SessionContainer:
            """Sign with a key of this process."""
            cookie = CookieSettings(domain=domain)
            return SessionContainer(
                keys=[secrets.token_hex(32)], store=MemoryStore(), cookie=cookie
            )

    return Application(Account, Sessions)
