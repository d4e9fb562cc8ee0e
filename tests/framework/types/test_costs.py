"""The cost of a wrong body: about the cost of a right one of the same size."""

import time
from enum import Enum
from typing import Any

import msgspec
import pydantic
import pytest

from framework import Body, Form, controller, post
from tests.support.small_applications import client_of, echo_of, posted

pytestmark = pytest.mark.slow

MOST_SECONDS = 3.0


class Colour(Enum):
    RED = "red"


class Item(msgspec.Struct):
    price: int = 0


class Tree(msgspec.Struct):
    branches: list["Tree"] = []
    leaves: list[int] = []


class Model(pydantic.BaseModel):
    price: int


class Notes(pydantic.BaseModel):
    notes: dict[str, list[int]]


Wide: Any = msgspec.defstruct("Wide", [(f"f{index}", int, 0) for index in range(200)])
LONG = b"k" * 400_000


def _with_keys(last: str) -> bytes:
    return ("{" + "".join(f'"{key}":1,' for key in range(80_000)) + f'"{last}":1}}').encode()


def _in_depth(branches: bytes, inside: bytes) -> bytes:
    return (b'{"branches":[' + branches) * 150 + inside + b"]}" * 150


BODIES: dict[str, tuple[Any, bytes, int]] = {
    "the last key is there twice": (dict[str, int], _with_keys("79999"), 400),
    "the first key is there twice": (dict[str, int], _with_keys("0"), 400),
    "a key is there twice in anything": (Any, _with_keys("79999"), 400),
    "the last number is a text": (list[int], b"[" + b"1," * 450_000 + b'""]', 422),
    "each number is a text": (list[int], b"[" + b'"",' * 300_000 + b'""]', 422),
    "the last object is wrong": (
        list[Item],
        b"[" + b'{"price":1},' * 80_000 + b'{"price":""}]',
        422,
    ),
    "each object lacks 200 fields": (list[Wide], b"[" + b"{}," * 300_000 + b"1]", 422),
    "the last value of a dict": (dict[str, int], _with_keys('last":"",  "more'), 422),
    "a long key": (
        dict[str, list[int]],
        b'{"' + LONG + b'":[' + b"1," * 250_000 + b'""]}',
        422,
    ),
    "a long key above many errors": (
        dict[str, list[int]],
        b'{"' + LONG + b'":[' + b'"",' * 150_000 + b'""]}',
        422,
    ),
    "deep": (Tree, _in_depth(b"", b'{"leaves":[' + b"1," * 400_000 + b'""]}'), 422),
    "deep and wide": (Tree, _in_depth(b"{}," * 1500, b'{"leaves":[""]}'), 422),
    "a text that looks like msgspec's words": (
        Colour,
        msgspec.json.encode(" - at `$" * 100_000),
        422,
    ),
    "each model is wrong": (list[Model], b"[" + b"{}," * 300_000 + b"{}]", 422),
    "the last model is wrong": (list[Model], b"[" + b'{"price":1},' * 80_000 + b"{}]", 422),
    "a long key of a model above many errors": (
        Notes,
        b'{"notes":{"' + LONG + b'":[' + b'"",' * 2000 + b'""]}}',
        400,
    ),
    "the key of a model is there twice": (dict[str, Model], _with_keys("79999"), 400),
}


@pytest.mark.parametrize("what", BODIES)
def test_a_wrong_body_of_a_megabyte_is_refused_at_once(what: str) -> None:
    """The search for errors is never quadratic."""
    annotation, body, status = BODIES[what]

    @controller("/")
    class Pages:
        @post("/")
        def page(self, body: Body[annotation]) -> None: ...  # type: ignore[valid-type]

    with client_of(Pages) as client:
        start = time.process_time()
        answer = client.post("/", data=body, content_type="application/json")
        seconds = time.process_time() - start

    assert answer.status_code == status
    assert seconds < MOST_SECONDS
    assert len(answer.data) < 150_000


def test_an_error_after_the_last_searched_value_is_reported() -> None:
    """The search ends after ten thousand values, but one error is always reported."""

    @controller("/")
    class Pages:
        @post("/")
        def page(self, body: Body[list[int]]) -> None: ...

    with client_of(Pages) as client:
        answer = client.post("/", json=[1] * 50_000 + ["a", "b"])

    assert answer.get_json()["errors"] == [
        {"where": "body:/50000", "what": "expected int, got str"}
    ]


@pytest.mark.parametrize(("length", "status"), [(500, 200), (501, 400)])
def test_a_model_has_keys_of_five_hundred_characters(length: int, status: int) -> None:
    """pydantic copies the keys above a wrong value for each error, so their length is limited."""

    @controller("/")
    class Pages:
        @post("/")
        def page(self, body: Body[Notes]) -> int:
            return len(body.notes)

    with client_of(Pages) as client:
        answer = client.post("/", json={"notes": {"k" * length: [1]}})

    assert answer.status_code == status


def test_the_errors_of_a_list_of_texts_are_bounded() -> None:
    """A query or a form of wrong numbers is answered with its first hundred errors."""
    fields = b"&".join([b"x=a"] * 900)

    errors = posted(echo_of(Form[list[int]]), fields, "application/x-www-form-urlencoded")

    assert list(errors) == [f"form:x/{index}" for index in range(100)]
