"""Components that add a controller to the application they belong to."""

from collections.abc import Callable
from typing import Annotated, Any

import pytest

from framework import (
    Application,
    component,
    configuration,
    controller,
    get,
)
from framework.openapi import OpenAPI
from framework.testing import replace
from framework.wiring.additions import Addition
from tests.framework.trials import client_of, only_problem_of


@controller("/")
class Pages:
    @get("/")
    def show(self) -> str:
        return "shown"


class Health(Addition):
    """Say that the application is well, at a path of its own."""

    def __init__(self, path: str, word: str = "well") -> None:
        self._path = path
        self._word = word

    def controller(self) -> type:
        word = self._word

        @component
        @controller(self._path)
        class Answer:
            @get("/")
            def answer(self) -> str:
                return word

        return Answer


@configuration
class Additions:
    @component
    def health(self) -> Health:
        return Health("/health")

    @component
    def inner(self) -> Annotated[Health, "inner"]:
        return Health("/inner", "well inside")

    @component
    def openapi(self) -> OpenAPI:
        return OpenAPI(title="Everything")

    @component
    def own(self) -> Annotated[OpenAPI, "own"]:
        return OpenAPI(title="Own", path="/own", include=lambda route: route.rule == "/")


def test_each_addition_adds_its_controller() -> None:
    """However many there are, and whatever their types."""
    with client_of(Pages, Additions) as client:
        assert client.get("/health").text == "well"
        assert client.get("/inner").text == "well inside"
        assert list(client.get("/docs/openapi.json").get_json()["paths"]) == [
            "/",
            "/health",
            "/inner",
        ]
        assert list(client.get("/own/openapi.json").get_json()["paths"]) == ["/"]


def test_an_addition_can_be_replaced() -> None:
    """As any other component."""
    with Application(Pages, Additions).test(replace(Health).to(Health("/health", "ill"))) as client:
        assert client.get("/health").text == "ill"


def fail() -> type:
    raise LookupError("there is no folder")


@pytest.mark.parametrize(
    ("make", "what", "remedy"),
    [
        (
            lambda: Pages.show,
            "which is not a controller to add",
            "Return a new class each time, decorated with @component and @controller.",
        ),
        (
            fail,
            "Broken cannot add its controller: LookupError: there is no folder",
            "Correct what Broken is given.",
        ),
    ],
    ids=["no controller", "an error"],
)
def test_an_addition_that_adds_nothing_is_a_problem(
    make: Callable[[], Any], what: str, remedy: str
) -> None:
    """It names the method that provides it."""

    class Broken(Addition):
        def controller(self) -> type:
            made: type = make()
            return made

    @configuration
    class Wrong:
        @component
        def broken(self) -> Broken:
            return Broken()

    problem = only_problem_of(Pages, Wrong)

    assert problem.where.startswith("Wrong.broken (tests/framework/test_additions.py:")
    assert problem.what.endswith(what)
    assert problem.remedy == remedy
