"""Middleware goes around every answer: it sees the request first and the response last."""

import reprlib
from collections.abc import Callable, Iterator, Sequence
from inspect import isfunction
from typing import Protocol, TypeVar, cast, get_args

from werkzeug.datastructures import Headers
from werkzeug.wrappers import Request, Response

from framework.annotations.signatures import describe
from framework.exchange import Exchange, exchange_of
from framework.injection import Graph
from framework.mistakes.middleware_calls import call_problem, goes_around
from framework.responses import Answer, Recover, Rendered, close_body, render_response
from framework.startup import AlreadyReported, Problem, location
from sessions.session import Session

T = TypeVar("T")

Next = Callable[[Request], Response]
"""Answer the request: the next middleware, or at last the handler. It raises nothing."""


class Middleware(Protocol):
    """Take a request, and return the response of `next` or another one.

    A function will do, or a class with `__call__`, whose constructor is injected. What it raises
    is answered like an error of a handler. A class or object with `uses_session = False` promises
    not to use the session, so that an application needs none for its sake.
    """

    def __call__(self, request: Request, next: Next, /) -> Response: ...


def session_of(request: Request) -> Session:
    """Return the session of a request, opened without I/O; it is saved outside of middleware."""
    return exchange_of(request).session


def component_of(request: Request, key: type[T]) -> T:
    """Return the component with `scope="request"` that a request has of this type."""
    exchange = exchange_of(request)
    make = exchange.makers.get(key)
    if make is None:
        raise LookupError(
            f'no component {key.__name__} has scope="request"; take one that lives longer as a'
            " parameter of the constructor"
        )
    return cast(T, make(exchange))


def read_middleware(graph: Graph, problems: list[Problem]) -> list[Middleware]:
    """List the application's middleware, outermost first; the classes among it are built."""
    problems += _misread(graph)
    found: list[Middleware | None] = []
    for key in _KEYS:
        try:
            where, listed = graph.provider_of(key) or "", graph.get(key)
        # Either there is none under this key, or the graph has reported why.
        except KeyError:
            continue
        if isinstance(listed, list | tuple):
            found += [_middleware(each, where, graph, problems) for each in listed]
        else:
            problems.append(_no_middleware(where, listed))
    return [each for each in found if each is not None]


def lost_middleware(graph: Graph, middleware: Sequence[Middleware]) -> Iterator[Problem]:
    """Report middleware that nothing asks for under its own type, so that it protects nobody."""
    listed = {type(each) for each in middleware if not isfunction(each)}
    for keys, where, value in graph.unasked():
        is_reported = any(_is_about_middleware(key) for key in keys)
        # What each request has anew, component_of may ask for.
        surely = value is keys
        if not is_reported and type(value) not in listed and goes_around(value, surely=surely):
            yield _lost(where, keys[0], "is not the type")


def uses_session(middleware: Middleware) -> bool:
    """Tell whether middleware may use the session; only itself can know that it does not."""
    return bool(getattr(middleware, "uses_session", True))


def wrap(answer: Answer, middleware: Sequence[Middleware], recover: Recover) -> Answer:
    """Put middleware around an answer."""
    call = _innermost(answer)
    for each in reversed(middleware):
        call = _step(each, call, recover)

    def wrapped(exchange: Exchange) -> Rendered:
        try:
            response = call(exchange.request)
            _end_dropped(exchange, response)
            return render_response(response, exchange.environ, "middleware")
        # The body may be refused as the request is built, and a response may fail as it is made.
        except Exception as error:  # noqa: BLE001
            return recover(error, exchange)

    return wrapped


def _misread(graph: Graph) -> Iterator[Problem]:
    """Report lists of middleware under types that nothing reads, and a second list."""
    keys = [key for key in graph.provided() if _is_about_middleware(key)]
    first = next((key for key in keys if key in _KEYS), None)
    for key in keys:
        if key is not first:
            what = "is not the type" if key not in _KEYS else "is a second type"
            yield _lost(graph.provider_of(key) or "", key, what)


def _lost(where: str, key: object, what: str) -> Problem:
    return Problem(
        where,
        f"{describe(key)} {what} under which the application's middleware is looked up",
        "Return all of it from one method annotated `-> list[Middleware]`.",
    )


def _is_about_middleware(key: object) -> bool:
    return any(Middleware in (each, *get_args(each)) for each in get_args(key))


def _middleware(
    listed: object, where: str, graph: Graph, problems: list[Problem]
) -> Middleware | None:
    try:
        found = graph.stand_in(listed, where)
    except AlreadyReported:
        return None
    problem = call_problem(where, found) if callable(found) else _no_middleware(where, listed)
    if problem is None:
        return cast(Middleware, found)
    problems.append(problem)
    return None


def _innermost(answer: Answer) -> Next:
    """Return what gives middleware the handler's answer as a response."""

    def innermost(request: Request) -> Response:
        exchange = exchange_of(request)
        rendered = answer(exchange)
        response = _response(rendered)
        close = getattr(rendered[2], "close", None)
        if close is not None:
            # Also if middleware gives the response another body.
            response.call_on_close(close)
            exchange.responses = (*exchange.responses, response)
        return response

    return innermost


def _end_dropped(exchange: Exchange, sent: Response) -> None:
    """Close the handler's responses in whose place middleware sends another one."""
    for response in exchange.responses:
        if response is not sent and sent.is_streamed:
            # It may be made of what the handler yields.
            sent.call_on_close(response.close)
        elif response is not sent:
            close_body(response)


def _step(middleware: Middleware, inner: Next, recover: Recover) -> Next:
    """Return middleware that goes around the next one; an error becomes a response at once."""

    def step(request: Request) -> Response:
        try:
            response = middleware(request, inner)
            if not isinstance(response, Response):
                raise _no_response(middleware, response)
        # Whatever it raises is answered, so that the middleware around it sees a response.
        except Exception as error:  # noqa: BLE001
            exchange = exchange_of(request)
            exchange.fail(error)
            return _response(recover(error, exchange))
        return response

    return step


def _response(rendered: Rendered) -> Response:
    status, headers, body = rendered
    response = Response(body, status)
    # Given to the constructor, they would be joined by a Content-Type of Werkzeug's choice.
    response.headers = Headers(headers)
    return response


def _no_response(middleware: Middleware, returned: object) -> TypeError:
    return TypeError(
        f"the middleware {_place(middleware)} returned {reprlib.repr(returned)}, which is no"
        " Response: return what next(request) returns, or a Response of its own"
    )


def _no_middleware(where: str, listed: object) -> Problem:
    return Problem(
        where,
        f"{reprlib.repr(listed)} is listed as middleware, but cannot go around a request",
        "List functions (request, next), or classes or objects whose __call__ takes the two.",
    )


def _place(middleware: Middleware) -> str:
    return location(middleware if hasattr(middleware, "__qualname__") else type(middleware))


# The second is for type checkers, which a class in the list would not please otherwise.
_KEYS: tuple[object, ...] = (list[Middleware], list[Middleware | type[Middleware]])
