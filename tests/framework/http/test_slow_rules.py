"""Rules that a long path would keep busy for seconds are mistakes of start-up."""

from contextlib import suppress
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
    """Two of them divide a long path in too many ways."""
    problem = only_problem_of(serving(rule))

    assert problem.what.startswith(
        f"the path {rule!r} has more than one variable that holds slashes"
    )
    assert "Keep one <path:...>" in problem.remedy


@pytest.mark.parametrize("rule", ["/<a>-<b>-<c>.json", "/x/<a><string:b>.<c>!/y"])
def test_a_segment_holds_few_texts(rule: str) -> None:
    """With text after them, three of them divide a long segment in too many ways."""
    assert "has three texts and more after them" in only_problem_of(serving(rule)).what


@pytest.mark.parametrize(
    ("rule", "path"),
    [
        ("/<path:a>", "x/"),
        ("/p/<path:a>/y", "x/"),
        ("/p/<path:a>/x/<b>", "x/"),
        ("/<a>-<b>-<c>", "-"),
        ("/<int:a>-<int:b>-<int:c>.json", "7"),
        ("/<path:a>/edit/<int:b>/x", "edit/7/"),
    ],
)
def test_what_is_allowed_is_fast(rule: str, path: str) -> None:
    """A path of 8 KB that does not match at its end takes less than a second."""
    router = Router(Entry(method, rule, "page", rule) for method in ("GET", "POST", "PUT"))
    start = perf_counter()
    with suppress(NotFound, MethodNotAllowed):
        router.find("GET", "/p/" + path * (8000 // len(path)) + "\u017c/")

    assert not list(slow_variables(rule))
    assert perf_counter() - start < 1
