"""The answers of an operation: results, raised errors, and their exception handlers."""

import http
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, NoReturn

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator
from werkzeug import exceptions
from werkzeug.exceptions import (
    Conflict,
    Forbidden,
    Gone,
    HTTPException,
    NotFound,
    Unauthorized,
    UnprocessableEntity,
    abort,
)

from framework import (
    Body,
    Response,
    catch,
    component,
    configuration,
    controller,
    get,
    guard,
    post,
)
from framework.results import HTML, JSON
from sessions.errors import SessionNotFound
from tests.support.openapi_shop import document_of

DAY = str(date.today())
REF = "#/components/schemas/"


@dataclass
class Order:
    number: int


@dataclass
class Trouble:
    """Say what went wrong."""

    text: str


class UnknownOrder(LookupError):
    """There is no such order."""


class Teapot(HTTPException):
    code = 418


class Odd(HTTPException):
    code = 499


def _answers(target: type, *others: type, path: str = "/") -> dict[str, Any]:
    """Return the answers of the one operation, with those to which they refer in place."""
    document = document_of(target, *others)
    assert list(OpenAPIV31SpecValidator(document).iter_errors()) == []
    (operation,) = document["paths"][path].values()
    shared = document["components"].get("responses", {})
    return {
        status: shared[answer["$ref"].rpartition("/")[2]] if "$ref" in answer else answer
        for status, answer in operation["responses"].items()
    }


def _schemas(answer: dict[str, Any]) -> dict[str, Any]:
    """Return the schemas of an answer by media type; a class stands for its reference."""
    return {
        kind: content["schema"].get("$ref", content["schema"])
        for kind, content in answer.get("content", {}).items()
    }


PROBLEM = {"application/problem+json": f"{REF}ProblemDetails"}
TROUBLE = {"application/json": f"{REF}Trouble"}


def test_a_result_with_headers_keeps_its_schema() -> None:
    """It has the decorator's status, also in a union with other results."""

    @controller("/")
    class Orders:
        @post("/", status=201)
        def create(self) -> JSON[Order] | None:
            return JSON(Order(7), headers={"Location": "/orders/7"})

    answers = _answers(Orders)
    assert list(answers) == ["201"]
    assert _schemas(answers["201"]) == {"application/json": f"{REF}Order"}


@pytest.mark.parametrize(
    ("result", "content"),
    [
        (HTML, {"text/html": {"type": "string"}}),
        (JSON, {"application/json": {}}),
        (JSON[Any], {"application/json": {}}),
        (JSON[list[int]], {"application/json": {"type": "array", "items": {"type": "integer"}}}),
        (JSON[Order | None], {"application/json": {"anyOf": [{"type": "null"}, f"{REF}Order"]}}),
        (HTML | JSON[Order], {"text/html": {"type": "string"}, "application/json": f"{REF}Order"}),
        (Order | JSON[Order], {"application/json": f"{REF}Order"}),
        (JSON[str], {"application/json": {"type": "string"}}),
        (Annotated[JSON[Order], "x"], {"application/json": f"{REF}Order"}),
    ],
    ids=str,
)
def test_the_content_of_a_result_is_known_from_its_type(result: Any, content: Any) -> None:
    """The document has the media type that is sent."""

    @controller("/")
    class Results:
        def show(self) -> Any: ...

        show.__annotations__ = {"return": result}
        show = get("/")(show)

    answers = _answers(Results)
    assert list(answers) == ["200"]
    found = _schemas(answers["200"])
    for schema in found.values():
        if isinstance(schema, dict) and "anyOf" in schema:
            schema["anyOf"] = [each.get("$ref", each) for each in schema["anyOf"]]
            schema["anyOf"].sort(key=str, reverse=True)
    assert found == content


def test_a_response_of_an_exception_handler_is_documented() -> None:
    """The answer has the status of @catch, the schema of its result and its docstring."""

    @controller("/")
    class Orders:
        @get("/<int:number>")
        def show(self, number: int) -> Order:
            raise UnknownOrder

        @catch(UnknownOrder, status=410)
        def unknown(self) -> Trouble:
            """Say that the order is gone.

            It was there before.
            """
            return Trouble("gone")

    answers = _answers(Orders, path="/{number}")
    assert list(answers) == ["200", "404", "410"]
    assert answers["410"]["description"] == "Say that the order is gone."
    assert _schemas(answers["410"]) == TROUBLE
    assert _schemas(answers["404"]) == PROBLEM


def test_a_status_may_have_two_documented_responses() -> None:
    """The document describes both, and two exception handlers of one status."""

    @controller("/")
    class Orders:
        @get("/<int:number>")
        def show(self, number: int) -> Order:
            raise UnknownOrder

        @catch(UnknownOrder, status=404)
        def unknown(self) -> Trouble:
            return Trouble("gone")

        @catch(OSError, status=404)
        def lost(self) -> str:
            return "lost"

    answers = _answers(Orders, path="/{number}")
    assert list(answers) == ["200", "404"]
    assert _schemas(answers["404"]) == {**TROUBLE, "text/plain": {"type": "string"}, **PROBLEM}


@configuration
class Everywhere:
    @catch(UnknownOrder, status=404)
    def unknown(self) -> str:
        return "unknown"

    @catch(UnprocessableEntity)
    def unfit(self) -> Trouble:
        return Trouble("unfit")

    @catch(SessionNotFound)
    def ended(self) -> None: ...


def test_the_nearest_exception_handler_is_documented() -> None:
    """A configuration answers errors that no controller catches, also the framework's."""

    @controller("/")
    class Orders:
        @get("/")
        def show(self, page: int) -> Order:
            raise UnknownOrder

        @catch(UnknownOrder, status=410)
        def unknown(self) -> Trouble:
            return Trouble("gone")

    answers = _answers(Orders, Everywhere)
    assert list(answers) == ["200", "410", "422", str(SessionNotFound.status)]
    assert _schemas(answers["422"]) == _schemas(answers["410"]) == TROUBLE


# These leave the 422 of the framework as it is.
NO_HTTP_ERRORS = (UnknownOrder, Teapot, Odd)


@pytest.mark.parametrize(
    ("caught", "status", "result", "expected"),
    [
        (UnknownOrder, None, Trouble, {"200": TROUBLE}),
        (UnknownOrder, None, type(None), {"204": {}}),
        (UnknownOrder, 404, type(None), {"404": {}}),
        (UnknownOrder, 404, JSON[Trouble], {"404": TROUBLE}),
        (UnknownOrder, 404, Response, {"default": {}}),
        (Teapot, None, Trouble, {"418": TROUBLE}),
        (Teapot, 400, Trouble, {"400": TROUBLE}),
        (Odd, None, Trouble, {"499": TROUBLE}),
        (Exception, None, Trouble, {"422": TROUBLE, "500": TROUBLE}),
        (HTTPException, None, Trouble, {"422": TROUBLE}),
        (HTTPException, 400, Trouble, {"400": TROUBLE}),
        (UnprocessableEntity, None, Response, {"default": {}}),
    ],
    ids=str,
)
def test_the_status_of_an_exception_handler_is_documented(
    caught: type[Exception], status: int | None, result: Any, expected: dict[str, Any]
) -> None:
    """The document has the status that is sent: of decorator, error or result."""

    @controller("/")
    class Orders:
        @get("/", status=202)
        def show(self, page: int) -> int:
            return page

        def answer(self) -> Any: ...

        answer.__annotations__ = {"return": result}
        answer = catch(caught, status=status)(answer)

    answers = _answers(Orders)
    del answers["202"]
    found = {status: _schemas(answer) for status, answer in answers.items()}
    assert found == ({"422": PROBLEM, **expected} if caught in NO_HTTP_ERRORS else expected)


class LoggedIn:
    def check(self) -> bool:
        if DAY == "Monday":
            raise Unauthorized("Log in first.")
        return True


class Paid:
    def check(self) -> bool:
        if DAY == "Monday":
            abort(410)
        return True


class Many:
    def check(self) -> bool:
        error = Gone()
        try:
            if DAY == "Monday":
                raise exceptions.TooManyRequests from error
            if DAY == "Tuesday":
                abort(http.HTTPStatus.CONFLICT)
            if DAY == "Friday":
                raise error
        finally:
            for _ in range(1):
                exceptions.abort(503, "no")

        def inner() -> NoReturn:
            raise Teapot

        return bool(inner)


@component
class User:
    def resolve(self) -> str:
        raise Odd


@pytest.mark.parametrize(
    ("guards", "statuses"),
    [
        ([LoggedIn], ["401", "403"]),
        ([LoggedIn()], ["401", "403"]),
        ([Paid], ["403", "410"]),
        ([LoggedIn, Paid], ["401", "403", "410"]),
        ([Many], ["403", "409", "429", "503"]),
    ],
)
def test_an_error_that_a_guard_raises_is_documented(guards: list[Any], statuses: list[str]) -> None:
    """A `raise` or an `abort` in its check is enough."""

    @controller("/")
    class Guarded:
        @get("/")
        @guard(*guards)
        def show(self) -> str:
            return "shown"

    answers = _answers(Guarded)
    assert list(answers) == ["200", *statuses]
    assert all(_schemas(answers[status]) == PROBLEM for status in statuses)


def test_an_error_that_a_handler_or_a_resolver_raises_is_documented() -> None:
    """Errors without a status, redirects and names that are not known are left out."""
    Local = Conflict  # noqa: N806

    @controller("/")
    class Orders:
        @post("/")
        def add(self, order: Body[Order], user: Annotated[str, User]) -> Order:
            if order.number < 0:
                raise Local("twice")
            if order.number > 9:
                raise exceptions.RequestedRangeNotSatisfiable
            if order.number > 8:
                raise ValueError("no")
            if order.number > 7:
                raise exceptions.HTTPException
            raise missing.Error  # type: ignore[name-defined] # noqa: F821

    statuses = ["200", "400", "409", "413", "415", "416", "422", "499"]
    assert list(_answers(Orders, User)) == statuses


def test_an_error_that_is_caught_has_the_response_of_its_handler() -> None:
    """This includes a guard that raises or returns False."""

    @controller("/")
    class Guarded:
        @get("/")
        @guard(LoggedIn)
        def show(self) -> str:
            return "shown"

        @catch(Unauthorized)
        def stranger(self) -> Response:
            return Response(status=303)

        @catch(Forbidden)
        def refused(self) -> Trouble:
            return Trouble("no")

    answers = _answers(Guarded)
    assert list(answers) == ["200", "403", "default"]
    assert _schemas(answers["403"]) == TROUBLE


def test_an_error_of_an_inherited_handler_is_documented() -> None:
    """This includes static methods and decorated methods."""

    class Base:
        @get("/base")
        def base(self) -> str:
            raise NotFound

        @get("/static")
        @staticmethod
        def static() -> str:
            raise NotFound

    @controller("/")
    class Child(Base):
        """Inherit."""

    paths = document_of(Child)["paths"]
    assert all("404" in paths[path]["get"]["responses"] for path in ("/base", "/static"))
