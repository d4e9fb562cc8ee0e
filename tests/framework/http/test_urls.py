"""URLs of handlers: each leads back to its handler with the same values, or is an error."""

import enum
from decimal import Decimal
from typing import Any
from urllib.parse import unquote
from uuid import UUID

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from werkzeug.exceptions import MethodNotAllowed, NotFound

from framework import Application, Request, controller, get, post
from framework.http.routing import Entry, Router
from framework.testing import Client
from tests.support.thoroughness import examples

UUID_TEXT = "12345678-1234-5678-1234-567812345678"
CONVERTERS = [
    *("string", "string(length=2)", "string(minlength=2, maxlength=3)", "string(minlength=0)"),
    *("int", "int(signed=True)", "int(min=2, max=9)", "int(fixed_digits=3)"),
    *("float", "float(signed=True)", "float(min=1, max=2)"),
    *("uuid", "path", 'any(me, users, "a b", "q?x", "v/w")'),
]
FORMS = ["/x/<C:v>", "/x/<C:v>/", "/<C:v>", "/x/<C:v>/edit", "/x/v<C:v>.json", "/<C:v>/<C:w>"]
# Other handlers, to which a value could lead.
OTHERS = ["/x/me", "/x/<a>/<b>", "/<a>", "/x/<path:p>/far", "/x/7", "/x"]
VALUES: list[Any] = [
    *("", "a", "ab", "abc", "me", "users", "a b", "q?x", "v/w", "a/b", "/a", "a/", "//", "/"),
    *(".", "..", "...", "../me", "a/../b", "a/.", "%2e%2e", "%2F", "a%", "a?b", "a#b", "\\", "\n"),
    *("a\nb", "\0", "ż", "\ud800", " ", ";", "7", "07", "007", "1.5", "-7", UUID_TEXT, "edit"),
    *(0, 7, -1, -7, 10, 1000, 10**30, True, 1.7, 2.0, 1.5, -1.5, 1e22, 1e-9, float("nan")),
    *(float("inf"), float("-inf"), Decimal("1.5"), UUID(UUID_TEXT), b"a", [1], {}, object()),
]
values = st.sampled_from(VALUES) | st.text(max_size=4) | st.integers() | st.floats()


def router_of(*rules: str) -> Router[str]:
    """Make a router whose handlers are named after their rules."""
    return Router(Entry("GET", rule, rule, rule) for rule in dict.fromkeys(rules))


@settings(max_examples=examples(1500), deadline=None)
@given(
    st.sampled_from(FORMS),
    st.sampled_from(CONVERTERS),
    st.lists(st.sampled_from(OTHERS), max_size=2),
    values,
    values,
)
@example("/x/<C:v>", "string", [], "..", "")
@example("/x/<C:v>", "string", ["/x/<a>/<b>"], "a/b", "")
@example("/<C:v>/<C:w>", "string(minlength=0)", [], "", "a")
@example("/x/<C:v>", "path", [], "a/", "")
@example("/x/<C:v>", 'any(me, users, "a b", "q?x", "v/w")', [], "q?x", "")
def test_a_url_leads_back_to_its_handler(
    form: str, converter: str, others: list[str], v: object, w: object
) -> None:
    """The URL has the values in it, or an error names a value."""
    rule = form.replace("C", converter)
    router = router_of(rule, *others)
    given_values = {"v": v, "w": w} if "w>" in rule else {"v": v}

    try:
        url, message = router.url(rule, given_values), ""
    except ValueError as error:
        url, message = "", str(error)
    if message:
        assert f"url_for({rule!r}, v=" in message
        assert "Fix: give " in message
        return

    path = unquote(url)
    handler, read = router.find("GET", path)
    assert url.startswith("/")
    assert url.isascii()
    assert not {".", ".."} & set(path.split("/"))
    assert not {"?", "#", "\\", " "} & set(url)
    assert handler == rule
    for name, value in given_values.items():
        assert read[name] == value or str(read[name]) == str(value) or isinstance(value, str)


@settings(max_examples=examples(500), deadline=None)
@given(st.sampled_from(FORMS), st.sampled_from(CONVERTERS), st.sampled_from(VALUES))
def test_a_url_can_be_built_from_the_values_that_a_handler_read(
    form: str, converter: str, value: object
) -> None:
    """The URL can be built again from the values of an answered path."""
    rule = form.replace("C", converter)
    router = router_of(rule)
    path = rule
    for name in ("v", "w"):
        path = path.replace(f"<{converter}:{name}>", f"{value}")
    assume(not {".", ".."} & set(path.split("/")))
    try:
        _, read = router.find("GET", path)
    except (NotFound, MethodNotAllowed):
        return
    assume("\ud800" not in path)

    assert router.find("GET", unquote(router.url(rule, read)))[1] == read


class Colour(enum.Enum):
    RED = "red"


@controller("/s")
class Shop:
    def __init__(self, application: Application) -> None:
        self._url_for = application.url_for

    @get("/")
    def index(self) -> str:
        return "index"

    @get("/<name>/")
    def show(self, name: str, page: int = 1) -> str:
        return f"{name} {page}"

    @get("/<name>/<int:number>")
    def item(self, name: str, number: int) -> str:
        return f"{name} {number}"

    @get("/all")
    def every(self) -> str:
        return "all"

    @post("/<name>/sent")
    def sent(self, name: str) -> str:
        return name

    @get("/in/<any(red, green):colour>")
    def coloured(self, colour: Colour) -> str:
        return colour.value

    @get("/old/<name>")
    @get("/files/<path:name>")
    def file(self, name: str) -> str:
        return name

    @get("/mounted/urls")
    def mounted(self, request: Request) -> list[str]:
        return [
            self._url_for("Shop.index", request),
            self._url_for("Shop.show", request, name="a", _external=True),
        ]


APP = Application(Shop)


@pytest.mark.parametrize(
    ("endpoint", "given_values", "named"),
    [
        ("Shop.show", {"name": "a/b"}, "name='a/b'"),
        ("Shop.show", {"name": ""}, "name=''"),
        ("Shop.show", {"name": ".."}, "name='..'"),
        ("Shop.show", {"name": "all"}, "name='all'"),
        ("Shop.show", {"name": "\ud800"}, "name='\\ud800'"),
        ("Shop.item", {"name": "a", "number": -1}, "number=-1"),
        ("Shop.item", {"name": "a", "number": "many"}, "number='many'"),
        ("Shop.item", {"name": "a", "number": 1.7}, "number=1.7"),
        ("Shop.item", {"name": "a", "number": [1]}, "number=[1]"),
        ("Shop.coloured", {"colour": "blue"}, "colour='blue'"),
        ("Shop.sent", {"name": "a/b"}, "name='a/b'"),
        ("Shop.index", {"page": "\ud800"}, "page='\\ud800'"),
        ("Shop.index", {"page": "\ud800"}, "the value of 'page', because a surrogate"),
    ],
)
def test_a_value_that_is_not_read_back_is_an_error(
    endpoint: str, given_values: dict[str, Any], named: str
) -> None:
    """The error names the handler, the variable and the value, and says what to do."""
    with pytest.raises(ValueError, match=f"url_for\\('{endpoint}', ") as caught:
        APP.url_for(endpoint, **given_values)

    assert named in str(caught.value)
    assert "Fix: give " in str(caught.value) or "Fix: leave " in str(caught.value)


@pytest.mark.parametrize(
    ("endpoint", "given_values", "url"),
    [
        ("Shop.index", {}, "/s"),
        ("Shop.index", {"page": 2, "none": None}, "/s?page=2"),
        ("Shop.show", {"name": "%2F"}, "/s/%252F"),
        ("Shop.show", {"name": "a", "page": 2}, "/s/a?page=2"),
        ("Shop.show", {"name": 7}, "/s/7"),
        ("Shop.item", {"name": "a", "number": "7"}, "/s/a/7"),
        ("Shop.coloured", {"colour": Colour.RED}, "/s/in/red"),
        ("Shop.sent", {"name": "a"}, "/s/a/sent"),
        ("Shop.file", {"name": "a"}, "/s/old/a"),
        ("Shop.file", {"name": "a/b"}, "/s/files/a/b"),
    ],
)
def test_a_url_has_one_spelling(endpoint: str, given_values: dict[str, Any], url: str) -> None:
    """It has no slash at the end; of several paths, the first that can hold the values is used."""
    assert APP.url_for(endpoint, **given_values) == url


@pytest.mark.parametrize("path", ["/s", "/s/", "/s/a", "/s/a/", "/s/a/7", "/s/a/7/", "/s/files/a/"])
def test_both_spellings_are_answered(path: str) -> None:
    """A path is answered with a slash at the end and without."""
    assert Client(APP).get(path).status_code == 200


def test_routes_have_one_spelling() -> None:
    """Except the root, no rule ends in a slash."""
    assert [route.rule for route in APP.routes if route.rule.endswith("/")] == []


@pytest.mark.parametrize(
    ("mount", "urls"),
    [
        ("/shop", ["/shop/s", "http://localhost/shop/s/a"]),
        ("/shop/", ["/shop/s", "http://localhost/shop/s/a"]),
        ("//evil.example", ["/evil.example/s", "http://localhost/evil.example/s/a"]),
        ("/a b?c", ["/a%20b%3Fc/s", "http://localhost/a%20b%3Fc/s/a"]),
        ("/\\evil", ["/%5Cevil/s", "http://localhost/%5Cevil/s/a"]),
        ("/\xc5\xbc", ["/%C5%BC/s", "http://localhost/%C5%BC/s/a"]),
    ],
)
def test_a_mount_point_is_escaped(mount: str, urls: list[str]) -> None:
    """Under any mount point, a URL stays on the site."""
    answer = Client(APP).get("/s/mounted/urls", environ_overrides={"SCRIPT_NAME": mount})

    assert answer.json == urls
