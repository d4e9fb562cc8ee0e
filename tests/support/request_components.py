"""Components of one request, and pages that ask for them."""

from collections.abc import Callable, Iterator

from werkzeug.exceptions import NotFound
from werkzeug.test import create_environ

from framework import (
    Application,
    Inject,
    Middleware,
    Next,
    Request,
    Response,
    component,
    configuration,
    controller,
    get,
    guard,
    service,
)
from framework.middleware import component_of


@service
class Log:
    def __init__(self) -> None:
        self.lines: list[str] = []


@component(scope="request")
class Cart:
    def __init__(self, log: Log) -> None:
        log.lines.append("made")
        self.items: list[str] = []


class Connection:
    def __init__(self, log: Log) -> None:
        self.log = log


@configuration
class Database:
    @component(scope="request")
    def connection(self, log: Log) -> Iterator[Connection]:
        log.lines.append("begin")
        try:
            yield Connection(log)
        except Exception as error:
            log.lines.append(f"failed with {error!r}")
            raise
        finally:
            log.lines.append("end")


class Filling:
    def check(self, cart: Inject[Cart]) -> bool:
        cart.items.append("guard")
        return True


def filling(request: Request, next: Next) -> Response:
    component_of(request, Cart).items.append("middleware")
    return next(request)


@configuration
class Around:
    @component
    def middleware(self) -> list[Middleware]:
        return [filling]


@controller("/")
class Pages:
    @get("/cart")
    @guard(Filling)
    def cart(self, cart: Inject[Cart], again: Inject[Cart]) -> list[str]:
        again.items.append("handler")
        return cart.items

    @get("/show")
    def show(self, connection: Inject[Connection]) -> str:
        connection.log.lines.append("show")
        return "shown"

    @get("/raise")
    def fail(self, connection: Inject[Connection]) -> str:
        raise LookupError("lost")

    @get("/missing")
    def missing(self, connection: Inject[Connection]) -> str:
        raise NotFound

    @get("/stream")
    def stream(self, connection: Inject[Connection]) -> Iterator[str]:
        yield "a"
        connection.log.lines.append("between")
        yield "b"

    @get("/broken")
    def broken(self, connection: Inject[Connection]) -> Iterator[str]:
        yield "a"
        raise LookupError("too late")

    @get("/passed")
    def passed(self, connection: Inject[Connection]) -> Response:
        return Response(iter([b"a", b"b"]), direct_passthrough=True)

    @get("/untouched")
    def untouched(self) -> str:
        return "untouched"


def lines_of(visit: Callable[[Application], object]) -> list[str]:
    """Return what components log while an application is visited."""
    log = Log()
    visit(Application(Pages, Database, Log, replacements={Log: log}))
    return log.lines


def begin(
    application: Application, path: str, method: str = "GET", log: list[str] | None = None
) -> Iterator[bytes]:
    """Send a request, note when its headers leave, and return its body unread."""

    def start_response(*_: object) -> Callable[[bytes], object]:
        if log is not None:
            log.append("headers")
        return print

    return iter(application(create_environ(path, method=method), start_response))


def end(body: Iterator[bytes]) -> None:
    """Close a body, as a server does at its end or when the client has left."""
    getattr(body, "close", lambda: None)()


def call(application: Application, path: str, method: str = "GET") -> None:
    """Send a request, and read the response to its end."""
    body = begin(application, path, method)
    b"".join(body)
    end(body)


@service
class Keeper:
    def __init__(self, cart: Cart) -> None: ...


@service
class Manager:
    def __init__(self, keeper: Keeper) -> None: ...
