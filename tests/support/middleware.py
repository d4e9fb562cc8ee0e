"""Pages with every kind of answer, and middleware around them."""

from collections.abc import Iterator

from werkzeug.exceptions import Forbidden

from framework import (
    Middleware,
    Next,
    Request,
    Response,
    component,
    configuration,
    controller,
    get,
    service,
)
from framework.middleware import session_of


@controller("/")
class Pages:
    @get("/")
    def show(self) -> str:
        return "shown"

    @get("/<int:number>")
    def number(self, number: int) -> int:
        return number

    @get("/nothing")
    def nothing(self) -> None: ...

    @get("/stream")
    def stream(self) -> Iterator[str]:
        yield "a"
        yield "b"

    @get("/broken-stream")
    def broken_stream(self) -> Iterator[str]:
        yield "a"
        raise LookupError("too late")

    @get("/response")
    def response(self) -> Response:
        return Response("own", headers={"X-Own": "1"})

    @get("/raise")
    def fail(self) -> str:
        raise LookupError("a secret")


@service
class Log:
    def __init__(self) -> None:
        self.lines: list[str] = []


class Logging:
    uses_session = False

    def __init__(self, log: Log) -> None:
        self._log = log

    def __call__(self, request: Request, next: Next) -> Response:
        self._log.lines.append(f"{request.method} {request.path}")
        response = next(request)
        response.headers["X-Logged"] = "yes"
        self._log.lines.append(response.status)
        return response


class Tagging:
    uses_session = False

    def __init__(self, tag: str) -> None:
        self._tag = tag

    def __call__(self, request: Request, next: Next) -> Response:
        response = next(request)
        response.headers.add("X-Tag", self._tag)
        return response


def around(*listed: object) -> type:
    """Make a configuration that lists the middleware."""

    @configuration
    class Around:
        @component
        def middleware(self) -> list[Middleware]:
            return list(listed)  # type: ignore[arg-type]

    return Around


def of_a_query(request: Request, next: Next) -> Response:
    """Do what the query asks for."""
    match request.args.get("do"):
        case "refuse":
            raise Forbidden("not you")
        case "fail":
            raise LookupError("a secret")
        case "return":
            return None  # type: ignore[return-value]
        case "answer":
            return Response("its own")
        case "visit":
            session_of(request)["visited"] = True
    return next(request)
