"""If a server does not speak WSGI, raise an error with advice as early as possible."""

from collections.abc import Mapping
from typing import Any

from sessions import other_gateways

ADVICE = (
    "This application is for WSGI, and the server speaks {}. Fix: choose WSGI, as in"
    " `uvicorn --interface wsgi shop.app:app` or `granian --interface wsgi shop.app:app`, or use"
    " a server for WSGI, such as gunicorn or waitress."
)


def refuse_asgi(scope: Mapping[str, Any], receive: Any = None, send: Any = None) -> Any:
    """Refuse an ASGI server with advice: at the server's start, or else in each request."""
    return other_gateways.refuse_asgi(ADVICE.format("ASGI"), scope, receive, send)


def refuse_rsgi() -> None:
    """Raise an error with advice for an RSGI server, such as granian with its default settings."""
    raise TypeError(ADVICE.format("RSGI"))
