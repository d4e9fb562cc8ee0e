"""Components that fill a generic class, and lists of all components of a type."""

import sys
from abc import ABC, abstractmethod
from collections.abc import Sequence
from types import ModuleType
from typing import Any, Generic, Protocol, TypeVar

import pytest

from framework import (
    Inject,
    component,
    configuration,
    controller,
    get,
    replace,
    repository,
    service,
)
from framework.report import location
from framework.testing import open_client
from framework.types.signatures import describe
from tests.support.small_applications import client_of, only_problem_of

T = TypeVar("T")
K = TypeVar("K")
Loaded = TypeVar("Loaded", covariant=True)


class Repository(Generic[T]): ...


class Table(Repository[T], Generic[K, T]): ...


@repository
class Numbers(Repository[int]): ...


@repository
class Words(Table[int, str]): ...


class Store(Protocol[Loaded]):
    def load(self) -> Loaded: ...


@service
class TextStore(Store[str]):
    def load(self) -> str:
        return "stored"


class Plugin(ABC):
    @abstractmethod
    def name(self) -> str: ...


@component
class First(Plugin):
    def name(self) -> str:
        return "first"


@component
class Second(Plugin):
    def __init__(self, first: First) -> None:
        self.first = first

    def name(self) -> str:
        return "second"


@configuration
class More:
    @component
    def third(self) -> Plugin:
        return Third()


class Third(Plugin):
    def name(self) -> str:
        return "third"


class Renamed(First):
    def name(self) -> str:
        return "renamed"


def _inject(annotation: Any) -> Any:
    marked: Any = Inject
    return marked[annotation]


def asking_for(annotation: Any) -> type:
    """Make a controller whose constructor and handler ask for a type."""

    @controller("/")
    class Asking:
        def __init__(self, found: Any) -> None:
            self.found = found

        @get("/")
        def show(self, taken: Any) -> list[str]:
            assert type(taken) is type(self.found)
            if not isinstance(taken, list | tuple):
                assert taken is self.found
                return [type(taken).__name__]
            return [plugin.name() for plugin in taken]

    Asking.__init__.__annotations__["found"] = annotation
    Asking.show.__annotations__["taken"] = _inject(annotation)
    return Asking


@service
class Counts(Repository[int]): ...


class Sender: ...


@service
class Post(Sender): ...


@service
class Pigeon(Sender): ...


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        (Repository[int], "Numbers"),
        (Repository[str], "Words"),
        (Table[int, str], "Words"),
        (Store[str], "TextStore"),
    ],
)
def test_a_component_fills_a_generic_base(asked: Any, found: str) -> None:
    """The component may inherit from the base through other classes."""
    with client_of(asking_for(asked), Numbers, Words, TextStore) as client:
        assert client.get("/").json == [found]


@pytest.mark.parametrize("asked", [Repository[float], Store[int], Table[str, str]])
def test_other_types_do_not_fill_a_generic_base(asked: Any) -> None:
    """A component with other types is not used."""

    @service
    class Asking:
        def __init__(self, found: Any) -> None: ...

    Asking.__init__.__annotations__["found"] = asked

    assert "nothing provides" in only_problem_of(Asking, Numbers, Words, TextStore).what


@pytest.mark.parametrize(("asked", "other"), [(Repository[int], Counts), (Sender, Pigeon)])
def test_two_components_of_a_base_are_a_mistake_that_names_them(asked: Any, other: type) -> None:
    """The injector does not choose between them, for an abstract base or not."""

    @service
    class Asking:
        def __init__(self, found: Any) -> None: ...

    Asking.__init__.__annotations__["found"] = asked

    problem = only_problem_of(Asking, Numbers, Post, other)

    assert problem.what.startswith(
        f"parameter 'found': more than one component implements {describe(asked)}: "
    )
    assert location(other) in problem.what
    assert f"or take all of them as list[{describe(asked)}]" in problem.remedy


@pytest.mark.parametrize("asked", [list[Plugin], tuple[Plugin, ...], Sequence[Plugin]])
def test_a_list_holds_all_components_of_a_type(asked: Any) -> None:
    """The components are in the order in which the application got their classes."""
    with client_of(asking_for(asked), Second, More, First) as client:
        assert client.get("/").json == ["second", "third", "first"]


def test_a_list_of_a_class_holds_the_class_too() -> None:
    """A class that is not abstract is in its own list."""
    with client_of(asking_for(list[First]), First, Second) as client:
        assert client.get("/").json == ["first"]


def test_a_configuration_may_provide_the_list() -> None:
    """A list that a component method returns is used unchanged."""

    @configuration
    class Chosen:
        @component
        def plugins(self, second: Second) -> list[Plugin]:
            return [second]

    with client_of(asking_for(list[Plugin]), First, Second, Chosen) as client:
        assert client.get("/").json == ["second"]


def test_a_list_holds_the_replacements_of_a_test() -> None:
    """A replaced component is in the list in place of the real one."""
    parts = (asking_for(list[Plugin]), First, Second)

    with open_client(parts, (replace(First).to(Renamed()),)) as client:
        assert sorted(client.get("/").json) == ["renamed", "second"]


def test_a_list_of_components_of_a_request_belongs_to_the_request() -> None:
    """A handler gets the list; a controller is built once, and start-up says so."""

    @component(scope="request")
    class Brief(Plugin):
        def name(self) -> str:
            return "brief"

    @controller("/")
    class Pages:
        @get("/")
        def show(self, plugins: Inject[list[Plugin]]) -> list[str]:
            return [plugin.name() for plugin in plugins]

    with client_of(Pages, First, Brief) as client:
        assert client.get("/").json == ["first", "brief"]

    problem = only_problem_of(Keeps, First, Brief)
    assert "Keeps is built once, but list[Plugin] is built for each request" in problem.what


@service
class Keeps:
    def __init__(self, plugins: list[Plugin]) -> None: ...


def test_an_empty_list_is_a_mistake() -> None:
    """If no component is of the type, start-up says how to add one."""
    problem = only_problem_of(Keeps)

    assert problem.what == "parameter 'plugins': nothing provides list[Plugin]"
    assert problem.remedy.startswith("Pass components that inherit from Plugin to the Application")


class Unlisted: ...


@pytest.mark.parametrize("kind", [dict[str, Unlisted], Unlisted])
def test_a_configuration_that_was_left_out_is_named(
    kind: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If a configuration of the program provides the type, the message names it."""

    class Unused:
        def table(self) -> Any: ...

    Unused.table.__annotations__["return"] = kind
    component(Unused.table)
    module = ModuleType("unused")
    monkeypatch.setattr(module, "Unused", configuration(Unused), raising=False)
    monkeypatch.setitem(sys.modules, "unused", module)
    Unused.__module__ = "unused"

    @service
    class Asking:
        def __init__(self, table: Any) -> None: ...

    Asking.__init__.__annotations__["table"] = kind

    problem = only_problem_of(Asking)
    assert "because Unused is not passed to the Application" in problem.what
    assert problem.remedy == "Pass Unused to the Application."
