"""Methods of a configuration that are meant as hooks, but have another name."""

from collections.abc import Callable

import pytest

from framework import Application, component, configuration, controller, get
from tests.support.small_applications import only_problem_of


class Clock: ...


class Callbacks:
    def __init__(self, *functions: Callable[[], None]) -> None:
        self.functions = functions


@controller("/")
class Page:
    @get("/")
    def show(self) -> str:
        return "shown"


class Configured:
    @component
    def clock(self) -> Clock:
        return Clock()


def configuration_with(*names: str) -> type:
    def hook(self: object) -> None: ...

    return configuration(type("Own", (Configured,), dict.fromkeys(names, hook)))


@pytest.mark.parametrize(
    ("name", "hook"),
    [
        ("on_startup", "on_start"),
        ("onStart", "on_start"),
        ("on_strat", "on_start"),
        ("on_starts", "on_start"),
        ("startup", "on_start"),
        ("on_shutdown", "on_stop"),
        ("onstop", "on_stop"),
        ("on_stopp", "on_stop"),
        ("on_exit", "on_stop"),
        ("shutdown", "on_stop"),
    ],
)
def test_a_name_that_is_nearly_that_of_a_hook_is_a_mistake(name: str, hook: str) -> None:
    """Nothing would call the method."""
    problem = only_problem_of(Page, configuration_with(name))

    assert problem.what == f"Own.{name} is never called; did you mean {hook!r}?"
    assert problem.remedy.startswith(f"Write def {hook}(self) -> None.")
    assert "(tests/framework/application/test_misspelt_hooks.py:" in problem.where


@pytest.mark.parametrize("name", ["on_event", "on_error", "on_store", "start", "stop", "on_load"])
def test_a_method_with_another_name_is_not_a_misspelt_hook(name: str) -> None:
    """Such a method may be a callback."""
    assert Application(Page, configuration_with(name)).routes


@pytest.mark.parametrize(
    "names", [("on_start", "startup"), ("on_stop", "shutdown"), ("on_start", "on_startup")]
)
def test_a_configuration_with_the_hook_may_have_helpers(names: tuple[str, ...]) -> None:
    """The hook itself calls the helpers."""
    assert Application(Page, configuration_with(*names)).routes


def test_a_method_that_the_configuration_uses_is_not_a_misspelt_hook() -> None:
    """Here the method is a callback that a component receives."""

    @configuration
    class Own(Configured):
        @component
        def callbacks(self) -> Callbacks:
            return Callbacks(self.startup, lambda: self.shutdown())

        def startup(self) -> None: ...

        def shutdown(self) -> None: ...

    assert Application(Page, Own).routes
