"""Middleware around every answer: its order, how it is listed and how it is called."""

import reprlib
from collections.abc import Iterator, Sequence
from inspect import isfunction
from typing import TYPE_CHECKING, cast

from werkzeug.datastructures import Headers
from werkzeug.wrappers import Request, Response

from framework.http.context import Context, context_of
from framework.http.responses import Answer, Recover, Rendered, close_body, render_response
from framework.injection.graph import Graph
from framework.middleware import (
    Middleware,
    Next,
    goes_around,
    is_about_middleware,
    refuse_gateways,
    refuse_uncallable,
)
from framework.report import Mistake, Place, Report, location
from framework.types.forgotten_returns import forgotten_return
from framework.types.signatures import describe


def read_middleware(graph: Graph, report: Report) -> list[Middleware]:
    """List the application's middleware, outermost first; make an object of each listed class."""
    _note_misread(graph, report)
    found: list[Middleware] = []
    for key in _KEYS:
        where = graph.provider_of(key)
        if where is None:
            continue
        here = report.at(where)
        with here:
            listed = graph.get(key)
            if not isinstance(listed, list | tuple):
                raise _not_middleware(listed)
            found += _instances(listed, graph, here)
    return found


class AllMiddleware(tuple[Middleware, ...]):
    """The middleware of an application, the outermost first."""

    __slots__ = ()

    if not TYPE_CHECKING:

        def __call__(self, *_: object, **__: object) -> object:
            """Refuse the decorator of other frameworks, `@app.middleware("http")`."""
            raise TypeError(
                "app.middleware is a tuple and cannot be called. Fix: in a @configuration, return"
                " the middleware from a @component method annotated `-> list[Middleware]`."
            )


def note_lost_middleware(graph: Graph, middleware: Sequence[Middleware], report: Report) -> None:
    """Report middleware that nothing calls, because no method returns it in a list[Middleware]."""
    listed = {type(layer) for layer in middleware if not isfunction(layer)}
    for keys, where, value in graph.unasked():
        is_reported = any(is_about_middleware(key) for key in keys)
        # component_of may ask for a component of the request while the request runs.
        surely = value is keys
        if not is_reported and type(value) not in listed and goes_around(value, surely=surely):
            _note_lost(report.at(where), keys[0], is_second=False)


def wrap(answer: Answer, middleware: Sequence[Middleware], recover: Recover) -> Answer:
    """Return a function that calls the middleware around the function `answer`."""
    call = _innermost(answer)
    for layer in reversed(middleware):
        call = _step(layer, call, recover)

    def wrapped(context: Context) -> Rendered:
        try:
            response = call(context.request)
            _end_dropped(context, response)
            return render_response(response, context.environ, "middleware")
        # Building the request may refuse the body, and rendering the response may fail.
        except Exception as error:  # noqa: BLE001
            return recover(error, context)

    return wrapped


def _note_misread(graph: Graph, report: Report) -> None:
    """Report each list of middleware that has no effect.

    The list has a wrong type, or it is a second list. The application reads only one list.
    """
    keys = [key for key in graph.provided() if is_about_middleware(key)]
    first = next((key for key in keys if key in _KEYS), None)
    for key in keys:
        if key is not first:
            _note_lost(report.at(graph.provider_of(key) or ""), key, is_second=key in _KEYS)


def _note_lost(here: Place, key: object, *, is_second: bool) -> None:
    what = "has no effect as middleware: the application takes middleware from list[Middleware]"
    if is_second:
        what = "is a second list of middleware, but the application takes only one list"
    here.note(
        f"{describe(key)} {what}",
        "Return all middleware from one method annotated `-> list[Middleware]`.",
    )


def _instances(listed: Sequence[object], graph: Graph, here: Place) -> Iterator[Middleware]:
    for given in listed:
        with here:
            refuse_gateways(given)
            found = graph.stand_in(given)
            if not callable(found):
                raise _not_middleware(given)
            refuse_uncallable(found)
            _refuse_forgetful(found)
            yield cast(Middleware, found)


def _refuse_forgetful(found: object) -> None:
    """Raise `Mistake` for middleware that never returns a response."""
    function = found if isfunction(found) else vars(type(found)).get("__call__")
    forgotten = forgotten_return(function) if isfunction(function) else None
    if forgotten is not None:
        what = f"the middleware {location(function)} never returns a Response"
        raise Mistake(what, f"{forgotten.remedy}")


def _not_middleware(listed: object) -> Mistake:
    return Mistake(
        f"{reprlib.repr(listed)} is listed as middleware, but does not take (request, next)",
        "Put functions (request, next) into the list, or classes or objects whose __call__ takes"
        " (request, next).",
    )


def _innermost(answer: Answer) -> Next:
    """Return the function that gives middleware the handler's answer as a response."""

    def innermost(request: Request) -> Response:
        context = context_of(request)
        rendered = answer(context)
        response = _response(rendered)
        close = getattr(rendered[2], "close", None)
        if close is not None:
            # The body is closed even if middleware gives the response another body.
            response.call_on_close(close)
            context.responses = (*context.responses, response)
        return response

    return innermost


def _end_dropped(context: Context, sent: Response) -> None:
    """Close the handler's responses that middleware has replaced with another response."""
    for response in context.responses:
        if response is not sent and sent.is_streamed:
            # The sent stream may still read from the response of the handler.
            sent.call_on_close(response.close)
        elif response is not sent:
            close_body(response)


def _step(middleware: Middleware, inner: Next, recover: Recover) -> Next:
    """Return a function that calls one middleware, and turns each error into a response at once."""

    def step(request: Request) -> Response:
        try:
            response = middleware(request, inner)
            if not isinstance(response, Response):
                raise _no_response(middleware, response)
        # Every error is answered here, so that the outer middleware sees a response.
        except Exception as error:  # noqa: BLE001
            context = context_of(request)
            context.fail(error)
            return _response(recover(error, context))
        return response

    return step


def _response(rendered: Rendered) -> Response:
    status, headers, body = rendered
    response = Response(body, status)
    # The constructor of Response would add a Content-Type of Werkzeug's choice to the headers.
    response.headers = Headers(headers)
    return response


def _no_response(middleware: Middleware, returned: object) -> TypeError:
    return TypeError(
        f"the middleware {_place(middleware)} returned {reprlib.repr(returned)}, which is not"
        " a Response. Fix: return the result of next(request), or another Response"
    )


def _place(middleware: Middleware) -> str:
    return location(middleware if hasattr(middleware, "__qualname__") else type(middleware))


# Type checkers need the second type for a list that also has classes.
_KEYS: tuple[object, ...] = (list[Middleware], list[Middleware | type[Middleware]])
