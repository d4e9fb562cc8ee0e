"""Limits of msgspec around pydantic models, and limits without an effect."""

from dataclasses import dataclass, make_dataclass
from datetime import datetime
from typing import Annotated, Any, NamedTuple, TypedDict

import attrs
import pydantic
import pytest
from msgspec import Meta, defstruct

from framework import Body, Form, session_value
from tests.support.small_applications import client_of, echo_of, marked, only_problem_of, posted


class Owner(pydantic.BaseModel):
    name: str
    age: int | None = pydantic.Field(default=None, ge=0)


# A type, a value inside its limits, a value outside, and the words about the outside.
LIMITED: dict[str, tuple[Any, str, str, str]] = {
    "ge": (Annotated[int, Meta(ge=0)], "0", "-1", "expected int >= 0"),
    "lt": (Annotated[float, Meta(lt=2)], "1.5", "2", "expected float < 2.0"),
    "multiple_of": (Annotated[int, Meta(multiple_of=5)], "10", "11", "multiple of 5"),
    "min_length": (Annotated[str, Meta(min_length=2)], '"ab"', '"a"', "str of length >= 2"),
    "max_length": (Annotated[list[int], Meta(max_length=1)], "[1]", "[1, 2]", "of length <= 1"),
    "pattern": (Annotated[str, Meta(pattern="^[a-z]+$")], '"a"', '"A"', "matching regex"),
    "tz": (
        Annotated[datetime, Meta(tz=True)],
        '"2026-11-22T10:30:00+00:00"',
        '"2026-11-22T10:30:00"',
        "timezone",
    ),
    "inside an item": (list[Annotated[int, Meta(ge=1)]], "[1]", "[0]", "expected int >= 1"),
    "inside a key": (
        dict[Annotated[str, Meta(min_length=2)], int],
        '{"ab": 1}',
        '{"a": 1}',
        ">= 2",
    ),
    "inside a tuple": (tuple[Annotated[int, Meta(ge=1)], str], '[1, ""]', '[0, ""]', "int >= 1"),
}


def _dataclass(kind: Any) -> Any:
    return make_dataclass("Pet", [("value", kind), ("owner", Owner | None, None)])


def _nested(kind: Any) -> Any:
    pets = marked(list, _dataclass(kind))
    return make_dataclass("Shelter", [("pets", pets), ("owners", dict[str, list[Owner]])])


def _struct(kind: Any) -> Any:
    return defstruct("Pet", [("value", kind), ("owner", Owner | None, None)])


def _attrs(kind: Any) -> Any:
    return attrs.make_class(
        "Pet", {"value": attrs.field(type=kind), "owner": attrs.field(type=Owner)}
    )


def _typed_dict(kind: Any) -> Any:
    make: Any = TypedDict
    return make("Pet", {"value": kind, "owner": Owner})


def _named_tuple(kind: Any) -> Any:
    make: Any = NamedTuple
    return make("Pet", [("value", kind), ("owner", Owner)])


# A type with a model and a place for a value, and its JSON.
AROUND: dict[str, tuple[Any, str]] = {
    "a dataclass": (_dataclass, '{"value": %s}'),
    "a dataclass inside": (_nested, '{"pets": [{"value": %s}], "owners": {"a": [{"name": "a"}]}}'),
    "a struct": (_struct, '{"value": %s, "owner": {"name": "a"}}'),
    "a class of attrs": (_attrs, '{"value": %s, "owner": {"name": "a"}}'),
    "a typed dictionary": (_typed_dict, '{"value": %s, "owner": {"name": "a"}}'),
    "a named tuple": (_named_tuple, '[%s, {"name": "a"}]'),
    "a tuple": (lambda kind: marked(tuple, (kind, Owner)), '[%s, {"name": "a"}]'),
    "a dictionary": (
        lambda kind: marked(dict, (str, marked(tuple, (kind, Owner)))),
        '{"a": [%s, {"name": "a"}]}',
    ),
}


@pytest.mark.parametrize("around", AROUND)
@pytest.mark.parametrize("limit", LIMITED)
def test_every_limit_around_a_model_is_checked(around: str, limit: str) -> None:
    """The model may be anywhere in the type."""
    make, body = AROUND[around]
    kind, good, bad, words = LIMITED[limit]
    echo = echo_of(marked(Body, make(kind)))

    accepted = posted(echo, (body % good).encode())
    refused = posted(echo, (body % bad).encode())

    assert isinstance(accepted, dict | list)
    assert not any(str(key).startswith("body:") for key in accepted)
    (what,) = refused.values()
    assert words in what


LISTS: dict[str, tuple[Any, bytes, bytes]] = {
    "a list": (
        Annotated[list[Owner], Meta(max_length=1)],
        b'[{"name": "a"}]',
        b'[{"name": "a"}, {"name": "b"}]',
    ),
    "an optional list": (
        Annotated[list[Owner], Meta(min_length=1)] | None,
        b'[{"name": "a"}]',
        b"[]",
    ),
    "the keys": (
        dict[Annotated[str, Meta(pattern="^[a-z]$")], Owner],
        b'{"a": {"name": "a"}}',
        b'{"A": {"name": "a"}}',
    ),
    "the whole of a dictionary": (
        Annotated[dict[str, Owner], Meta(max_length=1)],
        b'{"a": {"name": "a"}}',
        b'{"a": {"name": "a"}, "b": {"name": "a"}}',
    ),
}


@pytest.mark.parametrize(("kind", "good", "bad"), LISTS.values(), ids=LISTS)
def test_the_limits_of_a_list_of_models_are_checked(kind: Any, good: bytes, bad: bytes) -> None:
    """The length of a list and the texts of keys may have limits of msgspec."""
    echo = echo_of(marked(Body, kind))

    assert len(posted(echo, good)) == 1
    assert [place.partition(":")[0] for place in posted(echo, bad)] == ["body"]


@dataclass
class Photo:
    content: bytes
    owner: Owner | None = None


def test_bytes_are_base64_beside_a_model() -> None:
    """Bytes are read in the same way with a model and without."""
    assert posted(echo_of(Body[Photo]), b'{"content": "aGk="}')["content"] == "aGk="
    assert posted(echo_of(Body[Photo]), b'{"content": "raw text"}') == {
        "body:/content": "invalid base64 encoded string"
    }


def test_every_error_beside_and_inside_a_model_is_reported() -> None:
    """The places of a model's errors are pointers into the whole body."""
    kind = marked(Body, _nested(Annotated[int, Meta(ge=0)]))
    body = b"""{"pets": [{"value": -1, "owner": {"age": -1}}, {"owner": {"name": 1}}],
               "owners": {"a/b": [{"name": "x"}, {"name": null}]}}"""

    assert posted(echo_of(kind), body) == {
        "body:/pets/0/value": "expected int >= 0, got -1",
        "body:/pets/0/owner/name": "is required",
        "body:/pets/0/owner/age": "expected int >= 0, got -1",
        "body:/pets/1/value": "is required",
        "body:/pets/1/owner/name": "expected str, got int",
        "body:/owners/a~1b/1/name": "expected str, got null",
    }


def test_a_stored_value_with_a_model_has_limits() -> None:
    """A value of the session that breaks a limit counts as absent."""
    kind = _dataclass(Annotated[int, Meta(ge=0)])
    annotation: Any = Annotated[kind | None, session_value("x")]
    echo = echo_of(annotation, None)

    with client_of(echo) as client:
        with client.session() as session:
            session["x"] = {"value": 1, "owner": {"name": "a"}}
        good = client.get("/").get_json()["x"]
        with client.session() as session:
            session["x"] = {"value": -1, "owner": {"name": "a"}}
        bad = client.get("/").get_json()["x"]

    assert good == {"value": 1, "owner": {"name": "a", "age": None}}
    assert bad is None


@dataclass
class Inner:
    size: Annotated[int, Meta(ge=1)]


class Model(pydantic.BaseModel):
    size: Annotated[int, Meta(ge=1)]


class OptionalSizes(pydantic.BaseModel):
    sizes: list[Annotated[int, Meta(ge=1)]] | None = None


class OfDataclasses(pydantic.BaseModel):
    inner: dict[str, Inner]


class Deep(pydantic.BaseModel):
    model: Model


@pytest.mark.parametrize(
    ("annotation", "place"),
    [
        (Body[Model], "Model.size"),
        (Form[Model], "Model.size"),
        (Body[list[Model]], "Model.size"),
        (Body[OptionalSizes], "OptionalSizes.sizes"),
        (marked(Form, OptionalSizes | None), "OptionalSizes.sizes"),
        (Body[OfDataclasses], "Inner.size"),
        (Body[Deep], "Model.size"),
        (marked(Body, _dataclass(Model)), "Model.size"),
        (Annotated[Model, session_value("x")], "Model.size"),
    ],
)
def test_a_limit_of_msgspec_inside_a_model_is_a_problem(annotation: Any, place: str) -> None:
    """pydantic would not read the limit, so nothing would check the value."""
    problem = only_problem_of(echo_of(annotation))

    assert problem.what == (
        f"the type of parameter 'x' has msgspec.Meta(ge=1) at {place}, which has no effect inside"
        " of a pydantic model"
    )
    assert problem.remedy == "Write pydantic.Field(ge=1) in its place."


def test_a_description_inside_a_model_is_not_a_limit() -> None:
    """What only describes a field refuses no value."""

    class Described(pydantic.BaseModel):
        size: Annotated[int, Meta(description="In metres.")]

    assert posted(echo_of(marked(Body, Described)), b'{"size": 1}') == {"size": 1}


def test_a_limit_of_pydantic_beside_a_model_is_a_problem() -> None:
    """The model does not read it, and msgspec does not know it."""
    kind = _dataclass(Annotated[int, pydantic.Field(ge=1)])

    problem = only_problem_of(echo_of(marked(Body, kind)))

    assert problem.what.endswith("which has no effect outside of a pydantic model")
    assert "msgspec.Meta(ge=1)" in problem.remedy
