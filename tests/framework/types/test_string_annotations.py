"""Handlers in a module whose annotations are all strings."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Never
from uuid import UUID

from framework import (
    Body,
    Header,
    Inject,
    Query,
    Request,
    Session,
    catch,
    component,
    configuration,
    controller,
    get,
    guard,
    post,
    query,
    service,
    session,
)
from tests.support.small_applications import client_of, only_problem_of, passing_on

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


class Ordered:
    """Define types beside the methods that name them."""

    class Sort(Enum):
        NAME = "name"

    Sizes = list[int]

    def __init__(self, ledger: Nested.Ledger, own: Sizes | None = None) -> None:
        self._ledger = ledger

    @get("/ordered")
    @staticmethod
    def ordered(sort: Sort, sizes: Query[Sizes]) -> list[Any]:
        return [sort.name, sizes]


@configuration
class Nested:
    class Ledger:
        entries: ClassVar[list[str]] = []

    class Closed(Exception):
        pass

    class OnlyRead:
        class Mode(Enum):
            READ = "read"

        def check(self, mode: Query[Mode]) -> bool:
            return mode is self.Mode.READ

    @component
    class Resolving:
        class Kind(Enum):
            BIG = "big"

        def resolve(self, kind: Kind) -> str:
            return kind.name

    @component
    def ledger(self) -> Ledger:
        return self.Ledger()

    @catch(Closed)
    def closed(self, error: Closed) -> str:
        return f"closed: {error}"

    def on_start(self, ledger: Ledger) -> None:
        ledger.entries.append("started")


@controller("/")
class Nesting(Ordered):
    @get("/closed")
    @guard(Nested.OnlyRead)
    def fail(self, kind: Annotated[str, Nested.Resolving]) -> Never:
        raise Nested.Closed(kind)


@controller("/")
class LocalTypes:
    @get("/")
    def page(self, sort: Sort) -> None: ...  # type: ignore[name-defined]  # noqa: F821


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


def test_string_annotations_bind_like_plain_ones() -> None:
    """Every kind of parameter works where annotations are strings."""
    with client_of(Pages, Configuration) as client:
        answer = client.post(f"/{UUID_TEXT}?p=2", json={"name": "tea"}, headers={"token": "t"})

    assert answer.json == [UUID(UUID_TEXT).hex, "tea", True, "POST", "t", 2, "hi"]


def test_a_wrapped_handler_is_read_in_its_own_module() -> None:
    """The annotations use the names of the handler's module, not the decorator's."""
    with client_of(Wrapped) as client:
        assert client.post("/", json={"name": "tea"}).text == "tea"


def test_a_string_annotation_is_evaluated_in_its_module() -> None:
    """A string is evaluated in the module, so no member of the class hides a name."""
    with client_of(Pages, Configuration) as client:
        assert client.get("/after").json is True


def test_a_string_annotation_finds_a_nested_class() -> None:
    """Type checkers read the string in the same way."""
    with client_of(Nesting, Nested) as client:
        assert client.get("/ordered?sort=name&sizes=2").json == ["NAME", [2]]
        assert client.get("/ordered?sort=size&sizes=2").status_code == 422
        assert client.get("/closed?mode=read&kind=big").text == "closed: BIG"
        assert Nested.Ledger.entries == ["started"]


def test_a_nested_class_that_a_string_cannot_find_is_reported() -> None:
    """A string finds only names of its module and its own class."""
    problem = only_problem_of(LocalTypes)

    assert problem.what == (
        "the annotation of parameter 'sort' is 'Sort', but 'Sort' does not exist when the program"
        " runs"
    )
    assert problem.remedy == (
        "Import Sort at the top of the module, not only under `if TYPE_CHECKING:`."
    )


def test_a_string_annotation_with_an_unknown_name_is_a_problem() -> None:
    """The problem names the parameter."""
    assert "parameter 'price' is 'Decimal'" in only_problem_of(Unresolved).what


def test_a_string_in_the_return_annotation_may_name_nothing() -> None:
    """The return annotation of a handler is not needed."""
    with client_of(OnlyReturned) as client:
        assert client.get("/?x=1").json == 1
