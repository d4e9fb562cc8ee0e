"""Texts that only seem to fit: a line feed after a pattern, and unusual decimals."""

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any, NamedTuple, TypedDict
from urllib.parse import quote

import attrs
import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Meta, Struct

from framework import Body, Form, Query, cookie, form, query
from framework.types.patterns import line_feed_check
from tests.support.small_applications import asked, echo_of, marked, posted

WORD = Annotated[str, Meta(pattern=r"^\S+$")]
URLENCODED = "application/x-www-form-urlencoded"


@dataclass
class InDataclass:
    x: WORD


class InStruct(Struct, rename="upper"):
    x: WORD


class Tagged(Struct, tag=True):
    x: WORD


class OtherTagged(Struct, tag=True):
    x: str


class Array(Struct, array_like=True, tag=True):
    n: int
    x: WORD


@attrs.define
class InAttrs:
    x: WORD


class InTypedDict(TypedDict, total=False):
    x: WORD


class InTuple(NamedTuple):
    n: int
    x: WORD


@dataclass
class Tree:
    x: WORD
    inside: "list[Tree]"


class InModel(pydantic.BaseModel):
    x: str = pydantic.Field(pattern=r"^\S+$")


class InPythonModel(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(regex_engine="python-re")

    x: str = pydantic.Field(pattern=r"^\S+$", alias="y")


class InCompiledModel(pydantic.BaseModel):
    x: list[Annotated[str, pydantic.StringConstraints(pattern=re.compile(r"^\S+$"))]]


class Around(pydantic.BaseModel):
    inner: dict[str, InPythonModel]


@dataclass
class Beside:
    x: WORD
    model: InModel | None = None


@dataclass
class Page:
    inner: "tuple[InPythonModel, ...]"
    count: Annotated[int, Meta(ge=0)]


BODIES: dict[str, tuple[Any, str, str]] = {
    "a text": (WORD, '"%s"', ""),
    "an optional text": (WORD | None, '"%s"', ""),
    "an item": (list[WORD], '["a", "%s"]', "/1"),
    "an item of a set": (set[WORD], '["%s"]', "/0"),
    "an item of a tuple": (tuple[int, WORD], '[1, "%s"]', "/1"),
    "an item of a long tuple": (tuple[WORD, ...], '["a", "%s"]', "/1"),
    "a value": (dict[str, WORD], '{"k/l": "%s"}', "/k~1l"),
    "a key": (dict[WORD, int], '{"%s": 1}', "/%s"),
    "a dataclass": (InDataclass, '{"x": "%s"}', "/x"),
    "a struct": (InStruct, '{"X": "%s"}', "/X"),
    "a tagged struct": (Tagged | OtherTagged, '{"type": "Tagged", "x": "%s"}', "/x"),
    "an array": (Array, '["Array", 1, "%s"]', "/2"),
    "a class of attrs": (InAttrs, '{"x": "%s"}', "/x"),
    "a typed dictionary": (InTypedDict, '{"x": "%s"}', "/x"),
    "a named tuple": (InTuple, '[1, "%s"]', "/1"),
    "a class that contains itself": (
        Tree,
        '{"x": "a", "inside": [{"x": "%s", "inside": []}]}',
        "/inside/0/x",
    ),
    "a union of kinds": (list[WORD] | WORD | int, '"%s"', ""),
    "a model": (InModel, '{"x": "%s"}', "/x"),
    "a model with Python's re": (InPythonModel, '{"y": "%s"}', "/y"),
    "a model with a compiled pattern": (InCompiledModel, '{"x": ["%s"]}', "/x/0"),
    "a model inside a model": (Around, '{"inner": {"a": {"y": "%s"}}}', "/inner/a/y"),
    "beside a model": (Beside, '{"x": "%s", "model": {"x": "a"}}', "/x"),
    "a model inside a dataclass": (Page, '{"inner": [{"y": "%s"}], "count": 1}', "/inner/0/y"),
}


@pytest.mark.parametrize(("kind", "body", "place"), BODIES.values(), ids=BODIES)
def test_a_pattern_in_json_takes_no_line_feed(kind: Any, body: str, place: str) -> None:
    """In JSON Schema, `$` is the end of the text and nothing else."""
    echo = echo_of(marked(Body, kind))

    good = posted(echo, (body % "abc").encode())
    bad = posted(echo, (body % r"abc\n").encode())

    assert not (isinstance(good, dict) and any(key.startswith("body") for key in good))
    (error,) = bad.items()
    assert error[0] == f"body:{place.replace('%s', 'abc' + chr(10))}".rstrip(":")
    assert error[1].startswith(r"expected str matching regex '^\\S+$'")


def test_another_member_of_a_union_has_no_pattern() -> None:
    """The tag decides which class the text belongs to."""
    body = rb'{"type": "OtherTagged", "x": "abc\n"}'

    assert posted(echo_of(marked(Body, Tagged | OtherTagged)), body)["x"] == "abc\n"


TEXT_SOURCES: dict[str, tuple[Any, str]] = {
    "query": (Annotated[str, query(pattern=r"^\S+$")], "/?x=%s"),
    "query, an item": (Query[list[WORD]], "/?x=%s"),
    "query, an optional text": (Annotated[str | None, query(pattern=r"^\S+$")], "/?x=%s"),
}


@pytest.mark.parametrize(("annotation", "url"), TEXT_SOURCES.values(), ids=TEXT_SOURCES)
def test_a_pattern_in_a_query_takes_no_line_feed(annotation: Any, url: str) -> None:
    """The error names the pattern as its author wrote it."""
    echo = echo_of(annotation)

    bad = asked(echo, url % "abc%0A")

    assert asked(echo, url % "abc") in ("abc", ["abc"])
    assert [*bad.values()] == [r"expected str matching regex '^\\S+$'"]


@pytest.mark.parametrize(
    "annotation",
    [
        Annotated[str, form(pattern=r"^\S+$")],
        Form[list[WORD]],
        Form[InDataclass],
        Form[InStruct],
        Form[InAttrs],
        Form[InTypedDict],
        Form[InModel],
        Form[InPythonModel],
        Form[InCompiledModel],
    ],
)
def test_a_pattern_in_a_form_takes_no_line_feed(annotation: Any) -> None:
    """A browser sends such a text for a `<textarea>`."""
    (bad,) = posted(echo_of(annotation), b"x=abc%0A&X=abc%0A&y=abc%0A", URLENCODED).values()

    assert bad.startswith(r"expected str matching regex '^\\S+$'")
    assert "abc" in str(posted(echo_of(annotation), b"x=abc&X=abc&y=abc", URLENCODED))


def test_a_pattern_in_a_path_or_a_cookie_takes_no_line_feed() -> None:
    """A path with such a text does not exist."""
    path = echo_of(WORD, path="/<x>")
    quoted = echo_of(Annotated[str, cookie(pattern=r"^\S+$")])

    assert asked(path, "/abc") == "abc"
    assert asked(path, "/abc%0A") == 404
    assert asked(quoted, "/", headers={"Cookie": "x=abc"}) == "abc"
    assert list(asked(quoted, "/", headers={"Cookie": r'x="abc\012"'})) == ["cookie:x"]


@pytest.mark.parametrize(
    ("pattern", "text", "is_end"),
    [
        ("a$", "a\n", False),
        ("a$|b", "b\n", True),
        ("(a$|b)", "a\n", False),
        (r"a\$", "a$\n", True),
        ("a[$]", "a$\n", True),
        ("a[]$]", "a$\n", True),
        ("a[^]$]", "ab\n", True),
        (r"a[\]$]", "a$\n", True),
        (r"\\$", "\\\n", False),
        ("(?m)a$", "a\n", True),
        ("(?m:a$)", "a\n", True),
        ("(?m:a)$", "a\n", False),
        ("(?m:(?-m:a$))", "a\n", False),
        ("(?i)A$", "a\n", False),
        ("(?P<m>a)$", "a\n", False),
        ("(?s)a.$", "a\n", True),
        (r"a\s$", "a\n", True),
        ("a", "a\n", True),
        ("a$", "b\na", True),
    ],
)
def test_only_the_end_of_a_pattern_is_changed(pattern: str, text: str, is_end: bool) -> None:
    """A dollar sign that means something else, or a flag for lines, stays as it is."""
    check = line_feed_check(pattern)

    assert re.search(pattern, text)
    assert (check is None or check(text)) is is_end


@pytest.mark.parametrize("compiled", [re.compile("a$", re.MULTILINE), re.compile("A$", re.I)])
def test_the_flags_of_a_compiled_pattern_count(compiled: re.Pattern[str]) -> None:
    """The flags need not stand in the text of the pattern."""
    check = line_feed_check(compiled)

    assert (check is None or check("a\n")) is bool(compiled.flags & re.MULTILINE)


NUMBERS = st.from_regex(
    r"-?(0|[1-9][0-9]{0,20})(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,3})?", fullmatch=True
)
# What the class Decimal takes, and a text that is no number at all.
_NOT_FINITE = ["NaN", "-NaN", "sNaN", "nan12", "Infinity", "-inf"]
_DIGITS = ["\N{ARABIC-INDIC DIGIT ONE}", "1.\N{DEVANAGARI DIGIT FIVE}"]
_FORMS = ["+1", ".5", "5.", "01", "1_000", "1e", "0x1", " 1", "1 ", "", "1\n"]
ODD = [*_NOT_FINITE, *_DIGITS, *_FORMS]


@dataclass
class Price:
    amount: Decimal
    others: list[Decimal | None]
    by_name: dict[str, Decimal]


QUERY = echo_of(Query[Decimal])
BODY = echo_of(Body[Decimal])


@given(NUMBERS)
def test_every_number_of_json_is_a_decimal(text: str) -> None:
    """No digit is lost, in a text or in a JSON number."""
    assert Decimal(asked(QUERY, f"/?x={quote(text)}")) == Decimal(text)
    assert Decimal(posted(BODY, f'"{text}"'.encode())) == Decimal(text)


@pytest.mark.parametrize("text", ODD)
def test_a_text_that_is_not_a_json_number_is_not_a_decimal(text: str) -> None:
    """Python's Decimal accepts them, but JSON numbers have one form."""
    json = '"{}"'.format(text.replace("\n", r"\n"))
    is_finite = not re.search("nan|inf", text, re.IGNORECASE)
    words = "expected Decimal such as '1.10'" if is_finite else "expected a finite number"

    assert asked(QUERY, f"/?x={quote(text)}")["query:x"].startswith(words)
    assert posted(BODY, json.encode()) == {"body": words}


@pytest.mark.parametrize("text", ODD)
def test_every_wrong_decimal_in_a_body_is_reported(text: str) -> None:
    """The answer lists every place, and the other errors."""
    odd = '"{}"'.format(text.replace("\n", r"\n"))
    body = f'{{"amount": {odd}, "others": [null, 1.5, {odd}], "by_name": {{"a": 1, "b": {odd}}}}}'
    wrong = f'{{"amount": "1", "others": [{odd}, true], "by_name": {{}}}}'
    echo = echo_of(Body[Price])

    places = list(posted(echo, body.encode()))

    assert places == ["body:/amount", "body:/others/2", "body:/by_name/b"]
    assert {"body:/others/0", "body:/others/1"} <= posted(echo, wrong.encode()).keys()


@pytest.mark.parametrize("kind", ["datetime", "date", "time", "timedelta"])
@pytest.mark.parametrize("text", ["1577836800", "3600", "0", "-5", "1.5", "5", "1e3"])
def test_a_number_in_a_text_is_not_a_time(kind: str, text: str) -> None:
    """A time has the same form in a text and in JSON."""
    import datetime

    annotation = getattr(datetime, kind)

    assert list(asked(echo_of(marked(Query, annotation)), f"/?x={text}")) == ["query:x"]
    assert list(posted(echo_of(marked(Body, annotation)), text.encode())) == ["body"]
    assert list(posted(echo_of(marked(Form, annotation)), f"x={text}".encode(), URLENCODED)) == [
        "form:x"
    ]
