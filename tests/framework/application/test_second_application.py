"""A second application with the same classes: what start-up may remember of the first."""

import functools
import sys
import types
from collections.abc import Callable
from typing import Any

import pytest

from framework import Application, StartupError, component, configuration, controller, get, post
from framework.types.signatures import read_parameters


@controller("/")
class Pages:
    """Show what the query holds."""

    @get("/<int:number>")
    def show(self, number: int, page: int = 1) -> list[int]:
        """Return both."""
        return [number, page]

    @post("/<int:number>")
    def change(self, number: int) -> None:
        """Do nothing."""


def test_the_second_application_answers_like_the_first() -> None:
    """Routes, parameters and refusals are the same."""
    for _ in range(2):
        with Application(Pages).test() as client:
            assert client.get("/7?page=2").json == [7, 2]
            assert client.get("/7?page=x").status_code == 422
            assert client.put("/7").headers["Allow"] == "GET, HEAD, OPTIONS, POST"
            assert client.get("/x").status_code == 404


def test_two_applications_with_the_same_paths_have_their_own_handlers() -> None:
    """The applications share only the table of paths."""

    def application_of(answer: str) -> Application:
        @controller("/same")
        class Page:
            @get("/<name>")
            def show(self, name: str) -> str:
                return f"{answer} {name}"

            @get("/")
            def index(self) -> str:
                return answer

        return Application(Page)

    one, two = application_of("one"), application_of("two")
    with one.test() as first, two.test() as second:
        found = [
            client.get(path).text for client in (first, second) for path in ("/same/a", "/same")
        ]

    assert found == ["one a", "one", "two a", "two"]


def test_a_wrapper_of_a_handler_in_use_is_read_again() -> None:
    """functools.wraps also copies the memory of start-up, which must not count."""
    Application(Pages)

    def with_size(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def wrapper(self: Pages, size: int) -> object:
            return function(self, size)

        del wrapper.__wrapped__
        return wrapper

    assert [each.name for each in read_parameters(with_size(Pages.show))] == ["size"]


def test_an_annotation_that_failed_is_evaluated_again() -> None:
    """A name that does not exist at the first start may exist at the second."""
    module = types.ModuleType("late_names")
    sys.modules[module.__name__] = module
    try:
        exec(  # noqa: S102
            "from framework import controller, get\n"
            "@controller('/')\n"
            "class Page:\n"
            "    @get('/')\n"
            "    def show(self, size: 'Size' = 3) -> int: return size\n",
            vars(module),
        )
        with pytest.raises(StartupError, match="'Size' does not exist"):
            Application(module)

        vars(module)["Size"] = int
        with Application(module).test() as client:
            assert client.get("/?size=4").json == 4
    finally:
        del sys.modules[module.__name__]


def test_one_class_in_two_configurations_is_wired_by_each() -> None:
    """The memory of a handler does not contain its components."""

    class Greeting:
        def __init__(self, text: str) -> None:
            self.text = text

    @controller("/")
    class Page:
        def __init__(self, greeting: Greeting) -> None:
            self._greeting = greeting

        @get("/")
        def show(self) -> str:
            return self._greeting.text

    def greeted(text: str) -> type:
        @configuration
        class Web:
            @component
            def greeting(self) -> Greeting:
                return Greeting(text)

        return Web

    found = []
    for text in ("hello", "welcome"):
        with Application(Page, greeted(text)).test() as client:
            found.append(client.get("/").text)
    assert found == ["hello", "welcome"]


def test_a_string_annotation_that_changed_its_meaning_is_read_again() -> None:
    """In a notebook, a class may be defined again under the same name."""
    module = types.ModuleType("written_again")
    sys.modules[module.__name__] = module
    source = (
        "from __future__ import annotations\n"
        "from framework import Inject, component, controller, get\n"
        "@controller('/')\n"
        "class Page:\n"
        "    @get('/')\n"
        "    def show(self, mailer: Inject[Mailer]) -> str: return mailer.name\n"
    )
    mailer = "@component\nclass Mailer:\n    name = '{}'\n"
    try:
        exec(source, vars(module))  # noqa: S102
        answers = []
        for name in ("one", "two"):
            exec(mailer.format(name), vars(module))  # noqa: S102
            with Application(module).test() as client:
                answers.append(client.get("/").text)
    finally:
        del sys.modules[module.__name__]

    assert answers == ["one", "two"]


@pytest.mark.parametrize("first", ["", "Result = dict"], ids=["no class", "another class"])
def test_a_return_type_is_checked_again_in_a_second_application(first: str) -> None:
    """Its text named nothing at the first start, or a type that JSON can hold."""
    module = types.ModuleType("result_later")
    sys.modules[module.__name__] = module
    source = (
        "from __future__ import annotations\n"
        "from framework import controller, get\n"
        f"{first}\n"
        "@controller('/')\n"
        "class Page:\n"
        "    @get('/')\n"
        "    def show(self) -> Result: ...\n"
    )
    try:
        exec(source, vars(module))  # noqa: S102
        Application(module)
        exec("class Result: ...", vars(module))  # noqa: S102
        with pytest.raises(StartupError, match="returns Result, which JSON cannot hold"):
            Application(module)
    finally:
        del sys.modules[module.__name__]
