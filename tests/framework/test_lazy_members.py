"""Members of a class that evaluate themselves when they are asked, or raise until they can."""

from collections.abc import Callable
from functools import wraps
from typing import Any

import pytest
from werkzeug.local import Local, LocalProxy

from framework import component, configuration, controller, get
from tests.framework.surrounding import Pages
from tests.framework.trials import problems_of


class Lazy:
    """Say of which class it is when that is known, which is later."""

    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        raise RuntimeError("too early")


class Angry:
    """Refuse every attribute."""

    __slots__ = ()

    def __getattr__(self, name: str) -> object:
        raise RuntimeError(name)


def unbound() -> object:
    """Make a proxy of what is not there yet."""
    return LocalProxy(Local(), "missing")


LAZY = [Lazy, Angry, unbound]


def holding(held: object) -> Callable[[Callable[..., object]], Callable[..., object]]:
    """Make a decorator that holds something besides what it decorates."""

    def decorate(function: Callable[..., object]) -> Callable[..., object]:
        @wraps(function)
        def wrapper(self: object) -> object:
            return function(self) if id(held) else None

        return wrapper

    return decorate


@pytest.mark.parametrize("make", LAZY)
def test_start_up_evaluates_no_member(make: Callable[[], object]) -> None:
    """Of a controller, a configuration or another component."""

    @controller("/")
    class Page:
        later = make()

        @get("/")
        def show(self) -> str:
            return "shown"

    @configuration
    class Settings:
        later = make()

        @component
        def number(self) -> int:
            return 7

    @component
    class Greeter:
        later = make()

    assert problems_of(Page, Settings, Greeter) == ()


@pytest.mark.parametrize("make", LAZY)
def test_start_up_evaluates_nothing_that_a_decorator_holds(make: Callable[[], object]) -> None:
    """It looks for methods there, and a lazy object is none."""

    @controller("/held")
    class Page:
        @get("/")
        @holding(make())
        def show(self) -> str:
            return "shown"

    assert problems_of(Pages, Page) == ()
