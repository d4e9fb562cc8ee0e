"""Decorators without an effect, and missing decorators."""

from collections.abc import Callable, Mapping
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
    service,
)
from framework.report import Mistake, location
from framework.settings import HTTPSettings
from sessions import SessionContainer
from tests.support.middleware import Pages
from tests.support.small_applications import only_problem_of, problems_of


class Nobody:
    def check(self) -> bool:
        return False


@pytest.mark.parametrize("decorate", [service, component])
def test_a_guard_of_a_component_guards_nothing(decorate: Callable[[type], type]) -> None:
    """Requests do not go through a service."""

    @guard(Nobody)
    class Work: ...

    problem = only_problem_of(Pages, decorate(Work))

    assert problem.what == (
        "@guard guards nothing here: Work is neither a controller nor a configuration"
    )
    assert "Work (" in problem.where


def test_a_component_catches_nothing() -> None:
    """An error of a component is raised by the handler that uses it."""

    @service
    class Work:
        @catch(LookupError)
        def caught(self) -> str:
            return "caught"

    problem = only_problem_of(Pages, Work)

    assert problem.where.startswith("Work.caught (")
    assert problem.what == (
        "@catch catches nothing here: Work is neither a controller nor a configuration"
    )


@guard(Nobody)
class Guarded:
    @get("/guarded")
    def guarded(self) -> str:
        return "guarded"


def test_inherited_decorators_of_a_service_are_reported() -> None:
    """A decorator in a base class counts for the subclasses."""

    @service
    class Work(Guarded): ...

    whats = [each.what for each in problems_of(Pages, Work)]

    assert whats == [
        "@guard guards nothing here: Work is neither a controller nor a configuration",
        "guarded() is decorated as a handler, but Work is not a controller, so no request reaches"
        " it",
    ]


def test_a_base_may_be_decorated_for_another_class() -> None:
    """A service may share its base with a controller or a configuration."""

    @guard(Nobody)
    class Base: ...

    @controller("/own")
    class Page(Guarded): ...

    @configuration
    class Settings(Base):
        @component
        def name(self) -> str:
            return "name"

    @service
    class Work(Guarded, Base): ...

    assert problems_of(Page, Settings, Work) == ()


def test_a_guard_of_a_method_that_is_not_a_handler_guards_nothing() -> None:
    """The method may be in a controller, a service or a configuration, or have @catch."""

    @controller("/own")
    class Page:
        @get("/")
        @guard(Nobody)
        def show(self) -> str:
            return "shown"

        @guard(Nobody)
        def helper(self) -> None: ...

        @guard(Nobody)
        @catch(LookupError)
        def caught(self) -> str:
            return "caught"

    @service
    class Work:
        @guard(Nobody)
        def work(self) -> None: ...

    @configuration
    class Settings:
        @guard(Nobody)
        @component
        def name(self) -> str:
            return "name"

    assert [each.what.partition(": ")[2] for each in problems_of(Pages, Page, Work, Settings)] == [
        "helper() is not a handler",
        "caught() is not a handler",
        "work() is not a handler",
        "name() is not a handler",
    ]


@pytest.mark.parametrize("decorate", [service, configuration])
def test_a_handler_belongs_to_a_controller(decorate: Callable[[type], type]) -> None:
    """Nothing would call a handler in another class."""

    class Work:
        @component
        def name(self) -> str:
            return "name"

        @staticmethod
        @get("/work")
        @guard(Nobody)
        def work() -> None: ...

    whats = [each.what for each in problems_of(Pages, decorate(Work))]

    assert (
        "work() is decorated as a handler, but Work is not a controller, so no request reaches it"
    ) in whats


def test_a_method_is_a_handler_or_an_exception_handler() -> None:
    """The parameters cannot be bound for both."""

    @controller("/own")
    class Page:
        @get("/")
        @catch(LookupError)
        def show(self) -> str:
            return "shown"

    problem = only_problem_of(Page)

    assert problem.what == (
        "show() is decorated with @catch and as a handler, but it cannot be both"
    )


def test_every_mistake_of_an_exception_handler_is_reported() -> None:
    """Start-up reports all such mistakes at once."""

    @controller("/own")
    class Page:
        @get("/")
        def show(self) -> str:
            return "shown"

        @catch(LookupError)
        async def waits(self) -> str:
            return "caught"

        @catch(ArithmeticError, ValueError)
        def is_narrow(self, error: ZeroDivisionError | ValueError) -> str:
            return str(error)

        @catch(OSError, status="404")  # type: ignore[arg-type]
        def has_text(self, error: Exception) -> str:
            return str(error)

        @catch(KeyError, EOFError)
        def is_right(self, error: LookupError | EOFError) -> str:
            return str(error)

    assert [(each.what, each.remedy) for each in problems_of(Page)] == [
        (
            "the exception handler is an async function, which WSGI cannot run",
            "Write `def` in place of `async def`.",
        ),
        (
            "parameter 'error' takes ZeroDivisionError | ValueError, but the method also catches"
            " ArithmeticError",
            "Write error: ArithmeticError | ValueError.",
        ),
        (
            "the status '404' of @catch is not a final HTTP status",
            "Write a number from 200 to 599, or leave the status out.",
        ),
    ]


def test_a_controller_nested_in_a_component_keeps_its_guards() -> None:
    """The guard of the inner controller guards its own handlers."""

    @service
    class Work:
        @controller("/inner")
        @guard(Nobody)
        class Inner:
            @get("/")
            def show(self) -> str:
                return "shown"

    assert problems_of(Pages, Work, Work.Inner) == ()


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
def test_an_undecorated_component_method_is_found_by_its_return_type(annotation: Any) -> None:
    """Only the framework uses these types, so the missing decorator would not be noticed."""

    @configuration
    class Own(Settings):
        def chosen(self) -> Any:
            raise AssertionError("called")

        chosen.__annotations__ = {"return": annotation}

    assert only_problem_of(Page, Own) == Mistake(
        "Own.chosen provides nothing: it is not decorated",
        "Put @component above the method.",
        where=location(Own.chosen),
    )


def test_an_undecorated_session_container_is_found_by_its_name() -> None:
    """Its return type does not matter, and there is only one mistake."""

    @configuration
    class Own:
        def session_container(self):  # type: ignore[no-untyped-def]  # noqa: ANN202
            raise AssertionError("called")

    problem = only_problem_of(Page, Own)

    assert problem.what == "Own.session_container provides nothing: it is not decorated"


def test_helpers_of_a_configuration_need_no_decorator() -> None:
    """This concerns private methods, and methods of other types."""

    @configuration
    class Own(Settings):
        def url(self) -> str:
            return "http://shop.example"

        def _container(self) -> SessionContainer:
            raise AssertionError("called")

    assert problems_of(Page, Own) == ()


def test_a_configuration_without_decorated_methods_is_reported() -> None:
    """Most likely, all its decorators are missing."""

    @configuration
    class Own:
        def mailer(self) -> str:
            return "mailer"

    assert only_problem_of(Page, Own) == Mistake(
        "nothing in the configuration Own is decorated, so it changes nothing",
        "Put @component above the methods that provide components, or leave the class out.",
        where=location(Own),
    )


def test_a_configuration_may_have_only_guards_or_hooks() -> None:
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
    """Settings in a method with another name have no effect."""

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
        "Did you mean session_container? A method of that name returns settings of the"
        " SessionContainer."
        " Otherwise remove the method."
    )


def test_a_mapping_that_a_handler_asks_for_is_a_component() -> None:
    """A mapping is a component like any other type."""

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


def test_an_application_without_a_controller_is_reported() -> None:
    """Such an application answers every request with 404."""
    with pytest.raises(StartupError) as caught:
        Application()

    (mistake,) = caught.value.problems
    assert mistake.what == "no controller is given, so the application answers no request"
    assert mistake.where.startswith("Application(…) (tests/framework/lints/test_decorators.py:")
