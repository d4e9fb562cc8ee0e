"""The same handlers as elsewhere, in a module whose annotations are all strings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

from framework import (
    Body,
    Header,
    Inject,
    Request,
    Session,
    component,
    configuration,
    controller,
    get,
    post,
    query,
    service,
    session,
)
from tests.framework.trials import client_of, only_problem_of, passing_on

if TYPE_CHECKING:
    from decimal import Decimal

UUID_TEXT = "12345678-1234-5678-1234-567812345678"


@dataclass
class Item:
    name: str


@service
class Greeter:
    def greet(self, name: str) -> str:
        return f"hello {name}"


@dataclass
class Settings:
    greeting: str


@component
@dataclass
class Loud:
    settings: Settings


@configuration
class Configuration:
    @component
    def settings(self) -> Settings:
        return Settings("hi")


@controller("/")
class Pages:
    def __init__(self, greeter: Greeter, loud: Loud) -> None:
        self._greeter = greeter
        self._loud = loud

    @post("/<uuid:key>")
    def page(
        self,
        key: UUID,
        item: Body[Item],
        one: session,
        two: Session,
        request: Request,
        token: Header[str],
        greeter: Inject[Greeter],
        page: Annotated[int | None, query("p", ge=1)] = None,
    ) -> list[str | int | None]:
        same = one is two and greeter is self._greeter
        greeting = self._loud.settings.greeting
        return [key.hex, item.name, same, request.method, token, page, greeting]

    @get("/session")
    def session(self) -> str:
        return "member"

    @get("/after")
    def after(self, session: session) -> bool:  # type: ignore[valid-type]
        return isinstance(session, Session)


@controller("/")
class Wrapped:
    @passing_on
    @post("/")
    @passing_on
    def page(self, item: Body[Item]) -> str:
        return item.name


@controller("/")
class Unresolved:
    @get("/")
    def page(self, price: Decimal) -> None: ...


@controller("/")
class OnlyReturned:
    @get("/")
    def page(self, x: int) -> Decimal:
        return x  # type: ignore[return-value]


def test_f1_string_annotations_bind_like_plain_ones() -> None:
    """Every kind of parameter works where annotations are strings."""
    with client_of(Pages, Configuration) as client:
        answer = client.post(f"/{UUID_TEXT}?p=2", json={"name": "tea"}, headers={"token": "t"})

    assert answer.json == [UUID(UUID_TEXT).hex, "tea", True, "POST", "t", 2, "hi"]


def test_f16_a_wrapped_handler_is_read_in_its_own_module() -> None:
    """What a decorator of another module wraps keeps the names of its own."""
    with client_of(Wrapped) as client:
        assert client.post("/", json={"name": "tea"}).text == "tea"


def test_f7_a_string_names_what_the_module_imports() -> None:
    """A string is evaluated in the module, where no member of a class hides anything."""
    with client_of(Pages, Configuration) as client:
        assert client.get("/after").json is True


def test_f3_a_string_that_names_nothing_is_a_problem() -> None:
    """A name for type checkers only is told with the parameter."""
    assert "parameter 'price' is 'Decimal'" in only_problem_of(Unresolved).what


def test_f4_a_string_in_the_return_annotation_may_name_nothing() -> None:
    """Nobody evaluates the return annotation of a handler."""
    with client_of(OnlyReturned) as client:
        assert client.get("/?x=1").json == 1
