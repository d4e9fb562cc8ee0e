"""Tags of controllers: prefixes, verbs, decorators and inheritance."""

import functools
from collections.abc import Callable
from typing import Any

import pytest

from framework.decorators import (
    controller,
    delete,
    get,
    head,
    is_controller,
    options,
    patch,
    post,
    put,
)
from framework.http.routes import Route, routes_of
from framework.report import Mistake, Report, location
from tests.support.small_applications import client_of, only_problem_of


def shouted(function: Callable[..., str]) -> Callable[..., str]:
    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> str:
        return function(*args, **kwargs).upper()

    return wrapper


def rules_of(target: type) -> list[str]:
    return [f"{route.method} {route.rule}" for route in _routes(target)]


def _routes(target: type) -> list[Route]:
    report = Report()
    routes = routes_of(target, report)
    assert not report.mistakes
    return routes


@pytest.mark.parametrize(
    ("prefix", "path", "rule"),
    [
        ("/", "/", "/"),
        ("", "/", "/"),
        ("/", "/a", "/a"),
        ("/users", "/", "/users"),
        ("/users", "/me/", "/users/me"),
        ("/a", "b//", "/a/b//"),
        ("/users", "", "/users"),
        ("/users/", "/me", "/users/me"),
        ("users", "me", "/users/me"),
        ("/users", "/<int:user_id>", "/users/<int:user_id>"),
        ("/a", "//b", "/a//b"),
    ],
)
def test_a_rule_is_the_prefix_and_the_path(prefix: str, path: str, rule: str) -> None:
    """Prefix and path are joined with one slash, and a slash at the end is left out."""

    @controller(prefix)
    class Pages:
        @get(path)
        def page(self) -> str:
            return ""

    assert [route.rule for route in _routes(Pages)] == [rule]


@pytest.mark.parametrize("verb", [get, post, put, patch, delete, head, options])
def test_each_verb_tags_its_method(verb: Callable[..., Any]) -> None:
    """A verb stores its method and status, and does not change the function."""

    def page(self: object) -> str:
        return "plain"

    tagged = verb("/p", status=201)(page)
    (route,) = _routes(controller("/")(type("Pages", (), {"page": tagged})))

    assert tagged is page
    assert (route.method, route.status) == (verb.__name__.upper(), 201)


@pytest.mark.parametrize("decorator", [controller, get, post])
def test_a_decorator_without_parentheses_is_explained(
    decorator: Callable[..., object],
) -> None:
    """`@get` without parentheses is a TypeError that shows the right spelling."""
    with pytest.raises(TypeError, match=rf'write @{decorator.__name__}\("/"\)'):
        decorator(shouted)


def test_a_subclass_of_a_controller_is_not_a_controller() -> None:
    """Only the decorated class itself is a controller."""

    @controller("/")
    class Pages: ...

    class Others(Pages): ...

    assert (is_controller(Pages), is_controller(Others)) == (True, False)


def test_a_wrapping_decorator_works_above_and_below_the_verb() -> None:
    """A decorator that uses functools.wraps is applied, whether it is above or below @get."""

    @controller("/")
    class Pages:
        @shouted
        @get("/above/<name>")
        def above(self, name: str) -> str:
            return name

        @get("/below/<name>")
        @shouted
        def below(self, name: str) -> str:
            return name

    with client_of(Pages) as client:
        answers = [client.get("/above/ann").text, client.get("/below/bob").text]

    assert answers == ["ANN", "BOB"]


def test_static_and_class_methods_are_handlers_in_either_order() -> None:
    """@get works above and below @staticmethod and @classmethod."""

    @controller("/")
    class Pages:
        @get("/1/<name>")
        @staticmethod
        def static_below(name: str) -> str:
            return name

        @staticmethod
        @get("/2/<name>")
        def static_above(name: str) -> str:
            return name

        @get("/3/<name>")
        @classmethod
        def class_below(cls, name: str) -> str:
            return cls.__name__ + name

        @classmethod
        @get("/4/<name>")
        def class_above(cls, name: str) -> str:
            return cls.__name__ + name

    with client_of(Pages) as client:
        answers = [client.get(f"/{number}/x").text for number in (1, 2, 3, 4)]

    assert answers == ["x", "x", "Pagesx", "Pagesx"]


def test_two_verbs_on_one_method_are_two_routes() -> None:
    """Each verb decorator adds a route, read from above."""

    @controller("/")
    class Pages:
        @get("/a")
        @post("/b")
        def page(self) -> str:
            return ""

    assert rules_of(Pages) == ["GET /a", "POST /b"]


def test_a_base_class_answers_under_each_prefix_with_its_own_instance() -> None:
    """Two controllers that share a base answer separately."""

    class Counting:
        def __init__(self) -> None:
            self.count = 0

        @get("/")
        def show(self) -> int:
            self.count += 1
            return self.count

    @controller("/a")
    class First(Counting): ...

    @controller("/b")
    class Second(Counting): ...

    with client_of(First, Second) as client:
        answers = [client.get(path).json for path in ("/a/", "/a/", "/b/")]

    assert answers == [1, 2, 1]


def test_a_redecorated_override_has_only_the_new_path() -> None:
    """A subclass that decorates again replaces the routes of the method."""

    class Base:
        @get("/old")
        def page(self) -> str:
            return ""

    @controller("/")
    class Pages(Base):
        @get("/new")
        def page(self) -> str:
            return ""

    assert rules_of(Pages) == ["GET /new"]


def test_an_override_without_a_decorator_keeps_the_route() -> None:
    """An override changes the handler, but not its path."""

    class Base:
        @get("/page")
        def page(self) -> str:
            return "base"

    @controller("/")
    class Pages(Base):
        def page(self) -> str:
            return "override"

    with client_of(Pages) as client:
        assert client.get("/page").text == "override"


def test_setting_a_handler_to_none_removes_the_route() -> None:
    """A subclass takes a handler away by setting it to None."""

    class Base:
        @get("/page")
        def page(self) -> str:
            return ""

        @get("/other")
        def other(self) -> str:
            return ""

    @controller("/")
    class Pages(Base):
        page = None  # type: ignore[assignment]

    assert rules_of(Pages) == ["GET /other"]


def test_a_property_of_a_controller_is_not_evaluated() -> None:
    """The search for handlers runs no code of the class."""

    @controller("/")
    class Pages:
        @property
        def broken(self) -> str:
            raise AssertionError("evaluated")

        @get("/")
        def page(self) -> str:
            return ""

    assert rules_of(Pages) == ["GET /"]


def test_a_controller_without_routes_is_a_problem() -> None:
    """Often a decorator hides the handler."""

    @controller("/")
    class Pages:
        def page(self) -> str:
            return ""

    problem = only_problem_of(Pages)

    assert problem.what == "this controller has no routes"
    assert "functools.wraps" in problem.remedy


@pytest.mark.parametrize("status", [0, 99, 101, 600])
def test_a_status_that_ends_no_request_is_a_problem(status: int) -> None:
    """A status must be a final status of a response."""

    @controller("/")
    class Pages:
        @get("/", status=status)
        def page(self) -> str:
            return ""

    problem = only_problem_of(Pages)

    assert problem.what == f"the status {status} of GET / is not a final HTTP status"


def test_a_status_that_is_text_is_a_problem() -> None:
    """The problem is the same as for a number out of range."""

    @controller("/")
    class Page:
        @get("/a", status="201")  # type: ignore[arg-type]
        def page(self) -> str:
            return ""

    assert only_problem_of(Page) == Mistake(
        "the status '201' of GET /a is not a final HTTP status",
        "Give a number from 200 to 599, or leave the status out.",
        where=location(Page.page),
    )


def test_a_verb_belongs_on_a_method() -> None:
    """A property is not a method."""
    with pytest.raises(TypeError) as caught:

        class Page:
            @get("/")  # type: ignore[prop-decorator]
            @property
            def page(self) -> str:
                return ""

    assert str(caught.value) == (
        "@get decorates a method, but stands above a property. Fix: write `def` below @get('/')"
    )
