"""Keys with one hash, which a client can choose: they do not slow the server down."""

import time
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

import msgspec
import pydantic
import pytest

from framework import Body, controller, post
from tests.support.small_applications import client_of

MOST_SECONDS = 2.0
# The hash of a number is its rest after a division by this one: sys.hash_info.modulus.
MODULUS = 2**61 - 1
SIZE = 900_000


class Point(msgspec.Struct, frozen=True):
    x: int
    y: int


class Order(msgspec.Struct):
    lines: list[dict[int, str]] = []


class Model(pydantic.BaseModel):
    ids: set[UUID]


def _numbers() -> Iterator[str]:
    return (str(factor * MODULUS + 7) for factor in range(SIZE))


def _texts() -> Iterator[str]:
    return (f'"{number}"' for number in _numbers())


def _fractions() -> Iterator[str]:
    return (f'"{factor * MODULUS}.0"' for factor in range(SIZE))


def _uuids() -> Iterator[str]:
    return (f'"{UUID(int=factor * MODULUS + 7)}"' for factor in range(SIZE))


def _bare_uuids() -> Iterator[str]:
    return (f'"{UUID(int=factor * MODULUS + 7).hex}"' for factor in range(SIZE))


def _pairs() -> Iterator[str]:
    return (f"[{number},1]" for number in _numbers())


def _points() -> Iterator[str]:
    return (f'{{"x":{number},"y":1}}' for number in _numbers())


def _array(items: Iterator[str]) -> str:
    return f"[{','.join(_cut(items))}]"


def _object(keys: Iterator[str], value: str = "1") -> str:
    return "{" + ",".join(f"{key}:{value}" for key in _cut(keys)) + "}"


def _cut(items: Iterator[str]) -> Iterator[str]:
    length = 0
    for item in items:
        length += len(item) + 4
        if length > SIZE:
            return
        yield item


FLOODS: dict[str, tuple[Any, Callable[[], str]]] = {
    "a set of numbers": (set[int], lambda: _array(_numbers())),
    "a set of anything": (set[Any], lambda: _array(_numbers())),
    "a bare set": (set, lambda: _array(_numbers())),
    "a frozen set": (frozenset[int], lambda: _array(_numbers())),
    "numbers with limits": (
        set[Annotated[int, msgspec.Meta(ge=0)]],
        lambda: _array(_numbers()),
    ),
    "numbers as keys": (dict[int, int], lambda: _object(_texts())),
    "numbers as keys of a mapping": (Mapping[int, int], lambda: _object(_texts())),
    "decimals": (set[Decimal], lambda: _array(_texts())),
    "decimals with a fraction": (set[Decimal], lambda: _array(_fractions())),
    "UUIDs": (set[UUID], lambda: _array(_uuids())),
    "UUIDs without hyphens": (set[UUID], lambda: _array(_bare_uuids())),
    "UUIDs as keys": (dict[UUID, int], lambda: _object(_uuids())),
    "UUIDs or numbers": (set[UUID | int], lambda: _array(_uuids())),
    "pairs": (set[tuple[int, int]], lambda: _array(_pairs())),
    "objects": (set[Point], lambda: _array(_points())),
    "deep in a class": (Order, lambda: '{"lines":[' + _object(_texts(), '""') + "]}"),
    "in a model": (Model, lambda: f'{{"ids":{_array(_uuids())}}}'),
    "in a list of models": (list[Model], lambda: f'[{{"ids":{_array(_uuids())}}}]'),
}

OTHERS: dict[str, tuple[Any, str]] = {
    "numbers": (set[int], _array(map(str, range(100_000)))),
    "one number many times": (set[int], _array("7" for _ in range(100_000))),
    "few numbers many times": (set[int], _array(str(at % 4000) for at in range(100_000))),
    "a hundred of one hash": (set[int], "[" + ",".join(list(_cut(_numbers()))[:100]) + "]"),
    "small UUIDs": (set[UUID], _array(f'"{UUID(int=at)}"' for at in range(20_000))),
    "a decimal of many digits": (set[Decimal], '["' + "7" * 900_000 + '"' + ',"1"' * 200 + "]"),
    "texts": (set[str], _array(_texts())),
    "numbers in a list": (list[int], _array(_numbers())),
    "numbers in a list beside a set": (
        dict[int, list[list[list[int]]]],
        '{"1":' + _array(f"[[{at}]]" for at in range(1000)) + "}",
    ),
    "words that Decimal reads": (
        dict[int, list[str]],
        '{"1":["nan","snan","inf","1e999999999999999999999",' + '"sNaN",' * 200 + '""]}',
    ),
}


@pytest.mark.parametrize("what", FLOODS)
def test_keys_of_one_hash_are_refused_at_once(what: str) -> None:
    """A megabyte of such keys is a 400, and is refused quickly."""
    annotation, body = FLOODS[what]

    status, seconds = _posted(annotation, body())

    assert (status, seconds < MOST_SECONDS) == (400, True)


@pytest.mark.parametrize("what", OTHERS)
def test_other_values_are_read(what: str) -> None:
    """Equal items and different hashes are accepted."""
    annotation, body = OTHERS[what]

    status, seconds = _posted(annotation, body)

    assert (status, seconds < MOST_SECONDS) == (204, True)


def _posted(annotation: Any, body: str) -> tuple[int, float]:
    @controller("/")
    class Pages:
        @post("/")
        def page(self, body: Body[annotation]) -> None: ...  # pyright: ignore[reportInvalidTypeForm]

    with client_of(Pages) as client:
        start = time.process_time()
        answer = client.post("/", data=body, content_type="application/json")
        return answer.status_code, time.process_time() - start
