"""`framework explain`: how the application would answer a request."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.commands import Framework

SHOP = """
from dataclasses import dataclass
from typing import Annotated
from framework import Application, Body, Header, Inject, Request, Response
from framework import controller, delete, get, post, query, service, session

@dataclass
class Order:
    item: str

@service
class Prices: ...

@controller("/orders")
class Orders:
    @get("/<order_id>")
    def show(self, order_id: int, page: Annotated[int, query("p", ge=1)] = 1) -> int:
        return order_id

    @delete("/<order_id>")
    def remove(self, order_id: str) -> Response: ...

    @post("/", status=201)
    def create(
        self, order: Body[Order], prices: Inject[Prices], x_token: Header[str], s: session
    ) -> str: ...

    @get("/<int:year>/<int:month>")
    def month(self, year: int, month: int) -> None: ...

app = Application(Orders, Prices)
"""


@pytest.fixture(autouse=True)
def app_file(framework: Framework) -> None:
    """Write an application into the folder of the commands."""
    Path("app.py").write_text(SHOP)


def explained(framework: Framework, method: str, path: str) -> Any:
    return json.loads(framework("explain", method, path, "--json").output)


def test_a_request_is_explained_for_readers(framework: Framework) -> None:
    """The output has the rule, path values, arguments, session and possible answers."""
    assert framework("explain", "GET", "/orders/42?p=3").output == (
        "GET /orders/42: answered by Orders.show (app.py:16)\n"
        "  rule           GET /orders/<order_id>\n"
        "  path values    order_id = 42\n"
        "  arguments      order_id: int  path:order_id  text → int\n"
        "                 page: int = 1  query:p        text → int, ge=1\n"
        "  middleware     none\n"
        "  guards         none\n"
        "  session        not asked for: no store call, no cookie\n"
        "  answers        200  what the handler returns\n"
        "                 404  the path's order_id does not fit\n"
        "                 422  query:p does not fit\n"
        "                 500  the handler raises\n"
        "  other methods  DELETE, HEAD, OPTIONS\n"
    )


def test_a_request_is_explained_for_programs(framework: Framework) -> None:
    """--json prints the same facts."""
    match = explained(framework, "post", "/orders/")["match"]

    assert match["rule"] == "/orders"
    assert match["handler"] == "Orders.create (app.py:23)"
    assert [(each["name"], each["where"], each["conversion"]) for each in match["arguments"]] == [
        ("order", "body", "JSON → Order"),
        ("prices", "inject", "provided by Prices (app.py:11)"),
        ("x_token", "header:x-token", "text → str"),
        ("s", "session", "the session of the request"),
    ]


def test_every_status_has_its_reason(framework: Framework) -> None:
    """The arguments of a handler decide which error answers are possible."""
    answers = explained(framework, "POST", "/orders/")["answers"]

    assert {each["status"]: each["why"] for each in answers} == {
        201: "what the handler returns",
        400: "the body is malformed",
        413: "the body is too large",
        415: "the body has a type that is not expected",
        422: "body or header:x-token does not fit",
        500: "the handler raises",
        503: "the store of the session does not answer in time",
    }


@pytest.mark.parametrize(
    ("method", "path", "answer"),
    [
        ("GET", "/orders/2026/7", {"status": 204, "why": "the handler returns None"}),
        (
            "DELETE",
            "/orders/2",
            {"status": None, "why": "the handler returns a Response of any status"},
        ),
        ("GET", "/orders/2", {"status": 200, "why": "what the handler returns"}),
    ],
)
def test_the_handlers_own_status_is_known(
    framework: Framework, method: str, path: str, answer: object
) -> None:
    """The return annotation shows an empty answer, and a Response of the handler."""
    assert explained(framework, method, path)["answers"][0] == answer


def test_the_use_of_the_session_is_shown(framework: Framework) -> None:
    """The output says whether a request may use the session."""
    assert explained(framework, "POST", "/orders")["session"] == [
        {"by": "the handler", "how": "loaded when code first uses it, saved if it changed"}
    ]
    assert explained(framework, "GET", "/orders/1")["session"] == []


def test_head_is_answered_by_the_handler_of_get(framework: Framework) -> None:
    """Without a handler for HEAD, the handler of GET answers."""
    explanation = explained(framework, "HEAD", "/orders/1")

    assert explanation["match"]["handler"] == "Orders.show (app.py:16)"
    assert "GET" in explanation["other_methods"]


def test_a_handler_of_head_is_the_one_that_answers(framework: Framework) -> None:
    """An explicit HEAD comes before GET, also with another variable name."""
    with_head = SHOP.replace("import controller,", "import controller, head,").replace(
        "class Orders:",
        """class Orders:
    @head("/<number>")
    def look(self, number: str) -> None: ...
""",
    )
    Path("app.py").write_text(with_head)

    assert explained(framework, "HEAD", "/orders/1")["match"]["handler"].startswith("Orders.look (")


def test_a_wrong_method_shows_the_allowed_methods(framework: Framework) -> None:
    """A path with other methods is a 405."""
    assert framework("explain", "PUT", "/orders/1").output == (
        "PUT /orders/1: 405: the path answers DELETE, GET, HEAD, OPTIONS, not PUT\n"
        "  middleware     none\n"
        "  session        not asked for: no store call, no cookie\n"
        "  answers        405  the path answers DELETE, GET, HEAD, OPTIONS, not PUT\n"
        "  other methods  DELETE, GET, HEAD, OPTIONS\n"
    )


def test_an_automatic_options_answer_is_shown(framework: Framework) -> None:
    """Without a handler for OPTIONS, the framework answers."""
    assert framework("explain", "OPTIONS", "/orders").output == (
        "OPTIONS /orders: 204: answered by the framework, with Allow: OPTIONS, POST\n"
        "  middleware     none\n"
        "  session        not asked for: no store call, no cookie\n"
        "  answers        204  answered by the framework, with Allow: OPTIONS, POST\n"
        "  other methods  POST\n"
    )


@pytest.mark.parametrize(
    ("path", "rule", "why"),
    [
        ("/order/7", "/orders/<order_id>", "'order' is not 'orders'"),
        (
            "/orders/2026/july",
            "/orders/<int:year>/<int:month>",
            "'july' does not fit '<int:month>'",
        ),
        ("/orders/2026/7/x", "/orders/<int:year>/<int:month>", "the rule has no segment for 'x'"),
        ("/orders//", "/orders", "the slashes differ"),
    ],
)
def test_similar_routes_are_listed_with_their_differences(
    framework: Framework, path: str, rule: str, why: str
) -> None:
    """For an unknown path, the output lists similar rules and the differences."""
    explanation = explained(framework, "GET", path)

    assert explanation["outcome"] == "404: no route matches the path"
    assert (rule, why) in {(near["rule"], near["why"]) for near in explanation["near_misses"]}


def test_a_path_like_no_route_lists_no_similar_routes(framework: Framework) -> None:
    """Rules that only share some letters are not suggested."""
    output = framework("explain", "GET", "/users").output

    assert output.startswith("GET /users: 404: no route matches the path\n")
    assert "similar routes" not in output


def test_a_path_is_written_as_in_a_url(framework: Framework) -> None:
    """Percent-encoded characters are decoded before the rules are asked."""
    assert explained(framework, "DELETE", "/orders/%C5%BC")["match"]["path_values"] == {
        "order_id": "ż"
    }


@pytest.mark.parametrize(
    "path", ["http://localhost:8000/orders/7?page=1", "orders/7", "/orders/7#top", "//orders/7"]
)
def test_a_path_may_be_copied_from_a_browser(framework: Framework, path: str) -> None:
    """A whole URL is accepted; a path with two slashes is another path."""
    explanation = explained(framework, "DELETE", path)

    assert explanation["path"] == ("//orders/7" if path.startswith("//") else "/orders/7")
    assert (explanation["match"] is None) == path.startswith("//")


def test_a_method_comes_before_the_path(framework: Framework) -> None:
    """The message for the wrong order shows the right order."""
    assert framework("explain", "/orders/7", "GET").output == (
        "Error: '/orders/7' is not an HTTP method. Fix: write framework explain GET /orders/7\n"
    )
    assert framework("explain", "/orders").output.endswith("write framework explain GET /orders\n")
    assert framework("explain", "GET").output == (
        "Error: the path is missing. Fix: write framework explain GET /\n"
    )
    assert framework("explain").output == (
        "Error: the method and path are missing. Fix: write framework explain GET /\n"
    )


@pytest.mark.parametrize("method", ["GET", "orders"])
def test_an_application_in_place_of_the_path_is_explained(
    framework: Framework, method: str
) -> None:
    """The application is the last of three arguments, and the message keeps it."""
    assert framework("explain", method, "shop.app:app").output == (
        "Error: the path is missing. Fix: write framework explain GET / shop.app:app\n"
    )
    assert framework("explain", "shop.app:app").output == (
        "Error: the method and path are missing. Fix: write framework explain GET / shop.app:app\n"
    )
