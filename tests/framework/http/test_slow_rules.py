"""Rules that match a long path too slowly are mistakes of start-up."""

from contextlib import nullcontext, suppress
from time import perf_counter

import pytest
from werkzeug.exceptions import MethodNotAllowed, NotFound

from framework import controller, get
from framework.http.routing import Entry, Router
from framework.http.slow_rules import slow_variables
from tests.support.small_applications import only_problem_of


def serving(rule: str) -> type:
    @controller("/")
    class Pages:
        @get(rule)
        def page(self, **values: str) -> str:
            return "page"

    return Pages


@pytest.mark.parametrize(
    "rule",
    [
        "/<path:a>/x/<path:b>",
        "/p/<path:a>/x/<path:b>/y",
        "/<path:a>/<path:b>/<path:c>",
        "/<path:a>-<path:b>",
        "/<path():a>/<path:b>",
    ],
)
def test_one_variable_of_a_path_holds_slashes(rule: str) -> None:
    """Two such variables could divide a long path in too many ways."""
    problem = only_problem_of(serving(rule))

    assert problem.what.startswith(
        f"the path {rule!r} has more than one variable that may contain slashes"
    )
    assert "Keep one <path:...>" in problem.remedy


@pytest.mark.parametrize(
    "rule",
    [
        "/<a>-<b>-<c>.json",
        "/x/<a><string:b>.<c>!/y",
        "/<string(minlength=2):a>-<string(1):b>-<default:c>.json",
        "/<path:a>-<b>-<c>",
        "/x/<path:a>/<b>-<c>-<d>",
        "/<path:a>x<b>/<c>y<d>/z",
    ],
)
def test_a_segment_has_few_variables_with_text_between_them(rule: str) -> None:
    """Three texts with more text after them could divide a segment in too many ways."""
    assert (
        "has three text variables with more text after them" in only_problem_of(serving(rule)).what
    )


@pytest.mark.parametrize(
    ("rule", "path"),
    [
        ("/<path:a>", "x/"),
        ("/p/<path:a>/y", "x/"),
        ("/p/<path:a>/x/<b>", "x/"),
        ("/<a>-<b>-<c>", "-"),
        ("/<int:a>-<int:b>-<int:c>.json", "7"),
        ("/p/<a>-<b>.json", "-"),
        ("/p/<a>-<b>.json", "1.1-"),
        ("/p/<a>-<b>.json/<int:c>", "-"),
        ("/p/<path:a>-<b>.json", "-"),
        ("/p/<path:a>-<b>.json", "/-"),
        ("/p/<path:a>/<b>.<c>/z", "."),
        ("/p/<path:a>/<b>.<c>/z", "./"),
        ("/p/<int:a><int:b>x", "7"),
        ("/p/<string(maxlength=40):a>-<string(maxlength=40):b>-<c>.json", "-"),
        ("/<path:a>/edit/<int:b>/x", "edit/7/"),
    ],
)
def test_matching_a_long_path_is_fast(rule: str, path: str) -> None:
    """A path of 60 KB that does not match at its end takes less than a second."""
    router = Router(Entry(method, rule, "page", rule) for method in ("GET", "POST", "PUT"))
    start = perf_counter()
    with suppress(NotFound, MethodNotAllowed):
        router.find("GET", "/p/" + path * (60_000 // len(path)) + "\u017c/")

    assert not list(slow_variables(rule))
    assert perf_counter() - start < 1


@pytest.mark.parametrize(
    ("rule", "path", "values"),
    [
        ("/<a>-<b>.json", "/{text}-b.json", {"b": "b"}),
        ("/<path:a>/<b>.<c>", "/{text}/b.c", {"b": "b", "c": "c"}),
    ],
)
@pytest.mark.parametrize(("length", "is_found"), [(1000, True), (1990, True), (2001, False)])
def test_adjacent_variables_match_only_a_short_path(
    rule: str, path: str, values: dict[str, str], length: int, is_found: bool
) -> None:
    """2,000 characters are enough for names, and are matched quickly."""
    router = Router([Entry("GET", rule, "page", rule)])
    text = "x" * length

    with nullcontext() if is_found else pytest.raises(NotFound):
        assert router.find("GET", path.format(text=text))[1] == {"a": text, **values}


@pytest.mark.parametrize("rule", ["/<a>", "/<path:a>", "/x/<path:a>/<b>", "/<path:a>/x"])
def test_other_variables_may_be_long(rule: str) -> None:
    """A single text in a segment has no limit."""
    router = Router([Entry("GET", rule, "page", rule)])
    url = router.url("page", {"a": "x" * 10_000, "b": "b"} if "<b>" in rule else {"a": "x" * 9999})

    assert router.find("GET", url)[0] == rule
