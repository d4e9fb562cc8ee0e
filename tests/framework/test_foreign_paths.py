"""Variables of a path that are written as other frameworks have them."""

from typing import Any

import pytest

from framework import controller, get
from framework.startup import Problem, location
from tests.framework.trials import asked, client_of, echo_of, only_problem_of, problems_of


@pytest.mark.parametrize(
    ("path", "written", "remedy"),
    [
        ("/{x}", "{x}", "Write <x>, or <int:x> for a number."),
        ("/a-{other}/b", "{other}", "Write <other>, or <int:other> for a number."),
        ("/{x:path}", "{x:path}", "Write <path:x>."),
        ("/:x", ":x", "Write <x>, or <int:x> for a number."),
        ("/a/:x/b", ":x", "Write <x>, or <int:x> for a number."),
    ],
)
def test_a_variable_in_the_words_of_others_is_a_problem(
    path: str, written: str, remedy: str
) -> None:
    """It would be plain text, and the parameter a value of the query."""
    echo: Any = echo_of(int, path=path)

    assert only_problem_of(echo) == Problem(
        location(echo.echo),
        f"the path {path!r} holds {written!r}, which is plain text and no variable",
        remedy,
    )


def test_the_prefix_of_a_controller_is_looked_at_as_well() -> None:
    """It is part of the path."""

    @controller("/{tenant}")
    class Page:
        @get("/<int:x>")
        def page(self, x: int) -> None: ...

    assert only_problem_of(Page).what == (
        "the path '/{tenant}/<int:x>' holds '{tenant}', which is plain text and no variable"
    )


def test_a_colon_may_be_plain_text() -> None:
    """As long as no parameter has the name behind it."""
    assert asked(echo_of(int, path="/:y/a:x/<x>"), "/:y/a:x/5") == 5


def test_a_converter_may_have_braces() -> None:
    """What is between the angle brackets is Werkzeug's."""
    echo = echo_of(str, path='/<any("{a}", b):x>')

    assert problems_of(echo) == ()
    with client_of(echo) as client:
        assert client.get("/%7Ba%7D").json["x"] == "{a}"
