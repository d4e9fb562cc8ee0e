"""`framework explain`: the guards, middleware and exception handlers around a handler."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.commands import Framework

SHOP = """
from typing import Annotated
from framework import *

class LoggedIn:
    def check(self, session: session, token: Header[str]) -> bool:
        return "user" in session

class Role:
    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return f"Role({self.name!r})"

    def check(self) -> bool:
        return True

@component
class Basket:
    def resolve(self, basket_id: int, colour: Query[str] = "red") -> "Basket":
        return self

def timed(request: Request, next: Next) -> Response:
    return next(request)

timed.uses_session = False

class Logged:
    def __call__(self, request: Request, next: Next) -> Response:
        return next(request)

@configuration
class Web:
    @component
    def middleware(self) -> list[Middleware]:
        return [timed, Logged]

    @catch(LookupError, OSError, status=410)
    def failed(self, error: Exception) -> str:
        return "failed"

@guard(LoggedIn)
class Base: ...

@controller("/baskets")
class Baskets(Base):
    @get("/<int:basket_id>")
    @guard(Role("buyer"))
    def show(self, basket_id: int, basket: Annotated[Basket, Basket]) -> str: ...

    @catch(KeyError)
    def unknown(self) -> str: ...

app = Application(Baskets, Basket, Web)
"""
CATCHING = (
    SHOP.replace("app =", "_ =")
    + """
from sessions import StoreUnavailable
from werkzeug.exceptions import Conflict, NotFound

@configuration
class More:
    @catch(NotFound, Exception)
    def missing(self) -> str: ...

    @catch(Conflict, status=200)
    def merged(self) -> Response: ...

    @catch(EOFError)
    def ended(self) -> None: ...

    @catch(StoreUnavailable)
    def later(self) -> str: ...

app = Application(Baskets, Basket, Web, More)
"""
)


@pytest.fixture
def explanation(framework: Framework) -> Any:
    """Explain a request whose handler has everything around it."""
    Path("app.py").write_text(SHOP)
    result = framework("explain", "GET", "/baskets/1", "--json")

    return json.loads(result.output)


def told(arguments: list[Any]) -> list[tuple[str, str, str]]:
    return [(each["name"], each["where"], each["conversion"]) for each in arguments]


def test_guards_are_shown_with_the_class_that_listed_them(explanation: Any) -> None:
    """The outermost guard is first; an instance is shown by its repr."""
    guards = explanation["match"]["guards"]

    assert [(each["guard"], each["brought_by"]) for each in guards] == [
        ("LoggedIn", "Base"),
        ("Role('buyer')", "Baskets"),
    ]


def test_the_parameters_of_a_guard_are_shown(explanation: Any) -> None:
    """The parameters of a guard come from the request like a handler's."""
    guards = explanation["match"]["guards"]

    assert [told(each["arguments"]) for each in guards] == [
        [
            ("session", "session", "the session of the request"),
            ("token", "header:token", "text → str"),
        ],
        [],
    ]


def test_middleware_is_shown_from_the_outside_in(explanation: Any) -> None:
    """A function is shown with its place, an object with the place of its class."""
    assert explanation["middleware"] == ["timed (app.py:24)", "Logged (app.py:29)"]


def test_exception_handlers_are_shown_nearest_first(explanation: Any) -> None:
    """Each is shown with its exception types and its other arguments."""
    assert explanation["catches"] == [
        {"exceptions": ["KeyError"], "handler": "Baskets.unknown (app.py:52)", "arguments": []},
        {
            "exceptions": ["LookupError", "OSError"],
            "handler": "Web.failed (app.py:39)",
            "arguments": [],
        },
    ]


def test_a_guard_that_takes_the_session_is_named(explanation: Any) -> None:
    """A guard that takes the session is named, although the handler takes none."""
    assert explanation["session"] == [
        {"by": "LoggedIn", "how": "loaded when code first uses it, saved if it changed"},
        {
            "by": "Logged (app.py:29)",
            "how": "may use it: uses_session = False is not set",
        },
    ]


def test_a_resolver_is_shown_with_its_own_parameters(explanation: Any) -> None:
    """The parameters of a resolver come from the request, too."""
    basket = explanation["match"]["arguments"][1]

    assert basket["conversion"] == "made by Basket.resolve (app.py:21)"
    assert [(part["name"], part["where"]) for part in basket["parts"]] == [
        ("basket_id", "path:basket_id"),
        ("colour", "query:colour"),
    ]


def test_statuses_of_a_guard_are_shown(explanation: Any) -> None:
    """The output has the refusal of a guard, and errors of its parameters."""
    answers = {each["status"]: each["why"] for each in explanation["answers"]}

    assert answers[403] == "a guard refuses"
    assert answers[422] == "header:token or query:colour does not fit"


def test_statuses_of_exception_handlers_are_shown(framework: Framework) -> None:
    """The status is that of the decorator, the error or the result; a Response may have any."""
    Path("app.py").write_text(CATCHING)
    result = framework("explain", "GET", "/baskets/1", "--json")

    answers = json.loads(result.output)["answers"]
    caught = {each["why"]: each["status"] for each in answers if "caught" in each["why"]}
    assert caught == {
        "KeyError is caught": 200,
        "LookupError is caught": 410,
        "OSError is caught": 410,
        "NotFound is caught": 404,
        "Exception is caught, and keeps its own status": None,
        "Conflict is caught, and answered with a Response of any status": None,
        "EOFError is caught": 204,
        "StoreUnavailable is caught": 503,
    }


ALWAYS = """
from datetime import timedelta

from framework import *
from sessions import CookieTransport, URLTransport

@configuration
class Web:
    @component
    def session_container(self) -> dict[str, object]:
        return SETTINGS

@controller("/")
class Pages:
    @get("/")
    def show(self) -> str: ...

    @get("/visits")
    def count(self, session: session) -> int: ...

app = Application(Pages, Web)
"""


def test_the_whole_output_is_a_table(framework: Framework) -> None:
    """Each guard, middleware and exception handler has a line."""
    Path("app.py").write_text(SHOP)
    lines = framework("explain", "GET", "/baskets/1").output.splitlines()

    assert "  middleware     timed (app.py:24)" in lines
    assert "                 Logged (app.py:29)" in lines
    assert "  guards         LoggedIn, from Base" in lines
    assert "  catches        KeyError: Baskets.unknown (app.py:52)" in lines
    assert "                   colour: str = 'red'  query:colour    text → str" in lines


@pytest.mark.parametrize(
    ("settings", "reasons"),
    [
        ('{"rolling": True}', ["opens it, because of rolling"]),
        ('{"save_uninitialized": True}', ["opens it, because of save_uninitialized"]),
        (
            '{"transports": [CookieTransport(), URLTransport()]}',
            ["keeps a token in the URL from caches and other sites, because of a URLTransport"],
        ),
        (
            '{"transports": [URLTransport()], "rolling": True, "save_uninitialized": True}',
            [
                "opens it, because of rolling and save_uninitialized",
                "keeps a token in the URL from caches and other sites, because of a URLTransport",
            ],
        ),
        ('{"renew_every": timedelta(hours=1)}', []),
        ("{}", []),
    ],
)
def test_settings_that_open_every_session_are_shown(
    framework: Framework, settings: str, reasons: list[str]
) -> None:
    """A rolling session is renewed by every handler; the settings that open it are named."""
    Path("app.py").write_text(ALWAYS.replace("SETTINGS", settings))
    told = json.loads(framework("explain", "--json", "GET", "/").output)["session"]

    assert [one for one in told if one["by"] == "every request"] == [
        {"by": "every request", "how": reason} for reason in reasons
    ]
