"""Pydantic models and attrs classes, in bodies, forms and sessions."""

from dataclasses import dataclass
from typing import Annotated, Any

import attrs
import pydantic
import pytest

from framework import Body, Form, controller, get, session_value
from tests.support.small_applications import client_of, echo_of, marked, only_problem_of, posted

URLENCODED = "application/x-www-form-urlencoded"


class Address(pydantic.BaseModel):
    street: str
    door: int | None = pydantic.Field(default=None, ge=1)


class Customer(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="forbid")

    name: str = pydantic.Field(min_length=2, alias="fullName")
    addresses: list[Address] = []

    @pydantic.field_validator("name")
    @classmethod
    def _not_nobody(cls, name: str) -> str:
        if name == "nobody":
            raise ValueError("nobody is no customer")
        return name


@dataclass
class Order:
    customer: Customer
    count: int = 1


@attrs.define
class Point:
    x: int = attrs.field(validator=attrs.validators.ge(0))
    tags: list[int] = attrs.Factory(list)
    scale: float = 1.0


def test_a_model_of_pydantic_is_read_from_json() -> None:
    """A model validates the body and comes back as JSON, by its aliases."""
    body = b'{"fullName": "Ann", "addresses": [{"street": "Long"}]}'

    assert posted(echo_of(Body[Customer]), body) == {
        "fullName": "Ann",
        "addresses": [{"street": "Long", "door": None}],
    }


def test_every_error_of_a_model_is_reported() -> None:
    """The places are pointers into the JSON, as for every other type."""
    body = b'{"fullName": "A", "addresses": [{"door": 0}, {"street": 5}], "more": 1}'

    assert posted(echo_of(Body[Customer]), body) == {
        "body:/fullName": "expected str of length >= 2, got 1 character",
        "body:/addresses/0/street": "is required",
        "body:/addresses/0/door": "expected int >= 1, got 0",
        "body:/addresses/1/street": "expected str, got int",
        "body:/more": "is not known",
    }


def test_the_number_of_errors_of_a_model_is_bounded() -> None:
    """The answer to a large wrong body is not larger than the body."""
    errors = posted(echo_of(Body[list[Address]]), b"[" + b"{}," * 500 + b"{}]")

    assert len(errors) == 100


def test_the_message_of_a_validator_is_in_the_answer() -> None:
    """The answer has the message of the user's validator."""
    assert posted(echo_of(Body[Customer]), b'{"fullName": "nobody"}') == {
        "body:/fullName": "nobody is no customer"
    }


@pytest.mark.parametrize("annotation", [list[Address], dict[str, Address], Order])
def test_a_model_may_be_inside_another_type(annotation: Any) -> None:
    """Lists, dicts and dataclasses of models are read; JSON is strict there, too."""
    good: dict[Any, tuple[bytes, Any]] = {
        list[Address]: (b'[{"street": "a"}]', [{"street": "a", "door": None}]),
        dict[str, Address]: (b'{"b": {"street": "a"}}', {"b": {"street": "a", "door": None}}),
        Order: (
            b'{"customer": {"fullName": "Ann"}}',
            {"customer": {"fullName": "Ann", "addresses": []}, "count": 1},
        ),
    }
    body, value = good[annotation]

    assert posted(echo_of(marked(Body, annotation)), body) == value


@pytest.mark.parametrize(
    ("body", "answer"),
    [
        (b'{"street": "a", "door": "1"}', {"body:/door": "expected int, got str"}),
        (b'{"street": "a", "street": "b"}', 400),
        (b'{"street": NaN}', 400),
        (b"{", 400),
        (b"[" * 100_000, 400),
    ],
)
def test_json_for_a_model_is_as_strict_as_any(body: bytes, answer: Any) -> None:
    """A text does not become a number, and invalid JSON is a 400."""
    assert posted(echo_of(Body[Address]), body) == answer


def test_a_model_is_read_from_a_form() -> None:
    """A model converts the texts of a form itself, and all its errors are told."""
    good = posted(echo_of(Form[Address]), b"street=Long&door=3", URLENCODED)
    bad = posted(echo_of(Form[Address]), b"door=0", URLENCODED)

    assert good == {"street": "Long", "door": 3}
    assert bad == {
        "form:street": "is required",
        "form:door": "expected int >= 1, got '0'",
    }


def test_a_model_is_a_value_of_the_session() -> None:
    """A model is stored by the names of its validation."""

    @controller("/")
    class Shop:
        @get("/<name>")
        def add(
            self,
            name: str,
            customer: Annotated[Customer | None, session_value("customer")] = None,
        ) -> str:
            return "" if customer is None else _moved(customer, name)

    with client_of(Shop) as client:
        with client.session() as session:
            session["customer"] = {"fullName": "Ann"}
        answers = [client.get("/a").text, client.get("/b").text]
        with client.session() as session:
            stored = session["customer"]

    assert answers == ["Ann 1", "Ann 2"]
    assert [each["street"] for each in stored["addresses"]] == ["a", "b"]


def _moved(customer: Customer, street: str) -> str:
    customer.addresses.append(Address(street=street))
    return f"{customer.name} {len(customer.addresses)}"


def test_a_class_of_attrs_is_read_from_json() -> None:
    """Defaults are filled in, and validators run."""
    assert posted(echo_of(Body[Point]), b'{"x": 1}') == {"x": 1, "tags": [], "scale": 1.0}
    assert posted(echo_of(Body[Point]), b'{"x": -1}') == {"body": "'x' must be >= 0: -1"}


def test_every_error_of_a_class_of_attrs_is_reported() -> None:
    """The places are pointers into the JSON."""
    assert posted(echo_of(Body[list[Point]]), b'[{"x": "a", "tags": [1, "b"]}, {}]') == {
        "body:/0/x": "expected int, got str",
        "body:/0/tags/1": "expected int, got str",
        "body:/1/x": "is required",
    }


def test_a_class_of_attrs_is_read_from_a_form_and_kept_in_a_session() -> None:
    """A class of attrs works wherever a dataclass does."""
    sent = posted(echo_of(Form[Point]), b"x=2&tags=1&tags=2", URLENCODED)
    with client_of(echo_of(Annotated[Point, session_value("x")], Point(5))) as client:
        default = client.get("/").get_json()["x"]

    assert sent == {"x": 2, "tags": [1, 2], "scale": 1.0}
    assert default == {"x": 5, "tags": [], "scale": 1.0}


def test_a_model_that_pydantic_cannot_hold_is_a_problem() -> None:
    """Start-up reports a type that mixes models and types unknown to pydantic."""

    class Thing: ...

    echo = echo_of(marked(Body, tuple[Address, Thing]))

    assert "parameter 'x' cannot be read from the body" in only_problem_of(echo).what
