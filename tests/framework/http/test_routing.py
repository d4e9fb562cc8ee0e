"""Routing: the dictionary and the tree give the answers of Werkzeug's Map."""

import gc
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from time import perf_counter
from uuid import UUID

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from werkzeug.exceptions import BadRequest, MethodNotAllowed, NotFound

from framework.http.routes import path_key, path_variables
from framework.http.routing import Entry, Router, request_path
from tests.support.thoroughness import examples

METHODS = ["GET", "POST", "HEAD", "OPTIONS", "DELETE"]
# What rules are made of: N becomes a name. The tree knows those of the first line.
RULE_SEGMENTS = [
    *("users", "me", "ż", "<N>", "<string:N>", "<int:N>", "<uuid:N>"),
    *("<float:N>", "<path:N>", "<any(me, users):N>", "<N>.json", "v<int:N>-<N>"),
    *("<string(length=2):N>", "<string(minlength=0):N>", "<int(signed=True):N>"),
]
# What paths are made of, the odd included.
PATH_SEGMENTS = [
    *("users", "me", "7", "x", "", "1.5", "x.json", "v1-x", "-7", "en", "ż", "007", "+7", "٣", "²"),
    *("12345678-1234-5678-1234-567812345678", "12345678-1234-5678-1234-56781234567G"),
    *("a b", "%", "%2F", "..", ".", "\\", "\n", "<N>", "9" * 5000),
]
Rules = list[tuple[str, str]]
# GET more often than the others, so that rules compete.
methods = st.sampled_from(["GET", "GET", "GET", *METHODS])
path_segments = st.sampled_from(PATH_SEGMENTS) | st.text(max_size=3)
endings = st.sampled_from(["", "", "/", "//"])
odd_paths = st.text(max_size=8) | st.lists(path_segments, max_size=5).map("/".join)


@st.composite
def rule_lists(draw: st.DrawFn) -> Rules:
    """Draw some rules with their methods."""
    rules = draw(
        st.lists(
            st.tuples(methods, st.lists(st.sampled_from(RULE_SEGMENTS), max_size=3), endings),
            min_size=1,
            max_size=6,
        )
    )
    return [
        (method, _named("/" + "/".join(segments)) + ending[:1] * bool(segments))
        for method, segments, ending in rules
    ]


@st.composite
def rules_and_path(draw: st.DrawFn) -> tuple[Rules, str]:
    """Draw some rules, and a path that looks like one of them or like nothing."""
    rules = draw(rule_lists())
    rule = draw(st.sampled_from(rules))[1]
    path = re.sub("<[^>]*>", lambda _: draw(path_segments), rule)
    return rules, draw(st.sampled_from([path, path.rstrip("/")]) | odd_paths) + draw(endings)


def _named(rule: str) -> str:
    names = iter("abcdefgh")
    return re.sub(r"N(?=>)", lambda _: next(names), rule)


def router_of(*rules: tuple[str, str]) -> Router[str]:
    """Make a router whose handlers are named after their method and rule."""
    first: dict[tuple[str, str], str] = {}
    for method, rule in rules:
        first.setdefault((method, path_key(rule)), rule)
    return Router(
        Entry(method, rule, rule, f"{method} {rule}") for (method, _), rule in first.items()
    )


@settings(max_examples=examples(600), deadline=None)
@given(rules_and_path(), methods | st.just("TRACE"))
@example(([("GET", "/<a>"), ("GET", "/<int:a>")], "/7"), "GET")
@example(([("GET", "/<a>"), ("GET", "/<a>/<string(minlength=0):b>")], "/x/"), "GET")
def test_the_matcher_agrees_with_the_map(given: tuple[Rules, str], method: str) -> None:
    """For any rules, path and method, the answer is that of Werkzeug's Map."""
    rules, path = given
    router = router_of(*rules)
    try:
        found = router.find(method, path)
    except (MethodNotAllowed, NotFound):
        found = None

    assert found == router.ask_map(method, path)


@settings(max_examples=examples(200), deadline=None)
@given(rules_and_path())
def test_a_refusal_lists_the_methods_of_the_path(given: tuple[Rules, str]) -> None:
    """405 lists exactly the methods that have an answer; without one, the answer is 404."""
    rules, path = given
    router = router_of(*rules)
    answered = sorted(method for method in METHODS if router.ask_map(method, path))
    try:
        router.find("TRACE", path)
    except MethodNotAllowed as refusal:
        allowed = refusal.valid_methods
    except NotFound:
        allowed = None

    assert allowed == (sorted({*answered, "OPTIONS"}) if answered else None)


@pytest.mark.parametrize("turn", [1, -1])
def test_the_static_path_comes_first(turn: int) -> None:
    """`/users/me` wins over `/users/<user_id>` in any order of declaration."""
    router = router_of(*[("GET", "/users/me"), ("GET", "/users/<user_id>")][::turn])

    assert router.find("GET", "/users/me") == ("GET /users/me", {})
    assert router.find("GET", "/users/you") == ("GET /users/<user_id>", {"user_id": "you"})


@pytest.mark.parametrize("turn", [1, -1])
def test_int_comes_before_string(turn: int) -> None:
    """`<int:…>` wins over `<string:…>` in any order of declaration."""
    router = router_of(*[("GET", "/users/<int:id>"), ("GET", "/users/<name>")][::turn])

    assert router.find("GET", "/users/7") == ("GET /users/<int:id>", {"id": 7})
    assert router.find("GET", "/users/-7") == ("GET /users/<name>", {"name": "-7"})


def test_uuid_values_are_uuids() -> None:
    """The uuid converter gives a UUID."""
    router = router_of(("GET", "/users/<uuid:id>"))
    text = "12345678-1234-5678-1234-567812345678"

    assert router.find("GET", f"/users/{text}")[1] == {"id": UUID(text)}


def test_slashes_are_not_merged() -> None:
    """A path with a double slash is another path."""
    router = router_of(
        ("GET", "/h"), ("GET", "/s/"), ("GET", "/a/b"), ("GET", "/<name>"), ("GET", "/f/<path:p>")
    )

    for path in ("//h", "///h", "/a//b", "/h//", "/s//", "//evil.example", "h", "//f/x"):
        with pytest.raises(NotFound):
            router.find("GET", path)


def test_an_int_of_too_many_digits_is_not_found() -> None:
    """Python does not convert such a number."""
    router = router_of(("GET", "/users/<int:id>"))

    with pytest.raises(NotFound):
        router.find("GET", "/users/" + "9" * 5000)


def test_a_path_is_utf_8() -> None:
    """The bytes of PATH_INFO are decoded as UTF-8."""
    assert request_path({"PATH_INFO": "/users/ż".encode().decode("latin-1")}) == "/users/ż"


@pytest.mark.parametrize("path", ["/\xff", "/users/\xc5", "/\ud800"])
def test_invalid_utf_8_is_a_bad_request(path: str) -> None:
    """A path that is not UTF-8 is refused."""
    with pytest.raises(BadRequest):
        request_path({"PATH_INFO": path})


def test_a_path_with_a_replacement_character_is_a_bad_request() -> None:
    """Some servers replace bad bytes by U+FFFD; the path as written counts."""
    replaced = "/users/\ufffd".encode().decode("latin-1")

    with pytest.raises(BadRequest):
        request_path({"PATH_INFO": replaced, "REQUEST_URI": "/users/%ff"})


def test_a_float_of_too_many_digits_is_not_found() -> None:
    """The float would be infinite."""
    router = router_of(("GET", "/sizes/<float:size>"))

    with pytest.raises(NotFound):
        router.find("GET", "/sizes/" + "9" * 5000 + ".0")


@pytest.mark.parametrize("name", ["REQUEST_URI", "RAW_URI"])
@pytest.mark.parametrize("target", ["/a%2Fb", "/a%2fb?c=d", "http://h/a%2fb", "/x/%252F%2f"])
def test_an_encoded_slash_is_not_found(name: str, target: str) -> None:
    """If the server passes the raw path, an encoded slash reaches no other route."""
    with pytest.raises(NotFound):
        request_path({"PATH_INFO": "/a/b", name: target})


@pytest.mark.parametrize("target", ["/a/b?c=%2F", "/a/b", "/a%252Fb", "/a%20b"])
def test_other_escapes_pass(target: str) -> None:
    """A slash in the query and any other escape are allowed."""
    assert request_path({"PATH_INFO": "/a/b", "REQUEST_URI": target}) == "/a/b"


@pytest.mark.parametrize("name", ["..", ".", "\\", "a\\b", "..\\x"])
def test_dots_and_backslashes_are_plain_characters(name: str) -> None:
    """A segment of dots or with a backslash is an ordinary value."""
    router = router_of(("GET", "/users/<name>"), ("GET", "/"), ("GET", "/users/a/b"))

    assert router.find("GET", f"/users/{name}") == ("GET /users/<name>", {"name": name})


def test_an_empty_path_is_the_root() -> None:
    """A request to the mount point of an application has an empty path."""
    assert request_path({"PATH_INFO": ""}) == "/"
    assert request_path({}) == "/"


@pytest.mark.parametrize(
    ("rule", "variables"),
    [
        ("/", {}),
        ("/<a>/<string:b>/<path:c>/<any(x, y):d>", {"a": str, "b": str, "c": str, "d": str}),
        ("/<int:a>/<float:b>/<uuid:c>", {"a": int, "b": float, "c": UUID}),
    ],
)
def test_a_rule_knows_the_types_of_its_variables(
    rule: str, variables: dict[str, type | None]
) -> None:
    """Each variable comes with the type that its converter makes."""
    assert path_variables(rule) == variables


@pytest.mark.parametrize(
    "rule",
    [
        "//h",
        "/a//b",
        "h",
        "/<int:>",
        "/<nothing:a>",
        "/<a>/<a>",
        "/<int(most=3):a>",
        "/<a",
        "/<string(length='x'):a>",
    ],
)
def test_a_malformed_rule_is_refused(rule: str) -> None:
    """A malformed rule is a ValueError with a reason."""
    with pytest.raises(ValueError, match=r"\w"):
        path_variables(rule)


def test_urls_are_built_from_the_rules() -> None:
    """A URL holds the escaped values; those that the path does not have go to the query."""
    router = router_of(("GET", "/users/<user_id>/"))

    assert router.url("/users/<user_id>/", {"user_id": "ż ?", "page": 2}) == (
        "/users/%C5%BC%20%3F/?page=2"
    )


ROUNDS = 60
CALLS = 200


def parameterised_router(count: int, rule: str) -> Router[str]:
    """Make a router of so many parameterised rules."""
    rules = [rule.replace("N", str(number)) for number in range(count)]
    return Router(Entry("GET", each, each, each) for each in rules)


def ratio(first: Callable[[], object], second: Callable[[], object]) -> float:
    """Return how much longer the second takes, each at its best; they take turns."""
    best = [float("inf"), float("inf")]
    gc.disable()
    try:
        for _ in range(ROUNDS):
            for place, call in enumerate((first, second)):
                start = perf_counter()
                for _ in range(CALLS):
                    call()
                best[place] = min(best[place], perf_counter() - start)
    finally:
        gc.enable()
    return best[1] / best[0]


def test_many_threads_may_build_the_first_url_of_a_rule() -> None:
    """The builder of a rule is compiled at its first URL, with or without a query."""
    entries = [Entry("GET", f"/r{number}/<int:n>", f"r{number}", number) for number in range(50)]
    router = Router(entries)

    def build(number: int) -> str:
        at = number % 50
        with_query = router.url(f"r{at}", {"n": number, "q": "a b"})
        return f"{router.url(f'r{at}', {'n': number})} {with_query}"

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(build, range(400)))

    assert found == [f"/r{n % 50}/{n} /r{n % 50}/{n}?q=a+b" for n in range(400)]


def test_a_variable_is_in_a_path_once() -> None:
    """Werkzeug would report this only when it builds a URL."""
    with pytest.raises(ValueError, match="the variable 'n' is in it twice"):
        path_variables("/a/<int:n>/<n>")


@pytest.mark.parametrize(
    ("rule", "path"),
    [
        ("/rN/<int:id>", "/r5/7"),
        ("/items/<int:id>/rN", "/items/7/r5"),
        ("/rN/<id>/<path:rest>", "/r5/7/a/b"),
        ("/rN/<id>.json", "/r5/7.json"),
    ],
)
def test_600_routes_match_as_fast_as_6(rule: str, path: str) -> None:
    """Within a factor of 2, in the tree and in Werkzeug's Map behind it."""
    few, many = parameterised_router(6, rule), parameterised_router(600, rule)
    last = path.replace("r5", "r599")

    assert many.find("GET", last)[1] == few.find("GET", path)[1]
    assert ratio(lambda: few.find("GET", path), lambda: many.find("GET", last)) < 2
