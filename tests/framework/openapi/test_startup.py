"""The document is made at start-up, so an error in it is a mistake of start-up."""

from typing import Any, ForwardRef

import pytest
from pydantic import BaseModel, create_model

from framework import Application, Body, StartupError, component, configuration, controller, get
from framework.http.routes import Route
from framework.openapi import OpenAPI
from tests.support.openapi_shop import Configuration, Items
from tests.support.small_applications import marked, only_problem_of


class Faulty(BaseModel):
    """A model that fails to describe itself."""

    @classmethod
    def __get_pydantic_json_schema__(cls, *_: Any) -> Any:
        raise LookupError("no schema today")


LATER: dict[str, Any] = {"later": (ForwardRef("Missing"), ...)}
Unresolved: Any = create_model("Unresolved", **LATER)


class Odd(type):
    """A class whose attributes raise errors."""

    def __getattribute__(cls, name: str) -> Any:
        if name == "__dataclass_fields__":
            raise LookupError("no fields today")
        return super().__getattribute__(name)


class Strange(metaclass=Odd):
    """A class whose fields raise an error."""


def _described(**settings: Any) -> type:
    @configuration
    class Described:
        @component
        def openapi(self) -> OpenAPI:
            return OpenAPI(**{"title": "Shop", **settings})

    return Described


def _refuse(_: object) -> Any:
    raise LookupError("not today")


def _add_a_set(document: dict[str, Any]) -> None:
    document["x-set"] = {object()}


@controller("/faulty")
class Answers:
    @get("/")
    def show(self) -> list[Faulty]:
        return []


def test_a_model_that_fails_to_describe_itself_is_a_startup_problem() -> None:
    """The mistake names the model and its place."""
    problem = only_problem_of(Items, Answers, Configuration)

    assert (
        problem.what == "pydantic cannot describe Faulty for OpenAPI: LookupError: no schema today"
    )
    assert problem.where.startswith("Faulty (")
    assert "OpenAPI(include=…)" in problem.remedy


def test_a_class_that_fails_to_show_its_fields_is_a_startup_problem() -> None:
    """The mistake names the handler that returns it."""

    @controller("/strange")
    class Stranger:
        @get("/")
        def show(self) -> list[Strange]:
            return []

    problem = only_problem_of(Stranger, Configuration)

    assert "list[Strange] cannot be described for OpenAPI: LookupError: no fields" in problem.what
    assert "Stranger.show (" in problem.where


def test_every_model_that_fails_is_named() -> None:
    """One report names all of them, in requests and in answers."""

    @controller("/both")
    class Both:
        @get("/")
        def show(self) -> Faulty | None: ...

        def other(self) -> Any: ...

        other.__annotations__ = {"return": marked(list, Unresolved)}
        other = get("/other")(other)

    with pytest.raises(StartupError) as caught:
        Application(Both, Configuration)

    assert [mistake.what.split(" for OpenAPI")[0] for mistake in caught.value.mistakes] == [
        "pydantic cannot describe Unresolved",
        "pydantic cannot describe Faulty",
    ]


def test_a_model_of_a_handler_that_is_left_out_is_not_a_problem() -> None:
    """The document does not contain the handler, and the handler still works."""

    def include(route: Route) -> bool:
        return route.controller is not Answers

    with Application(Items, Answers, _described(include=include)).test() as client:
        assert client.get("/faulty").json == []
        assert client.get("/docs/openapi.json").status_code == 200


@pytest.mark.parametrize(
    ("settings", "what", "remedy"),
    [
        ({"include": _refuse}, "OpenAPI.include fails: LookupError: not today", "_refuse ("),
        ({"amend": _refuse}, "OpenAPI.amend fails: LookupError: not today", "_refuse ("),
        ({"amend": _add_a_set}, "the document holds a value that JSON cannot hold", "amend add"),
    ],
    ids=["include", "amend", "json"],
)
def test_a_function_that_fails_is_a_startup_problem(
    settings: dict[str, Any], what: str, remedy: str
) -> None:
    """Otherwise each request would fail."""
    problem = only_problem_of(Items, _described(**settings))

    assert problem.what.startswith(what)
    assert remedy in problem.remedy
    assert problem.where == "the OpenAPI document at /docs"


def test_other_mistakes_come_first() -> None:
    """Without the handlers, the document would be useless."""

    @controller("/unbound")
    class Unbound:
        @get("/")
        def show(self, body: Body[int]) -> Faulty: ...  # type: ignore[empty-body]

    problem = only_problem_of(Unbound, Configuration)
    assert "pydantic" not in problem.what
