"""Values in a result that JSON can hold in a plain form, and values that it cannot hold."""

import fractions
import ipaddress
import numbers
import types
from collections import ChainMap, UserDict, UserList, UserString, deque
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
from markupsafe import Markup

from framework import controller, get
from tests.support.small_applications import client_of, only_problem_of


class Float(float):
    """A subclass of float, like numpy.float64."""


class Int(int): ...


class Bytes(bytes): ...


class Loud(str):
    __slots__ = ()

    def __str__(self) -> str:
        return self.upper()


class Integer:
    """An integer that is not an int, like numpy.int64."""

    def __int__(self) -> int:
        return 7


class Half:
    """A number that is not a float, like numpy.float32."""

    def __float__(self) -> float:
        return 0.5


numbers.Integral.register(Integer)
numbers.Real.register(Half)


@dataclass
class Point:
    x: float
    name: str


def returning(value: object, annotation: Any = Any) -> type:
    """Make a controller whose handler returns a value."""

    @controller("/")
    class Pages:
        def page(self) -> Any:
            return value

        page.__annotations__ = {"return": annotation}
        page = get("/")(page)

    return Pages


VALUES: dict[str, tuple[object, object]] = {
    "float": (Float(1.5), 1.5),
    "float, not finite": (Float("nan"), None),
    "int": (Int(2**60), 2**60),
    "str": (Markup("<b>"), "<b>"),
    "str with other words": (Loud("a"), "a"),
    "bytes": (Bytes(b"hi"), "aGk="),
    "integer": (Integer(), 7),
    "real number": (Half(), 0.5),
    "deque": (deque([Int(1), 2]), [1, 2]),
    "range": (range(3), [0, 1, 2]),
    "keys": ({"a": 1}.keys(), ["a"]),
    "values": ({"a": Float(1)}.values(), [1.0]),
    "items": ({"a": 1}.items(), [["a", 1]]),
    "read-only dict": (types.MappingProxyType({"a": deque([1])}), {"a": [1]}),
    "chain of dicts": (ChainMap({"a": 1}, {"b": 2}), {"a": 1, "b": 2}),
    "user's dict": (UserDict(a=1), {"a": 1}),
    "user's list": (UserList([1]), [1]),
    "user's text": (UserString("a"), "a"),
    "path": (PurePosixPath("/a/b"), "/a/b"),
    "address": (ipaddress.ip_address("10.0.0.1"), "10.0.0.1"),
    "address of six": (ipaddress.ip_address("::1"), "::1"),
    "network": (ipaddress.ip_network("10.0.0.0/8"), "10.0.0.0/8"),
    "interface": (ipaddress.ip_interface("::1/64"), "::1/64"),
}


@pytest.mark.parametrize(("value", "plain"), VALUES.values(), ids=VALUES)
def test_a_value_inside_a_result_is_plain_json(value: object, plain: object) -> None:
    """The result is the same in a dict, a list and a class."""
    page = returning({"in": value, "list": [value], "deep": ({"a": Point(value, value)},)})  # type: ignore[arg-type]

    with client_of(page) as client:
        answer = client.get("/").json

    assert answer == {"in": plain, "list": [plain], "deep": [{"a": {"x": plain, "name": plain}}]}


@pytest.mark.parametrize(
    ("key", "text"),
    [(Int(1), "1"), (Loud("a"), "a"), (Markup("<b>"), "<b>"), (Float(1.5), "1.5")],
)
def test_a_key_may_be_of_a_subclass(key: object, text: str) -> None:
    """A key is written like a key of the base type."""
    with client_of(returning({key: 1})) as client:
        assert client.get("/").json == {text: 1}


@pytest.mark.parametrize(
    ("value", "annotation", "plain"),
    [
        (deque([1]), deque[int], [1]),
        (range(2), range, [0, 1]),
        (Float(1), Float, 1.0),
        (Int(1), dict[str, Int] | Int, 1),
        (types.MappingProxyType({"a": 1}), types.MappingProxyType[str, int], {"a": 1}),
        ([ipaddress.ip_address("::1")], list[ipaddress.IPv6Address], ["::1"]),
        ({"a": Path("b")}, dict[str, Path], {"a": "b"}),
    ],
)
def test_a_promised_value_is_plain_json(value: object, annotation: Any, plain: object) -> None:
    """Start-up accepts these types in a return annotation."""
    with client_of(returning(value, annotation)) as client:
        assert client.get("/").json == plain


def test_a_promised_fraction_is_a_problem() -> None:
    """A float might lose a part of the value."""
    problem = only_problem_of(returning(None, fractions.Fraction))

    assert problem.what == "the handler returns Fraction, which JSON cannot hold"


@pytest.mark.parametrize("annotation", [Path, Path | None])
def test_a_promised_path_is_a_problem(annotation: Any) -> None:
    """The remedy shows how to send the file."""
    problem = only_problem_of(returning(None, annotation))

    assert problem.what == "the handler returns Path, which is a path, not a body"
    assert problem.remedy.startswith("Write `return werkzeug.utils.send_file(path, request.env")


def test_a_returned_path_is_refused(caplog: pytest.LogCaptureFixture) -> None:
    """The log says how to send the file."""
    with client_of(returning(Path("a"))) as client:
        assert client.get("/").status_code == 500

    assert "a path, not a body. Fix: Write `return werkzeug.utils.send_file(" in caplog.text
