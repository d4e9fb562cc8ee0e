"""Decorators below a decorator without functools.wraps: their loss is a mistake."""

from collections.abc import Callable
from functools import partialmethod, wraps
from typing import Any, cast

import pytest
from werkzeug.local import Local, LocalProxy

from framework import catch, component, configuration, controller, get, guard, post
from tests.support.guards import Answering
from tests.support.middleware import Pages
from tests.support.small_applications import only_problem_of, passing_on, problems_of

Nobody = Answering(False)
Decorator = Callable[[Callable[..., Any]], Any]


def untidy(function: Callable[..., object]) -> Callable[[object], object]:
    """Decorate a method without functools.wraps."""

    def wrapper(self: object) -> object:
        return function(self)

    return wrapper


class Untidy:
    """A decorator object that keeps the method in an attribute."""

    __slots__ = ("_function",)

    def __init__(self, function: Callable[..., object]) -> None:
        self._function = function

    def __get__(self, instance: object, owner: type) -> Callable[[], object]:
        return lambda: self._function(instance)

    def __call__(self, instance: object) -> object:
        return self._function(instance)


def by_default(function: Callable[..., object]) -> Callable[[object], object]:
    """Decorate a method, and keep it in a default."""

    def wrapper(self: object, *, kept: Callable[..., object] = function) -> object:
        return kept(self)

    return wrapper


def by_method(function: Callable[..., object]) -> Any:
    """Decorate a method, and replace it by a method of an object."""
    keeper = Untidy(function)
    return untidy(keeper.__call__)


def by_attribute(function: Callable[..., object]) -> Callable[..., Any]:
    """Decorate a method, and keep it in an attribute of the new function."""
    names: dict[str, Any] = {}
    exec("def wrapper(self): return wrapper.kept(self)", names)  # noqa: S102
    wrapper: Any = names["wrapper"]
    wrapper.kept = function
    return cast(Callable[..., Any], wrapper)


def whats(*classes: type) -> list[str]:
    """Return the mistakes of hidden decorators."""
    return [each.what for each in problems_of(*classes) if "hides" in each.what]


def test_a_hidden_guard_is_a_problem() -> None:
    """Without the guard, every client could use the route."""

    @controller("/")
    class Page:
        @get("/")
        @untidy
        @guard(Nobody)
        def show(self) -> str:
            return "shown"

    problem = only_problem_of(Page)

    assert problem.where.startswith("Page.show (")
    assert problem.what == "@guard does nothing here: a decorator above hides it"
    assert problem.remedy == "Let that decorator use functools.wraps, or move it below @guard."


@pytest.mark.parametrize("decorate", [Untidy, by_default, by_method, by_attribute, partialmethod])
def test_a_hidden_guard_is_found_wherever_the_decorator_keeps_the_method(
    decorate: Decorator,
) -> None:
    """The method may be in a closure, an object, a default, an attribute or a bound method."""

    @controller("/")
    class Page:
        @get("/other")
        def other(self) -> str:
            return "other"

        @decorate
        @guard(Nobody)
        def show(self) -> str:
            return "shown"

    assert whats(Page) == ["@guard does nothing here: a decorator above hides it"]


def test_a_guard_between_two_such_decorators_is_a_problem() -> None:
    """The guard is on a function with another name, which wraps the handler."""

    @controller("/")
    class Page:
        @get("/")
        @untidy
        @guard(Nobody)
        @untidy
        def show(self) -> str:
            return "shown"

        @get("/both")
        @guard(Nobody)
        @untidy
        @guard(Answering(True))
        def both(self) -> str:
            return "shown"

    assert whats(Page) == ["@guard does nothing here: a decorator above hides it"] * 2


def test_a_hidden_verb_is_a_problem() -> None:
    """There is one mistake, with or without a decorator of ours above."""

    @controller("/")
    class Page:
        @get("/")
        def home(self) -> str:
            return "home"

        @guard(Nobody)
        @untidy
        @get("/first")
        def first(self) -> str:
            return "first"

        @untidy
        @post("/second")
        @get("/second")
        @guard(Nobody)
        def second(self) -> str:
            return "second"

    assert [each.what for each in problems_of(Page)] == [
        "@get does nothing here: a decorator above hides it",
        "@post and @get and @guard do nothing here: a decorator above hides them",
    ]


def test_a_hidden_exception_handler_or_component_is_a_problem() -> None:
    """The method may also be in a base class."""

    class Base:
        @untidy
        @catch(LookupError)
        def caught(self) -> str:
            return "caught"

    @configuration
    class Settings(Base):
        @component
        def name(self) -> str:
            return "name"

        @untidy
        @component
        def number(self) -> int:
            return 7

    assert whats(Pages, Settings) == [
        "@catch does nothing here: a decorator above hides it",
        "@component does nothing here: a decorator above hides it",
    ]


def test_a_decorator_that_wraps_hides_nothing() -> None:
    """An inherited method, or one of another class, does not count as hidden."""

    def made(decorate: Decorator) -> type:
        class Page:
            @get("/")
            @decorate
            def show(self) -> str:
                return "shown"

            @staticmethod
            @passing_on
            @guard(Answering(True))
            @passing_on
            @get("/static")
            def static() -> str:
                return "static"

        return Page

    first, second = made(guard(Nobody)), made(lambda function: function)

    @controller("/third")
    class Third(first):  # type: ignore[misc, valid-type]
        @get("/other")
        def show(self) -> Any:
            return super().show()

        borrowed = get("/borrowed")(untidy(vars(first)["show"]))

    assert problems_of(controller("/first")(first), controller("/second")(second), Third) == ()


@untidy
@guard(Nobody)
def show_anything(self: object) -> str:
    return "shown"


def test_a_guard_is_found_on_a_function_of_another_name() -> None:
    """The function may be written outside of the class."""

    @controller("/")
    class Page:
        show = get("/")(show_anything)

    assert only_problem_of(Page).where.startswith("show_anything (")


@pytest.mark.parametrize("names", [("First", "Second"), ("", "Second")])
def test_a_guard_is_found_in_a_class_that_was_renamed(names: tuple[str, ...]) -> None:
    """The methods keep their old names, which another class may also have."""

    def made(name: str) -> type:
        class Page:
            @get("/")
            @untidy
            @guard(Nobody)
            def show(self) -> str:
                return "shown"

        Page.__qualname__ = name or Page.__qualname__
        return controller(f"/{name}")(Page)

    pages = [made(name) for name in names]

    assert all(len(whats(page)) == 1 for page in pages)


def test_a_decorator_that_knows_other_methods_hides_nothing() -> None:
    """It may refer to methods of the same class or of another class."""
    known = []

    def registering(function: Callable[..., Any]) -> Callable[[object], object]:
        known.append(function)

        @wraps(function)
        def wrapper(self: object) -> object:
            return function(self) if known else None

        return wrapper

    class Unserved:
        @registering
        @get("/")
        @guard(Nobody)
        def show(self) -> str:
            return "shown"

    @controller("/")
    class Page:
        @get("/first")
        @registering
        @guard(Nobody)
        def first(self) -> str:
            return "first"

        @registering
        @guard(Nobody)
        @get("/second")
        def second(self) -> str:
            return "second"

    assert hasattr(Unserved, "show")
    assert problems_of(Page) == ()


def test_the_search_for_hidden_guards_is_bounded() -> None:
    """The search ends early, so a cache with a million entries does not stop start-up."""
    many = [[object() for _ in range(1000)] for _ in range(1000)]

    def holding(function: Callable[..., object]) -> Callable[[object], object]:
        def wrapper(self: object) -> object:
            return function(self) if many else None

        return wrapper

    @controller("/")
    class Page:
        @get("/")
        @holding
        @guard(Nobody)
        def show(self) -> str:
            return "shown"

    assert len(whats(Page)) == 1


class Lazy:
    """An object that knows its class only later."""

    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        raise RuntimeError("too early")


class Angry:
    """An object that refuses every attribute."""

    __slots__ = ()

    def __getattr__(self, name: str) -> object:
        raise RuntimeError(name)


def unbound() -> object:
    """Make a proxy of an object that does not exist yet."""
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
    """This holds for controllers, configurations and other components."""

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
    """The search for methods does not load a lazy object."""

    @controller("/held")
    class Page:
        @get("/")
        @holding(make())
        def show(self) -> str:
            return "shown"

    assert problems_of(Pages, Page) == ()
