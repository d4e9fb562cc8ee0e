"""An application that uses its session in every way, and a store that counts its calls."""

from collections.abc import Callable, Iterator
from typing import Any

from werkzeug.exceptions import BadRequest, Conflict, HTTPException, ServiceUnavailable
from werkzeug.utils import redirect

from framework import Body, Request, Response, Session, controller, get, post, session
from framework.testing import Client
from sessions import Changes, Ended, MemoryStore, Outcome, Record, StoreUnavailable

KEYS = ["k" * 10 + "0123456789abcdefghijklmnopqrstuvwxyz"]


class Spy(MemoryStore):
    """A store that counts its calls, and fails in chosen calls."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[str] = []
        self.broken: set[str] = set()

    def _note(self, call: str) -> None:
        self.calls.append(call)
        if call in self.broken:
            raise StoreUnavailable("the disk of db-7.internal is full")

    def load(self, key: str) -> Record | Ended | None:
        self._note("load")
        return super().load(key)

    def create(self, key: str, record: Record) -> bool:
        self._note("create")
        return super().create(key, record)

    def commit(self, key: str, changes: Changes) -> Outcome:
        self._note("commit")
        return super().commit(key, changes)

    def touch(self, key: str, secret: str, expires_at: float, accessed_at: float) -> bool:
        self._note("touch")
        return super().touch(key, secret, expires_at, accessed_at)

    def delete(self, key: str, *, user_id: str | None = None) -> bool:
        self._note("delete")
        return super().delete(key, user_id=user_id)


RAISED: dict[str, Callable[[], Exception]] = {
    "400": BadRequest,
    "409": lambda: Conflict(response=Response("own", 409)),
    "503": ServiceUnavailable,
    "bug": lambda: LookupError("a secret"),
    "teapot": lambda: HTTPException(response=Response(status=418)),
}


@controller("/")
class Visits:
    """Use the session in every way."""

    ended = 0

    @get("/closing")
    def closing(self, session: session) -> Response:
        session["n"] = 1
        response = Response("never sent")
        response.call_on_close(self._end)
        return response

    def _end(self) -> None:
        Visits.ended += 1

    @get("/untouched")
    def untouched(self, session: session) -> str:
        return "untouched"

    @get("/without")
    def without(self) -> str:
        return "without"

    @get("/read")
    def read(self, session: session) -> int:
        return int(session.get("n", 0))

    @post("/write")
    @get("/write")
    def write(self, session: session) -> int:
        session["n"] = session.get("n", 0) + 1
        return int(session["n"])

    @get("/write/<status>")
    def write_status(self, session: session, status: int) -> Response:
        session["n"] = session.get("n", 0) + 1
        return Response(status=status)

    @get("/write-then-raise/<name>")
    def write_then_raise(self, session: session, name: str) -> str:
        session["n"] = session.get("n", 0) + 1
        raise RAISED[name]()

    @get("/regenerate-then-raise/<name>")
    def regenerate_then_raise(self, session: session, name: str) -> str:
        session["n"] = session.get("n", 0) + 1
        session.regenerate()
        session["n"] = 99
        raise RAISED[name]()

    @post("/login")
    def login(self, session: session) -> Any:
        session.regenerate()
        session["user"] = "ada"
        return redirect("/read")

    @post("/logout")
    def logout(self, session: session) -> None:
        session.destroy()

    @get("/own-cookie")
    def own_cookie(self, session: session) -> Response:
        session["n"] = 1
        response = Response("own", headers={"Vary": "Accept-Language"})
        response.set_cookie("theme", "dark")
        return response

    @get("/unencodable")
    def unencodable(self, session: session) -> Response:
        session["bad"] = object()
        response = Response("never sent")
        response.set_cookie("theme", "dark")
        return response

    @get("/stream")
    def stream(self, session: session) -> Iterator[str]:
        session["n"] = session.get("n", 0) + 1
        yield "saved"
        yield "closed"

    @get("/stream-nested")
    def stream_nested(self, session: session) -> Iterator[str]:
        session["cart"] = ["saved"]
        yield "saved"
        session["cart"].append("lost")
        yield "lost"

    @post("/write-body")
    def write_body(self, session: session, body: Body[dict[str, int]]) -> None:
        session.update(body)

    @get("/stream-late")
    def stream_late(self, session: session) -> Iterator[str]:
        session["n"] = 1
        yield "saved"
        session["n"] = 2
        yield "never"

    @get("/stream-fails-first")
    def stream_fails_first(self, session: session) -> Iterator[str]:
        session["n"] = 1
        yield str(int("x"))

    @get("/streamed-response")
    def streamed_response(self, session: session) -> Response:
        return Response(self.stream(session))

    @get("/by-request")
    def by_request(self, request: Request, session: Session) -> str:
        session["path"] = request.path
        return request.path


def saved(client: Client) -> int:
    """Return the stored values of the client's session."""
    with client.session() as session:
        return int(session.get("n", 0))
