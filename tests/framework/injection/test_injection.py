"""Components: built once at start-up, given to constructors, replaced in tests."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated, NewType

import pytest

from framework import (
    StartupError,
    component,
    configuration,
    controller,
    get,
    replace,
    repository,
    service,
)
from framework.report import location
from framework.testing import Replacement, open_client
from sessions import SessionContainer
from tests.support.components import Clock, Mailer, Settings, SmtpMailer, page_of, read, shown
from tests.support.small_applications import client_of, only_problem_of

Url = NewType("Url", str)


def test_components_are_given_to_constructors_and_built_once() -> None:
    """Every constructor gets the same object, in any order of the classes."""

    @repository
    class Names: ...

    @service
    class Greeter:
        def __init__(self, names: Names) -> None:
            self.names = names

    @controller("/")
    class Page:
        def __init__(self, greeter: Greeter, names: Names) -> None:
            self._same = greeter.names is names

        @get("/")
        def page(self) -> bool:
            return self._same

    with client_of(Page, Greeter, Names) as client:
        assert client.get("/").json is True


def test_components_are_built_at_start_up_by_one_thread() -> None:
    """A component that nothing asks for is also built before any request."""
    built = []

    @service
    class Lonely:
        def __init__(self) -> None:
            built.append(threading.current_thread())

    with client_of(Lonely, page_of(SmtpMailer, str)):
        assert built == [threading.current_thread()]


def test_a_decorated_class_need_not_be_listed() -> None:
    """A component that a constructor asks for by its own type is found without being passed."""
    assert shown(page_of(SmtpMailer, SmtpMailer.send)) == "smtp"


def test_a_configuration_provides_what_its_methods_return() -> None:
    """The return type of a component method is the type under which it is given."""

    @configuration
    class Configuration:
        @component
        def settings(self) -> Settings:
            return Settings("mine")

    assert shown(page_of(Settings, lambda it: it.name), Configuration) == "mine"


def test_configurations_and_their_methods_are_injected() -> None:
    """A configuration takes components in its constructor, and its methods as parameters."""

    @service
    class Prefix:
        text = "pre"

    @configuration
    class Configuration:
        def __init__(self, prefix: Prefix) -> None:
            self._prefix = prefix

        @component
        def settings(self, url: Url, /, *, missing: int = 7) -> Settings:
            return Settings(f"{self._prefix.text} {url} {missing}")

        @component
        @staticmethod
        def url() -> Url:
            return Url("http://x")

    answer = shown(page_of(Settings, lambda it: it.name), Configuration, Prefix)

    assert answer == "pre http://x 7"


@pytest.mark.parametrize(
    ("key", "made"),
    [
        (list[Settings], []),
        (dict[str, Settings], {}),
        (Annotated[Settings, "second"], Settings()),
        (Url, Url("/")),
        (Callable[[], int], int),
    ],
)
def test_any_type_can_be_a_key(key: type, made: object) -> None:
    """Generic types, NewType and Annotated types differ from the types inside them."""

    @configuration
    class Configuration:
        @component
        def plain(self) -> Settings:
            return Settings()

        @component
        def special(self) -> object:
            return made

        special.__annotations__ = {"return": key}

    assert shown(page_of(key, lambda it: it is made), Configuration) is True


def test_a_component_of_the_user_replaces_the_frameworks() -> None:
    """The user's component replaces the framework's component of the same type."""

    container = SessionContainer(keys=["k" * 16 + "0123456789abcdef"], session_prefix="shop")

    @configuration
    class Configuration:
        @component
        def session_container(self) -> SessionContainer:
            return container

    page = page_of(SessionContainer, lambda it: it.session_prefix)

    assert shown(page, Configuration) == "shop"
    assert shown(page) == "session"


def test_a_bound_parameter_with_a_default_is_injected() -> None:
    """A default or an optional type does not prevent the injection."""

    @service
    class Shop:
        def __init__(self, mailer: SmtpMailer | None = None) -> None:
            self.mailer = mailer

    assert shown(page_of(Shop, lambda it: it.mailer.send()), Shop, SmtpMailer) == "smtp"


def test_the_constructor_of_a_dataclass_is_injected() -> None:
    """A dataclass is a component like any other, and located by its class."""

    @service
    @dataclass
    class Shop:
        mailer: SmtpMailer
        names: list[str] = field(default_factory=list)

    @service
    @dataclass
    class Broken:
        name: str

    assert shown(page_of(Shop, lambda it: it.mailer.send()), Shop) == "smtp"
    assert only_problem_of(Broken).where == location(Broken)


def test_the_one_component_that_implements_an_abstract_class_is_given() -> None:
    """The only implementation of an abstract class or a protocol is used."""

    @service
    class Watch(Clock):
        def now(self) -> int:
            return 12

    assert shown(page_of(Mailer, lambda it: it.send()), SmtpMailer) == "smtp"
    assert shown(page_of(Clock, lambda it: it.now()), Watch) == 12


def test_replacements_are_independent_of_each_other() -> None:
    """Each test client has its own graph, also a nested one."""
    page = page_of(Settings, lambda it: it.name)

    @configuration
    class Configuration:
        @component
        def settings(self) -> Settings:
            return Settings("own")

    def name_with(*replacements: Replacement) -> object:
        return shown(page, Configuration, replacements=replacements)

    with open_client((page, Configuration), [replace(Settings).to(Settings("outer"))]) as outer:
        inner = name_with(replace(Settings).to(Settings("inner")))

        assert [inner, read(outer), name_with()] == ["inner", "outer", "own"]


def test_a_replaced_component_is_not_built() -> None:
    """Neither a replaced component nor its implementation is constructed."""

    @service
    class Costly(Mailer):
        def __init__(self) -> None:
            raise AssertionError("built")

        def send(self) -> str:
            return "costly"

    @configuration
    class Configuration:
        @component
        def settings(self) -> Settings:
            raise AssertionError("called")

    @controller("/")
    class Page:
        def __init__(self, mailer: Mailer, settings: Settings) -> None:
            self._answer = f"{mailer.send()} {settings.name}"

        @get("/")
        def page(self) -> str:
            return self._answer

    replacements = [
        replace(Mailer).to(SmtpMailer()),
        replace(Settings).to(Settings("fake")),
    ]

    with open_client((Page, Costly, Configuration), replacements) as client:
        assert client.get("/").text == "smtp fake"


def test_replacing_an_unused_type_is_a_problem() -> None:
    """A replacement without an effect is a mistake of the test."""
    page = page_of(SmtpMailer, lambda it: it.send())

    with (
        pytest.raises(StartupError) as raised,
        open_client((page,), [replace(Settings).to(Settings())]),
    ):
        pass

    (problem,) = raised.value.problems
    assert problem.where == "replace(Settings)"
    assert (
        problem.what == "nothing in the application uses Settings, so the replacement has no effect"
    )


def test_two_applications_share_no_component() -> None:
    """Each application builds its own components of the same classes."""
    seen: list[object] = []
    page = page_of(SmtpMailer, seen.append)

    shown(page)
    shown(page)

    assert seen[0] is not seen[1]
