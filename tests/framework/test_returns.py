"""What a handler returns and promises to return: a body with a status is neither."""

from collections import Counter, OrderedDict, defaultdict
from typing import Any, NamedTuple

import pytest
from markupsafe import Markup

from framework import controller, get
from framework.startup import Problem, location
from tests.framework.trials import client_of, only_problem_of, problems_of


class Point(NamedTuple):
    x: int
    y: int


class Raw(bytes): ...


class Rows(list[int]): ...


class Plain:
    """Be nothing that JSON can hold."""


def returning(value: object, annotation: Any = Any) -> type:
    """Make a controller whose handler returns a value."""

    @controller("/")
    class Page:
        @get("/")
        def page(self) -> Any:
            return value

        page.__annotations__ = {"return": annotation}

    return Page


def test_a_body_with_a_status_is_refused(caplog: pytest.LogCaptureFixture) -> None:
    """Sent as JSON, it would be a list, with the status 200."""
    page = returning(("made", 201))

    with client_of(page) as client:
        status = client.get("/").status_code

    assert status == 500
    assert str(caplog.records[0].exc_info[1]) == (  # type: ignore[index]
        f"{location(vars(page)['page'])} returned ('made', 201), a body with a status. Return the"
        " body alone and give the decorator status=201, or return Response(body, status=201)."
    )


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (
            ("x", 404, {"X-Tea": "y"}),
            "a body with a status and headers."
            " Return Response(body, status=404, headers={'X-Tea': 'y'}).",
        ),
        (
            ({"a": 1}, 201, {}),
            "a body with a status and headers. Return Response(json.dumps(body), status=201,"
            ' headers={}, mimetype="application/json").',
        ),
        (
            ([1], 201),
            "a body with a status. Return the body alone and give the decorator status=201, or"
            ' return Response(json.dumps(body), status=201, mimetype="application/json").',
        ),
        (
            ("x", {"Location": "/"}),
            "a body with headers. Return Response(body, headers={'Location': '/'}).",
        ),
    ],
)
def test_a_body_with_a_status_or_headers_is_refused(
    value: Any, told: str, caplog: pytest.LogCaptureFixture
) -> None:
    """What to return in its place depends on what it holds."""
    with client_of(returning(value)) as client:
        status = client.get("/").status_code

    assert status == 500
    assert str(caplog.records[0].exc_info[1]).endswith(f" returned {value!r}, {told}")  # type: ignore[index]


@pytest.mark.parametrize(
    ("value", "annotation"),
    [
        ((), Any),
        ((1,), Any),
        (("x", {"name": "y"}), Any),
        (("x", {}), Any),
        (("x", "404", {"X": "y"}), Any),
        (("x", 404, ["y"]), Any),
        (("x", 404, {"X": "y"}, 1), Any),
        ((1, 2), Any),
        ((1, 200, 3), Any),
        ((1, True), Any),
        (Point(1, 200), Any),
        ((100, 200), tuple[int, int]),
        ((100, 200), tuple),
        ((100, 200), tuple[int, ...] | None),
        (("x", 404, 1), tuple[str, int, int]),
    ],
)
def test_other_tuples_are_data(value: Any, annotation: Any) -> None:
    """So is every tuple that the annotation promises."""
    with client_of(returning(value, annotation)) as client:
        assert client.get("/").json == list(value)


@pytest.mark.parametrize(
    "annotation",
    [tuple[str, int], tuple[dict[str, Any], int] | None, tuple[str, int, dict[str, str]]],
)
def test_a_promised_body_with_a_status_is_a_problem(annotation: Any) -> None:
    """It is found before anybody asks for the page."""
    problem = only_problem_of(returning("", annotation))

    assert problem.what.startswith("the handler returns tuple[")
    assert problem.what.endswith("], a body with a status")
    assert problem.remedy == (
        "Return the body alone and write @get(…, status=201), or return Response(body, status=201)."
    )


def test_a_promised_plain_object_is_a_problem() -> None:
    """Nothing turns it into JSON."""
    page = returning(Plain(), Plain)

    assert only_problem_of(page) == Problem(
        location(vars(page)["page"]),
        "the handler returns Plain, which JSON cannot hold",
        "Make Plain a dataclass or a msgspec.Struct, or return a dict, a text or a Response.",
    )


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Markup("<b>"), "<b>"),
        (Raw(b"raw"), "raw"),
        (OrderedDict(a=1), '{"a":1}'),
        (Counter("a"), '{"a":1}'),
        (defaultdict(int, a=1), '{"a":1}'),
        (Rows([1]), "[1]"),
    ],
)
def test_a_promised_subclass_of_a_plain_type_is_a_result(value: Any, text: str) -> None:
    """It is sent as its base would be."""
    with client_of(returning(value, type(value))) as client:
        assert client.get("/").text == text


@pytest.mark.parametrize("annotation", [Point, list[Plain], object, type, "Missing", None, str])
def test_what_may_be_a_result_is_none(annotation: Any) -> None:
    """In doubt the annotation is believed; one that cannot be evaluated is not read."""
    assert problems_of(returning("", annotation)) == ()
