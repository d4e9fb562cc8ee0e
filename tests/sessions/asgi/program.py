"""A Starlette application for real servers; its store is named by the environment."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from sessions import MemoryStore, SessionContainer, SQLiteStore
from sessions.asgi import SessionMiddleware, session_of
from sessions.stores.base import AsyncStore, Store
from tests.support.apps import KEY
from tests.support.suspending_store import SuspendingStore
from tests.support.watched import WatchedStore

KIND, FOLDER = os.environ["TESTS_KIND"], os.environ["TESTS_FOLDER"]


def note(line: str) -> None:
    """Write down what the client cannot see."""
    with open(f"{FOLDER}/log", "a") as log:
        log.write(f"{line}\n")


class ClosingStore(WatchedStore):
    """Note when it is closed."""

    def close(self) -> None:
        note("store closed")


WATCHED = ClosingStore(SQLiteStore(f"{FOLDER}/sessions.db") if KIND == "threads" else MemoryStore())
WATCHED.in_place = KIND == "memory"
STORE: Store | AsyncStore = SuspendingStore(WATCHED) if KIND == "suspending" else WATCHED


async def visits(request: Request) -> Response:
    """Count the visits of a session."""
    session = session_of(request)
    session["visits"] = session.get("visits", 0) + 1
    return PlainTextResponse(f"{session['visits']}")


async def look(request: Request) -> Response:
    """Return what the session holds."""
    return JSONResponse(session_of(request).copy())


async def health(request: Request) -> Response:
    """Touch nothing."""
    return PlainTextResponse("alive")


async def logout(request: Request) -> Response:
    """End the session."""
    session_of(request).destroy()
    return PlainTextResponse("bye")


async def breaks(request: Request) -> Response:
    """Break the store for the calls that the query names, or mend it."""
    WATCHED.broken = {*request.query_params.get("calls", "").split()}
    return PlainTextResponse("done")


async def stream(request: Request) -> Response:
    """Save a value, and stream until the client has left."""
    session_of(request)["streamed"] = True

    async def chunks() -> AsyncIterator[bytes]:
        try:
            while True:
                yield b"." * 10_000
                await asyncio.sleep(0.001)
        finally:
            note("stream ended")

    return StreamingResponse(chunks())


async def waits(request: Request) -> Response:
    """Change a value, and wait until the client has left."""
    session_of(request)["waited"] = True
    note("waiting")
    while (await request.receive())["type"] != "http.disconnect":
        pass
    note("client left")
    raise ConnectionError("nobody waits for an answer")


async def websocket(socket: WebSocket) -> None:
    """Count the visits of a session, refused ones too."""
    session = session_of(socket)
    session["visits"] = session.get("visits", 0) + 1
    if "refuse" in socket.query_params:
        return await socket.close(1008)
    await socket.accept()
    await socket.send_text(f"{session['visits']}")
    return await socket.close()


@asynccontextmanager
async def lifespan(app: Starlette) -> AsyncIterator[None]:
    """Note the application's own end."""
    yield
    note("application ended")


app = Starlette(
    lifespan=lifespan,
    routes=[
        Route("/", visits, methods=["GET", "POST"]),
        Route("/look", look),
        Route("/health", health),
        Route("/logout", logout),
        Route("/break", breaks),
        Route("/stream", stream),
        Route("/waits", waits),
        WebSocketRoute("/socket", websocket),
    ],
)
app.add_middleware(SessionMiddleware, container=SessionContainer(keys=[KEY], store=STORE))
