"""Accepted values come back equal and of the same type; all others are refused."""

import collections
import dataclasses
import enum
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from decimal import Decimal
from fractions import Fraction
from io import BytesIO
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessions.core.codec import MAXIMUM_DEPTH, decode, encode
from sessions.errors import UnencodableValue, UnreadableValue
from tests.support.any_values import alike, hashables, values
from tests.support.apps import Browser, writes
from tests.support.thoroughness import examples


@settings(max_examples=examples(400))
@given(values)
def test_an_accepted_value_is_read_back_equal(value: object) -> None:
    """The value is equal and has the same type, also inside containers."""
    back = decode(encode(value))

    assert alike(back, value)


@settings(max_examples=examples(200))
@given(values)
def test_a_value_has_one_encoding(value: object) -> None:
    """A decoded value has the same encoding as before, so a read is no change."""
    encoded = encode(value)

    assert encode(decode(encoded)) == encoded


@settings(max_examples=examples(100))
@given(st.sets(hashables, max_size=6), st.randoms(use_true_random=False))
def test_a_set_has_one_encoding_in_any_order(value: set[object], random: Any) -> None:
    """The order of insertion does not change the encoding of a set."""
    shuffled = sorted(value, key=lambda _: random.random())
    other: set[object] = set()
    for element in shuffled:
        other.add(element)

    assert encode(other) == encode(value)


def is_value_or_unreadable(data: bytes) -> bool:
    """Return whether bytes are decoded to a plain Python value, or raise UnreadableValue."""
    try:
        return not isinstance(decode(data), msgspec.msgpack.Ext)
    except UnreadableValue:
        return True


@settings(max_examples=examples(300))
@given(st.binary(max_size=40))
def test_any_bytes_are_a_value_or_unreadable(data: bytes) -> None:
    """Any bytes decode to a value, or raise UnreadableValue."""
    assert is_value_or_unreadable(data)


@settings(max_examples=examples(200))
@given(values, st.data())
def test_a_damaged_value_is_a_value_or_unreadable(value: object, data: st.DataObject) -> None:
    """One byte is changed, or the end is missing."""
    encoded = encode(value)
    position = data.draw(st.integers(0, len(encoded) - 1))
    octet = data.draw(st.binary(max_size=1))
    damaged = encoded[:position] + octet + encoded[position + 1 :] if octet else encoded[:position]

    assert is_value_or_unreadable(damaged)


class Colour(enum.Enum):
    """A plain enum."""

    RED = 1


class Size(enum.IntEnum):
    """An enum that is an int."""

    BIG = 1


class Name(enum.StrEnum):
    """An enum that is a str."""

    ADA = "ada"


@dataclasses.dataclass
class User:
    """A dataclass."""

    name: str = "ada"


class Point(msgspec.Struct):
    """A Struct."""

    x: int = 1


Pair = collections.namedtuple("Pair", "left right")


class Zone(tzinfo):
    """A time zone class that only this test knows."""

    def utcoffset(self, moment: datetime | None) -> timedelta:
        """Return no offset."""
        return timedelta(0)

    def tzname(self, moment: datetime | None) -> str:
        """Return a name that says nothing."""
        return "somewhere"

    def dst(self, moment: datetime | None) -> None:
        """Return nothing."""


def subclass(base: type, arguments: tuple[object, ...]) -> object:
    """Make a value of a fresh subclass."""
    return type(f"My{base.__name__}", (base,), {})(*arguments)


SUBCLASSED: dict[type, tuple[object, ...]] = {
    str: ("a",),
    int: (1,),
    float: (1.5,),
    bytes: (b"a",),
    list: ([1],),
    dict: ({"a": 1},),
    set: ({1},),
    frozenset: ({1},),
    tuple: ((1,),),
    Decimal: ("1",),
    date: (2024, 1, 1),
    datetime: (2024, 1, 1),
    time: (1,),
    timedelta: (1,),
    UUID: ("0" * 32,),
}

REFUSED: dict[str, tuple[object, str]] = {
    "object": (object(), "it holds an object"),
    "function": (len, "builtin_function"),
    "class": (int, "it holds a type"),
    "complex": (1j, "complex"),
    "bytearray": (bytearray(b"a"), "bytearray"),
    "memoryview": (memoryview(b"a"), "memoryview"),
    "range": (range(3), "range"),
    "iterator": (iter([1]), "list_iterator"),
    "Fraction": (Fraction(1, 3), "fractions.Fraction"),
    "NaN": (float("nan"), "NaN, which is not equal to itself"),
    "Decimal NaN": (Decimal("nan"), "NaN"),
    "signalling NaN": (Decimal("snan"), "NaN"),
    "Enum": (Colour.RED, "Colour, .*. Fix: store its .value"),
    "IntEnum": (Size.BIG, "Size, .*. Fix: store its .value"),
    "StrEnum": (Name.ADA, "Name, .*. Fix: store its .value"),
    "dataclass": (User(), "User, .*. Fix: store a dict of its fields"),
    "Struct": (Point(), "Point, .*. Fix: store a dict of its fields"),
    "namedtuple": (Pair(1, 2), "Pair, .*. Fix: store a plain tuple"),
    "defaultdict": (collections.defaultdict(int), "store a plain dict"),
    "OrderedDict": (collections.OrderedDict(a=1), "store a plain dict"),
    "Counter": (collections.Counter("ab"), "store a plain dict"),
    "deque": (collections.deque([1]), "deque"),
    "lone surrogate": ("\ud800", "lone surrogate"),
    "zone": (UTC, "timezone"),
    "time in an unknown zone": (datetime(2024, 1, 1, tzinfo=Zone()), "cannot be restored"),
    **{
        f"kind of {base.__name__}": (subclass(base, arguments), f"store a plain {base.__name__}")
        for base, arguments in SUBCLASSED.items()
    },
}

WRAPS: dict[str, Callable[[Any], object]] = {
    "itself": lambda value: value,
    "in a list": lambda value: [1, [value]],
    "in a tuple": lambda value: (value,),
    "in a dict": lambda value: {"a": {"b": value}},
    "in a dict with other keys": lambda value: {1: value},
}


@pytest.mark.parametrize("wrap", WRAPS.values(), ids=WRAPS)
@pytest.mark.parametrize(("value", "told"), REFUSED.values(), ids=REFUSED)
def test_a_value_that_would_change_is_refused(
    value: object, told: str, wrap: Callable[[Any], object]
) -> None:
    """The error names the type and says what to do, at any depth."""
    with pytest.raises(UnencodableValue, match=told):
        encode(wrap(value))


@pytest.mark.parametrize("key", [Colour.RED, Pair(1, 2), Name.ADA, "\ud800", float("nan"), len])
def test_keys_of_dicts_and_elements_of_sets_too(key: Any) -> None:
    """Keys of dicts and elements of sets follow the same rules."""
    for value in ({key: 1}, {1: 1, key: 1}, {key}, frozenset([key])):
        with pytest.raises(UnencodableValue):
            encode(value)


@pytest.mark.parametrize("name", ["Europe/Paris", "Nowhere/Land"])
def test_a_zone_with_anothers_name_is_refused(name: str) -> None:
    """The name of the time zone would decode to another time zone, or to none."""
    empty = b"TZif2" + bytes(15) + bytes(4 * 4) + b"\0\0\0\1\0\0\0\4" + bytes(6) + b"ABC\0"
    rules = ZoneInfo.from_file(BytesIO(empty + empty + b"\nABC0\n"), key=name)

    with pytest.raises(UnencodableValue, match="cannot be restored from its name"):
        encode(datetime(2024, 7, 1, tzinfo=rules))


def test_the_depth_is_bounded() -> None:
    """A value at the limit comes back; a deeper one, or one that contains itself, is refused."""
    deepest: list[object] = []
    for _ in range(MAXIMUM_DEPTH - 1):
        deepest = [deepest]
    itself: list[object] = []
    itself.append({"again": itself})

    assert decode(encode(deepest)) == deepest
    for value in ([deepest], itself):
        with pytest.raises(UnencodableValue, match=f"more than {MAXIMUM_DEPTH} levels"):
            encode(value)


@pytest.mark.parametrize(("value", "told"), REFUSED.values(), ids=REFUSED)
def test_a_session_names_the_key(browser: Browser, value: object, told: str) -> None:
    """The commit raises the error before anything is stored."""
    with pytest.raises(UnencodableValue, match=rf"session\['odd'\] cannot be saved: .*{told}"):
        browser.visit(writes(fine=1, odd=[value]))

    assert browser.site.store_calls() == []


@settings(max_examples=examples(60))
@given(
    st.dictionaries(
        st.text(st.characters(exclude_categories=["Cs"]), max_size=5), values, max_size=3
    )
)
def test_values_are_read_back_equal_from_every_store(
    browser: Browser, content: dict[str, object]
) -> None:
    """The values pass through the cookie and each store, and to read them is no change."""
    browser.cookie = ""
    browser.visit(lambda session: session.update(content))
    browser.site.store_calls().clear()

    held = browser.holds()

    assert alike(dict(sorted(held.items())), dict(sorted(content.items())))
    assert browser.site.store.writes == []


PAYLOADS = [b"a secret", encode(["a secret", 0, None]), encode([["a secret"], 1, 2, 3])]


@pytest.mark.parametrize("payload", PAYLOADS, ids=["text", "time", "list"])
@pytest.mark.parametrize("code", range(14))
def test_an_error_shows_nothing_of_the_value(code: int, payload: bytes) -> None:
    """Events and logs have the text of the error."""
    shown = ""
    try:
        decode(msgspec.msgpack.encode(msgspec.msgpack.Ext(code, payload)))
    except UnreadableValue as error:
        shown = str(error)

    assert "secret" not in shown
