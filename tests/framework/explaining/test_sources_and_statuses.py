"""`framework explain`: forms, sessions, the steps around every request, other statuses."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.commands import Framework

SHOP = """
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Annotated
import msgspec
from werkzeug.datastructures import FileStorage
from werkzeug.exceptions import HTTPException, NotFound
from framework import *
from framework.cors import CORS
from framework.csrf import CSRF

@dataclass
class Order:
    name: str
    amount: Annotated[int, msgspec.Meta(ge=1, le=10)]
    photo: FileStorage | None = None

@component
class User:
    def resolve(self, session: session) -> str: ...

class Connection: ...

def logged(request: Request, next: Next) -> Response:
    return next(request)

@configuration
class Web:
    @component
    def settings(self) -> HTTPSettings:
        return HTTPSettings(trusted_hosts=["shop.example"])

    @component
    def middleware(self) -> list[Middleware]:
        return [CSRF(), CORS(origins=["https://a.example"]), logged][:MIDDLEWARE]

    @component(scope="request")
    def connection(self, session: Session) -> Iterator[Connection]:
        yield Connection()

    @catch(HTTPException, status=418)
    def other(self, lang: Query[str] = "en") -> str: ...

    @catch(NotFound)
    def missing(self, session: Session) -> str: ...

@controller("/")
class Pages:
    @post("/names")
    def names(
        self,
        name: Annotated[str, form(min_length=1, max_length=40)],
        tags: Annotated[list[str], form("tag", max_length=3)],
        size: Query[Annotated[int, msgspec.Meta(le=100)]] = 10,
    ) -> None: ...

    @post("/orders")
    def order(self, order: Form[Order]) -> None: ...

    @get("/resolved")
    def resolved(self, user: Annotated[str, User]) -> None: ...

    @get("/connected")
    def connected(self, connection: Inject[Connection]) -> None: ...

    @get("/value/<path:rest>")
    def rest(self, rest: str, request: Request, session: Session) -> None: ...

    @get("/value")
    def value(self, cart: Annotated[list[str], session_value("cart")] = []) -> None: ...

    @get("/needed")
    def needed(self, user: Annotated[str, session_value("user")]) -> None: ...

    @put("/request")
    @get("/request")
    def request(self, request: Request) -> None: ...

app = Application(Pages, Web, User)
"""
OBJECT = "loaded when code first uses it, saved if it changed"
CAUGHT = {"by": "Web.missing (app.py:44)", "how": OBJECT}


def explained(framework: Framework, method: str, path: str, *, middleware: int = 0) -> Any:
    Path("app.py").write_text(SHOP.replace("MIDDLEWARE", str(middleware)))
    return json.loads(framework("explain", method, path, "--json").output)


def test_the_limits_of_a_form_are_shown(framework: Framework) -> None:
    """The output shows limits of forms like limits of a query."""
    arguments = explained(framework, "POST", "/names")["match"]["arguments"]

    assert [(each["where"], each["conversion"]) for each in arguments] == [
        ("form:name", "text → str, min_length=1, max_length=40"),
        ("form:tag", "text → list[str], max_length=3"),
        ("query:size", "text → int, le=100"),
    ]


def test_the_fields_of_a_form_object_are_shown(framework: Framework) -> None:
    """Each field has its own line."""
    (order,) = explained(framework, "POST", "/orders")["match"]["arguments"]

    assert (order["where"], order["conversion"]) == ("form", "form → Order")
    assert [(each["where"], each["conversion"], each["default"]) for each in order["parts"]] == [
        ("form:name", "text → str", None),
        ("form:amount", "text → int, ge=1, le=10", None),
        ("form:photo", "file → FileStorage", "…"),
    ]


@pytest.mark.parametrize(
    ("path", "use"),
    [
        ("/resolved", {"by": "User.resolve (app.py:20)", "how": OBJECT}),
        ("/connected", {"by": "Web.connection (app.py:37)", "how": OBJECT}),
        (
            "/value",
            {"by": "the handler", "how": "session:cart is loaded at once, saved if it changed"},
        ),
        ("/request", {"by": "the handler", "how": "may use it through the request"}),
    ],
)
def test_each_user_of_the_session_is_shown(framework: Framework, path: str, use: object) -> None:
    """Every user of the session is named, however deep it is."""
    assert explained(framework, "GET", path)["session"] == [use, CAUGHT]


def test_the_use_of_the_session_is_shown_once(framework: Framework) -> None:
    """One line describes the use of the session."""
    uses = explained(framework, "GET", "/value/a/b")["session"]

    assert uses == [{"by": "the handler", "how": OBJECT}, CAUGHT]


def test_the_other_methods_of_a_path_with_slashes_are_shown(framework: Framework) -> None:
    """A variable may stand for several segments."""
    assert explained(framework, "GET", "/value/a/b")["other_methods"] == ["HEAD", "OPTIONS"]


def test_csrf_reads_the_session_of_unsafe_requests_only(framework: Framework) -> None:
    """CORS never reads the session; other middleware may."""
    names = [
        [each["by"] for each in explained(framework, method, path, middleware=3)["session"]]
        for method, path in [("POST", "/orders"), ("GET", "/value")]
    ]

    assert names == [
        ["Web.missing (app.py:44)", "CSRF (framework.csrf)", "logged (app.py:24)"],
        ["the handler", "Web.missing (app.py:44)", "logged (app.py:24)"],
    ]


@pytest.mark.parametrize(
    ("method", "path", "statuses"),
    [
        ("GET", "/value", [204, 400, 404, 418, 500, 500, 503]),
        ("GET", "/request", [204, 400, 404, 418, 500, 500, 503]),
        ("PUT", "/request", [204, 400, 400, 403, 404, 413, 418, 500, 500, 503]),
        ("POST", "/orders", [204, 400, 400, 403, 404, 413, 415, 418, 422, 500, 500, 503]),
    ],
)
def test_statuses_of_host_checks_csrf_and_store_are_shown(
    framework: Framework, method: str, path: str, statuses: list[int]
) -> None:
    """The host, CSRF, a large body and the session store have their statuses."""
    answers = explained(framework, method, path, middleware=3)["answers"]

    assert [each["status"] for each in answers] == statuses


def test_the_middleware_of_an_unknown_path_is_shown(framework: Framework) -> None:
    """The output lists the middleware and the exception handler that sees it."""
    explanation = explained(framework, "GET", "/nope", middleware=3)

    assert explanation["match"] is None
    assert explanation["middleware"] == [
        "CSRF (framework.csrf)",
        "CORS (framework.cors)",
        "logged (app.py:24)",
    ]
    assert [each["handler"] for each in explanation["catches"]] == ["Web.missing (app.py:44)"]
    assert explanation["answers"][0] == {"status": 404, "why": "NotFound is caught"}
    assert [each["by"] for each in explanation["session"]] == [
        "Web.missing (app.py:44)",
        "logged (app.py:24)",
    ]


def test_the_exception_handler_of_a_405_is_shown(framework: Framework) -> None:
    """The exception handler of the nearest type answers."""
    explanation = explained(framework, "POST", "/value")

    (caught,) = explanation["catches"]
    assert caught["handler"] == "Web.other (app.py:41)"
    assert caught["arguments"][0]["where"] == "query:lang"
    assert explanation["answers"][0] == {"status": 418, "why": "MethodNotAllowed is caught"}


def test_an_automatic_answer_has_no_exception_handler(framework: Framework) -> None:
    """OPTIONS is not an error, but an untrusted host is."""
    explanation = explained(framework, "OPTIONS", "/value")

    assert explanation["catches"] == []
    assert [each["status"] for each in explanation["answers"]] == [204, 400]


def test_the_whole_output_is_a_table(framework: Framework) -> None:
    """The output is a table, and no line is long."""
    Path("app.py").write_text(SHOP.replace("MIDDLEWARE", "3"))
    lines = framework("explain", "POST", "/orders").output.splitlines()

    assert "  arguments      order: Order                     form         form → Order" in lines
    assert (
        "                   amount: int                    form:amount  text → int, ge=1, le=10"
        in lines
    )
    assert "                   lang: str = 'en'  query:lang  text → str" in lines
    assert max(map(len, lines)) <= 110


@pytest.mark.parametrize(
    ("path", "told"), [("/needed", ["session:user does not fit"]), ("/value", [])]
)
def test_a_needed_value_of_the_session_may_be_refused(
    framework: Framework, path: str, told: list[str]
) -> None:
    """With a default, a missing or unfit value is not an error."""
    answers = explained(framework, "GET", path)["answers"]

    assert [each["why"] for each in answers if each["status"] == 422] == told
