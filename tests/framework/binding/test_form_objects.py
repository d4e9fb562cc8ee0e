"""A class that a form fills: what counts as absent, and fields that the class does not have."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import Enum
from io import BytesIO
from ipaddress import IPv4Address
from typing import Annotated, Any, Literal, TypedDict
from uuid import UUID

import attrs
import msgspec
import pydantic
import pytest
from werkzeug.datastructures import FileStorage

from framework import Form, controller, form, guard, post
from tests.support.small_applications import client_of, echo_of, marked, posted

URLENCODED = "application/x-www-form-urlencoded"


class Colour(Enum):
    RED = "red"


def sent(echo: type, body: str) -> Any:
    """Return what an echo handler makes of an urlencoded form."""
    return posted(echo, body.encode(), URLENCODED)


KINDS = [bool, int, float, Decimal, date, UUID, Colour, Literal["a", "b"]]
OPTIONAL = [kind | None for kind in KINDS]  # type: ignore[operator]


def _dataclass_of(kind: Any) -> type:
    return dataclass(type("Plain", (), {"__annotations__": {"x": kind}, "x": None}))


def _struct_of(kind: Any) -> type:
    return msgspec.defstruct("Plain", [("x", kind, None)])


def _attrs_class_of(kind: Any) -> type:
    return attrs.make_class("Plain", {"x": attrs.field(type=kind, default=None)})


def _model_of(kind: Any) -> type:
    return pydantic.create_model("Plain", x=(kind, None))


MAKERS = [_dataclass_of, _struct_of, _attrs_class_of, _model_of]


@pytest.mark.parametrize("kind", [*KINDS, *OPTIONAL], ids=str)
def test_an_empty_field_is_its_default(kind: Any) -> None:
    """A `<select>` with the choices any, yes and no sends an empty text for any."""
    assert sent(echo_of(marked(Form, kind | None), None), "x=") is None
    assert sent(echo_of(marked(Form, kind)), "x=") == {"form:x": "is required"}
    assert sent(echo_of(marked(Form, list[kind] | None), None), "x=&x=") is None


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize("kind", [*KINDS, *OPTIONAL], ids=str)
def test_an_empty_field_of_a_class_is_its_default(make: Any, kind: Any) -> None:
    """The rule is the same for a single field and for a field of a class."""
    assert sent(echo_of(marked(Form, make(kind))), "x=") == {"x": None}


@pytest.mark.parametrize("make", MAKERS)
def test_an_empty_field_of_a_class_is_left_out_of_a_list(make: Any) -> None:
    """The list has only the values that the user gave."""
    assert sent(echo_of(marked(Form, make(list[bool]))), "x=&x=on&x=0&x=") == {"x": [True, False]}


class Contact(pydantic.BaseModel):
    page: pydantic.HttpUrl | None = None
    address: IPv4Address | None = None
    amount: int | float | None = None
    secret: pydantic.SecretStr | None = None
    note: str | None = None


def test_an_empty_field_of_a_type_of_pydantic_is_its_default() -> None:
    """An empty text is not a URL, so a URL field gets its default; a text field does not."""

    @controller("/")
    class Pages:
        @post("/")
        def page(self, contact: Form[Contact]) -> list[object]:
            secret = contact.secret
            shown = None if secret is None else secret.get_secret_value()
            return [contact.page, contact.address, contact.amount, shown, contact.note]

    with client_of(Pages) as client:
        names = ("page", "address", "amount", "secret", "note")
        answer = client.post("/", data=dict.fromkeys(names, ""))

    assert answer.json == [None, None, None, "", ""]


@dataclass
class Filter:
    size: int
    new: bool
    picture: FileStorage | None = None


def test_a_form_of_empty_fields_is_an_absent_object() -> None:
    """An optional object gets its default if none of its fields has a value."""
    echo = echo_of(marked(Form, Filter | None), None)

    assert sent(echo, "size=&new=") is None
    assert sent(echo, "size=&new=on") == {"form:size": "is required"}
    assert sent(echo, "size=1&new=on") == {"size": 1, "new": True, "picture": None}


class Closed(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="forbid")
    a: int = 1


class Sealed(msgspec.Struct, forbid_unknown_fields=True, rename={"b": "bB"}):
    a: int = 1
    b: int = 2


class Tagged(msgspec.Struct, forbid_unknown_fields=True, tag="tagged"):
    a: int = 1


class Open(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="allow")
    a: int = 1


class Typed(TypedDict, total=False):
    a: int


@pytest.mark.parametrize("kind", [Closed, Sealed, Tagged])
def test_a_class_that_forbids_other_fields_refuses_them(kind: type) -> None:
    """The answer lists all unknown fields, with the other errors."""
    echo = echo_of(marked(Form, kind))

    assert sent(echo, "a=1&b=2&c=&c=1") == {
        "form:b": "is not known",
        "form:c": "is not known",
    }
    assert sent(echo, "a=x&b=2") == {
        "form:a": "expected int, got 'x'",
        "form:b": "is not known",
    }
    assert sent(echo, "a=5")["a"] == 5


def test_a_field_is_known_by_its_outer_name() -> None:
    """The form uses the renamed fields of a class, and its tag."""
    assert sent(echo_of(Form[Sealed]), "bB=3") == {"a": 1, "bB": 3}
    assert sent(echo_of(Form[Tagged]), "type=tagged")["a"] == 1


def test_a_file_is_a_field_too() -> None:
    """A file that a class does not have is refused like a text."""
    with client_of(echo_of(Form[Closed])) as client:
        answer = client.post("/", data={"a": "1", "file": (BytesIO(b"x"), "f")})

    assert answer.get_json()["errors"] == [{"where": "form:file", "what": "is not known"}]


@pytest.mark.parametrize("kind", [Filter, Typed])
def test_other_classes_take_no_notice_of_other_fields(kind: type) -> None:
    """Only a class that forbids unknown fields refuses them, as in JSON."""
    assert sent(echo_of(marked(Form, kind)), "size=1&new=1&a=2&more=1")


def test_a_class_that_allows_other_fields_gets_them() -> None:
    """Several values of one name are a list; the class may give the values a type."""

    class Counted(pydantic.BaseModel):
        model_config = pydantic.ConfigDict(extra="allow")
        __pydantic_extra__: dict[str, int] = {}  # pyright: ignore[reportIncompatibleVariableOverride]
        a: int = 1

    assert sent(echo_of(Form[Open]), "a=2&b=x&c=1&c=2") == {"a": 2, "b": "x", "c": ["1", "2"]}
    assert sent(echo_of(marked(Form, Counted)), "b=1") == {"a": 1, "b": 1}
    assert list(sent(echo_of(marked(Form, Counted)), "b=x")) == ["form:b"]


@pytest.mark.parametrize("accept", ["application/json", "text/html"])
@pytest.mark.parametrize("kind", [Closed, Sealed, Tagged, Open])
@pytest.mark.parametrize(
    "fields", ["b=%FF", "b=1&b=%FF", "%FF=1", "%ED%A0%80=1", "a=%FF&%FF=%FF", "a=x&%FF=1"]
)
def test_other_fields_are_utf_8(fields: str, kind: type, accept: str) -> None:
    """A name or a value that is not UTF-8 is the client's error."""
    with client_of(echo_of(marked(Form, kind))) as client:
        answer = client.post(
            "/",
            data=fields,
            content_type="application/x-www-form-urlencoded",
            headers={"Accept": accept},
        )

    assert answer.status_code == 422


def test_a_name_of_a_client_is_shown_in_part() -> None:
    """The answer never repeats a name of a megabyte."""
    fields = "&".join(f"{'n' * 900}{number}=1" for number in range(1000))

    errors = sent(echo_of(Form[Sealed]), fields)

    assert sum(map(len, errors)) < 20_000


class Captcha:
    def check(self, captcha: Form[str]) -> bool:
        return captcha == "4"


class Owner:
    def resolve(self, owner: Form[str] = "nobody") -> str:
        return owner


@pytest.mark.parametrize("kind", [Closed, Sealed, Open])
def test_fields_of_other_parameters_are_not_unknown(kind: Any) -> None:
    """Fields of other parameters, resolvers and guards, and the CSRF token, are known."""

    @controller("/")
    class Pages:
        @post("/")
        @guard(Captcha)
        def page(
            self,
            whole: Form[kind],  # pyright: ignore[reportInvalidTypeForm]
            other: Form[Filter],
            size: Annotated[int, form("page-size")],
            owner: Annotated[str, Owner],
        ) -> list[object]:
            return [whole, other.size, size, owner]

    fields = {"captcha": "4", "size": "1", "new": "1", "page-size": "2", "owner": "Ann"}
    with client_of(Pages) as client:
        known = client.post("/", data={**fields, "csrf_token": "x"})
        unknown = client.post("/", data={**fields, "more": "1"})

    assert known.get_json()[1:] == [1, 2, "Ann"]
    assert known.get_json()[0] == msgspec.to_builtins(kind(), enc_hook=dict)
    if kind is Open:
        assert unknown.get_json()[0] == {"a": 1, "more": "1"}
    else:
        assert unknown.get_json()["errors"] == [{"where": "form:more", "what": "is not known"}]


def test_the_class_of_a_resolver_knows_the_fields_of_the_handler() -> None:
    """The handler, its guards and its resolvers read the same form."""

    class Whole:
        def resolve(self, whole: Form[Closed]) -> int:
            return whole.a

    @controller("/")
    class Pages:
        @post("/")
        def page(self, a: Annotated[int, Whole], b: Form[int]) -> list[int]:
            return [a, b]

    with client_of(Pages) as client:
        assert client.post("/", data={"a": "1", "b": "2"}).json == [1, 2]
        assert client.post("/", data={"a": "1", "b": "2", "c": "3"}).status_code == 422
