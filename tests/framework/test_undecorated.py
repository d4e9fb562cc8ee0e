"""What a configuration seems to provide, and what an application seems to serve."""

from collections.abc import Mapping
from typing import Any

import pytest

from framework import (
    Application,
    Inject,
    Middleware,
    StartupError,
    catch,
    component,
    configuration,
    controller,
    get,
    guard,
)
from framework.settings import HTTPSettings
from framework.startup import Problem, location
from sessions import SessionContainer
from tests.framework.trials import only_problem_of, problems_of


@controller("/")
class Page:
    @get("/")
    def page(self) -> str:
        return "page"


class Settings:
    @component
    def name(self) -> str:
        return "shop"


@pytest.mark.parametrize(
    "annotation", [SessionContainer, "SessionContainer | None", list[Middleware], HTTPSettings]
)
def test_a_method_that_nothing_decorates_is_told_by_its_type(annotation: Any) -> None:
    """Such types are asked for by the framework alone: without the tag, nobody would notice."""

    @configuration
    class Own(Settings):
        def chosen(self) -> Any:
            raise AssertionError("called")

        chosen.__annotations__ = {"return": annotation}

    assert only_problem_of(Page, Own) == Problem(
        location(Own.chosen),
        "Own.chosen provides nothing: it is not decorated",
        "Put @component above it.",
    )


def test_an_undecorated_session_container_is_told_by_its_name() -> None:
    """Whatever it is annotated with; the configuration is not called empty as well."""

    @configuration
    class Own:
        def session_container(self):  # type: ignore[no-untyped-def]  # noqa: ANN202
            raise AssertionError("called")

    problem = only_problem_of(Page, Own)

    assert problem.what == "Own.session_container provides nothing: it is not decorated"


def test_helpers_of_a_configuration_need_no_decorator() -> None:
    """Methods of other types, and private ones, are the configuration's own affair."""

    @configuration
    class Own(Settings):
        def url(self) -> str:
            return "http://shop.example"

        def _container(self) -> SessionContainer:
            raise AssertionError("called")

    assert problems_of(Page, Own) == ()


def test_a_configuration_that_configures_nothing_is_told() -> None:
    """Most likely all of its decorators were forgotten."""

    @configuration
    class Own:
        def mailer(self) -> str:
            return "mailer"

    assert only_problem_of(Page, Own) == Problem(
        location(Own),
        "nothing in the configuration Own is decorated, so it changes nothing",
        "Put @component above the methods that provide components, or leave the class out.",
    )


def test_guards_exception_handlers_and_hooks_are_something() -> None:
    """A configuration need not provide components."""

    class Passing:
        def check(self) -> bool:
            return True

    @configuration
    @guard(Passing)
    class Guarding: ...

    @configuration
    class Catching:
        @catch(LookupError)
        def missing(self) -> str:
            return "missing"

    @configuration
    class Starting:
        def on_start(self) -> None: ...

    assert problems_of(Page, Guarding, Catching, Starting) == ()


@pytest.mark.parametrize("annotation", [dict, dict[str, Any], Mapping[str, object]])
def test_a_mapping_that_nobody_asks_for_may_mean_the_session_container(annotation: Any) -> None:
    """Settings under a name that nothing knows would be without effect."""

    @configuration
    class Own:
        @component
        def session_settings(self) -> Any:
            return {"session_prefix": "shop"}

        session_settings.__annotations__ = {"return": annotation}

    problem = only_problem_of(Page, Own)

    assert problem.what.startswith("nothing asks for the ")
    assert problem.what.endswith(" that Own.session_settings() provides")
    assert problem.remedy == (
        "Did you mean session_container? A method of that name returns settings of sessions."
        " Otherwise remove the method."
    )


def test_a_mapping_that_a_handler_asks_for_is_a_component() -> None:
    """As any other type is."""

    @configuration
    class Own:
        @component
        def prices(self) -> dict[str, int]:
            return {"tea": 3}

    @controller("/")
    class Prices:
        @get("/")
        def page(self, prices: Inject[dict[str, int]]) -> dict[str, int]:
            return prices

    assert problems_of(Prices, Own) == ()


def test_an_application_without_a_controller_is_told() -> None:
    """It would answer 404 to everything."""
    with pytest.raises(StartupError) as caught:
        Application()

    assert caught.value.problems == (
        Problem(
            "Application(…)",
            "no controller is given, so there is nothing to answer",
            "Give classes decorated with @controller, or the modules that define them.",
        ),
    )
