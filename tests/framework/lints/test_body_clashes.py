"""Bodies: which parameters of a handler and its guards can read the body of one request."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated, Any

import pytest

from framework import (
    Body,
    Form,
    component,
    controller,
    delete,
    get,
    guard,
    head,
    post,
)
from tests.support.small_applications import client_of, only_problem_of, problems_of

Verb = Callable[[str], Callable[[Callable[..., object]], Callable[..., object]]]


@dataclass
class Cart:
    items: list[str] = field(default_factory=list)


class OfForm:
    def check(self, token: Form[str]) -> bool:
        return bool(token)


@dataclass
class Owned:
    owner: str


class OfJson:
    def check(self, owner: Body[Owned]) -> bool:
        return owner.owner == "ada"


@component
class FromForm:
    def resolve(self, token: Form[str]) -> str:
        return token


def test_a_guard_that_reads_a_form_before_json_is_a_problem() -> None:
    """No request fits both, in either order."""

    @controller("/")
    class Pages:
        @post("/")
        @guard(OfForm)
        def create(self, cart: Body[Cart]) -> None: ...

        @post("/form")
        @guard(OfJson)
        def send(self, text: Form[str]) -> None: ...

        @post("/resolved")
        def resolve(self, cart: Body[Cart], token: Annotated[str, FromForm]) -> None: ...

    first, second, third = sorted(problem.what for problem in problems_of(Pages, FromForm))
    assert first.startswith("parameter 'cart' of Pages.resolve (")
    assert second.startswith(
        "parameter 'cart' reads the body as JSON, and 'token' of OfForm.check ("
    )
    assert second.endswith(") as a form, but a request has one body")
    assert third.startswith("parameter 'owner' of OfJson.check (")


def test_a_guard_may_read_the_json_that_the_handler_reads() -> None:
    """Each of them may convert the body to another type."""

    @controller("/")
    class Pages:
        @post("/")
        @guard(OfJson)
        def create(self, cart: Body[Cart]) -> Cart:
            return cart

    with client_of(Pages) as client:
        sent = {"owner": "ada", "items": "milk"}
        assert client.post("/", json=sent).status_code == 422
        assert client.post("/", json={"owner": "bob"}).status_code == 403
        assert client.post("/", json={"owner": "ada"}).json == {"items": []}


def test_a_form_may_be_read_as_a_whole_and_by_field() -> None:
    """Both parameters get the sent values."""

    @controller("/")
    class Pages:
        @post("/")
        def create(self, cart: Form[Cart], items: Form[list[str]]) -> list[list[str]]:
            return [cart.items, items]

    with client_of(Pages) as client:
        assert client.post("/", data={"items": ["a", "b"]}).json == [["a", "b"], ["a", "b"]]


@pytest.mark.parametrize("verb", [get, head])
@pytest.mark.parametrize(("marker", "word"), [(Body, "body"), (Form, "form")])
def test_a_body_of_a_request_without_one_is_a_problem(verb: Verb, marker: Any, word: str) -> None:
    """GET and HEAD have no body, so every request would be refused."""

    @controller("/")
    class Pages:
        @verb("/")
        def show(self, cart: marker[Owned]) -> None: ...

    problem = only_problem_of(Pages)
    method = verb.__name__.upper()
    assert problem.what == (
        f"parameter 'cart' reads the {word}, but a {method} request has no body"
    )
    assert problem.remedy == (
        "Read the values from the query, as in page: int or Query[T]. Or write @post, or give the"
        " parameter a default."
    )


def test_a_guard_of_a_get_that_needs_a_form_is_a_problem() -> None:
    """The problem names the handler that no request could reach."""

    @controller("/")
    class Pages:
        @get("/")
        @guard(OfForm)
        def show(self) -> None: ...

    problem = only_problem_of(Pages)
    assert problem.where.startswith("Pages.show (")
    assert problem.what.startswith("parameter 'token' of OfForm.check (")


def test_a_body_with_a_default_may_be_missing() -> None:
    """One method may show a form and take it; a DELETE may have a body."""

    @controller("/")
    class Pages:
        @get("/")
        @post("/")
        def form(self, text: Form[str] = "nothing") -> str:
            return text

        @delete("/")
        def remove(self, cart: Body[Cart]) -> int:
            return len(cart.items)

    with client_of(Pages) as client:
        assert client.get("/").text == "nothing"
        assert client.post("/", data={"text": "sent"}).text == "sent"
        assert client.delete("/", json={"items": ["milk"]}).json == 1


def test_a_form_whose_fields_have_defaults_may_be_missing() -> None:
    """A search shows its form to GET and reads the form of POST."""

    @controller("/")
    class Pages:
        @get("/")
        @post("/")
        def search(self, cart: Form[Cart]) -> list[str]:
            return cart.items

    with client_of(Pages) as client:
        assert client.get("/").json == []
        assert client.post("/", data={"items": "milk"}).json == ["milk"]


def test_json_whose_fields_have_defaults_may_not_be_missing() -> None:
    """An empty body is no JSON object, so a GET would always be refused."""

    @controller("/")
    class Pages:
        @get("/")
        def search(self, cart: Body[Cart]) -> None: ...

    assert only_problem_of(Pages).what.endswith("but a GET request has no body")


@component
class Owner:
    def resolve(self, owner: Body[Owned]) -> str:
        return owner.owner


def test_two_parameters_of_one_resolver_read_one_body() -> None:
    """The same body is read once."""

    @controller("/")
    class Pages:
        @post("/")
        def create(self, one: Annotated[str, Owner], other: Annotated[str, Owner]) -> list[str]:
            return [one, other]

    with client_of(Pages, Owner) as client:
        assert client.post("/", json={"owner": "ada"}).json == ["ada", "ada"]
