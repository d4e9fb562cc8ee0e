"""Refuse servers that do not speak WSGI, with advice; if possible, when the server starts."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

ADVICE = (
    "This application is for WSGI, and the server speaks {}. Fix: choose WSGI, as in"
    " `uvicorn --interface wsgi shop.app:app` or `granian --interface wsgi shop.app:app`, or use"
    " a server for WSGI, such as gunicorn or waitress."
)

_Receive = Callable[[], Awaitable[object]]
_Send = Callable[[dict[str, str]], Awaitable[object]]


def refuse_asgi(scope: Mapping[str, Any], receive: Any = None, send: Any = None) -> Any:
    """Refuse an ASGI server; version 3 gives all three arguments, and version 2 only the scope."""
    advice = ADVICE.format("ASGI")
    if "type" not in scope:
        raise TypeError(advice)

    async def refuse(receive: _Receive, send: _Send) -> None:
        if scope["type"] != "lifespan":
            raise TypeError(advice)
        await receive()
        # The server ends with this message.
        await send({"type": "lifespan.startup.failed", "message": advice})

    return refuse if send is None else refuse(receive, send)


def refuse_rsgi() -> None:
    """Raise the advice for a server that speaks RSGI, which granian does by default."""
    raise TypeError(ADVICE.format("RSGI"))
