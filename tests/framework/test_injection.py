"""Components: built once at start-up, given to constructors, replaced in tests."""

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated, NewType, Protocol

import pytest

from framework import (
    Inject,
    Query,
    Request,
    Session,
    StartupError,
    component,
    configuration,
    controller,
    get,
    replace,
    repository,
    service,
    session,
)
from framework.startup import location
from framework.testing import Client, Replacement, open_client
from sessions import SessionContainer
from tests.framework.trials import client_of, only_problem_of, problems_of

Url = NewType("Url", str)


class Mailer(ABC):
    @abstractmethod
    def send(self) -> str: ...


class Clock(Protocol):
    def now(self) -> int: ...


@component
class SmtpMailer(Mailer):
    def send(self) -> str:
        return "smtp"


class Settings:
    def __init__(self, name: str = "default") -> None:
        self.name = name


def page_of(key: object, show: Callable[..., object]) -> type:
    """Make a controller that is given a component and answers with what is shown of it."""

    @controller("/")
    class Page:
        def __init__(self, it: object) -> None:
            self._it = it

        __init__.__annotations__ = {"it": key}

        @get("/")
        def page(self) -> dict[str, object]:
            return {"shown": show(self._it)}

    return Page


def shown(page: type, *others: type, replacements: tuple[Replacement, ...] = ()) -> object:
    """Return what a page of `page_of` shows."""
    with open_client((page, *others), replacements) as client:
        return read(client)


def read(client: Client) -> object:
    """Return what the page of `page_of` of a client shows."""
    return client.get("/").get_json()["shown"]


def test_components_are_given_to_constructors_and_built_once() -> None:
    """Whoever asks for a type is given the same object, in any order of the classes."""

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
    """A component that nobody asks for is built too, before any request."""
    built = []

    @service
    class Lonely:
        def __init__(self) -> None:
            built.append(threading.current_thread())

    with client_of(Lonely):
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
    "key",
    [list[Settings], dict[str, Settings], Annotated[Settings, "second"], Url, Callable[[], int]],
)
def test_any_type_can_be_a_key(key: type) -> None:
    """Generic types, NewType and Annotated types are told apart from what is inside them."""

    @configuration
    class Configuration:
        @component
        def plain(self) -> Settings:
            return Settings()

        @component
        def special(self) -> object:
            return ["special"]

        special.__annotations__ = {"return": key}

    assert shown(page_of(key, lambda it: it), Configuration) == ["special"]


def test_the_framework_steps_aside_for_a_users_component() -> None:
    """A component of a type that the framework provides as well is the one that counts."""

    container = SessionContainer(keys=["k" * 16 + "0123456789abcdef"], session_prefix="shop")

    @configuration
    class Configuration:
        @component
        def session_container(self) -> SessionContainer:
            return container

    page = page_of(SessionContainer, lambda it: it.session_prefix)

    assert shown(page, Configuration) == "shop"
    assert shown(page) == "session"


def test_f42_an_unbound_scalar_is_a_problem() -> None:
    """A string or number of a constructor is never made up."""

    @service
    class Shop:
        def __init__(self, url: str, port: int, name: str = "shop", size: int = 3) -> None: ...

    found = problems_of(Shop)

    assert [each.where for each in found] == [location(Shop.__init__)] * 2
    assert [each.what for each in found] == [
        "nothing provides str, which parameter 'url' asks for",
        "nothing provides int, which parameter 'port' asks for",
    ]
    assert found[0].remedy.startswith("Give the parameter a default value, or ask for a class of")


def test_f42_an_unbound_parameter_keeps_its_default() -> None:
    """What nothing provides keeps its default, whatever its type."""

    @service
    class Shop:
        def __init__(  # type: ignore[no-untyped-def]
            self,
            name: str = "shop",
            settings: Settings | None = None,
            unannotated=5,  # noqa: ANN001
            *args: str,
            **kwargs: str,
        ) -> None:
            self.all = [name, settings, unannotated, args, kwargs]

    assert shown(page_of(Shop, lambda it: it.all), Shop) == ["shop", None, 5, [], {}]


def test_a_bound_parameter_with_a_default_is_injected() -> None:
    """A default does not keep a component out, nor does an optional type."""

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


def test_f43_the_one_component_that_implements_an_abstract_class_is_given() -> None:
    """An abstract class or a protocol stands for its only component."""

    @service
    class Watch(Clock):
        def now(self) -> int:
            return 12

    assert shown(page_of(Mailer, lambda it: it.send()), SmtpMailer) == "smtp"
    assert shown(page_of(Clock, lambda it: it.now()), Watch) == 12


def test_f43_two_implementations_are_a_problem_that_names_them() -> None:
    """Which of two components is meant cannot be guessed."""

    @service
    class OtherMailer(Mailer):
        def send(self) -> str:
            return "other"

    problem = only_problem_of(page_of(Mailer, str), SmtpMailer, OtherMailer)

    assert problem.what == (
        "more than one component implements Mailer:"
        f" {location(SmtpMailer)}, {location(OtherMailer)}, which parameter 'it' asks for"
    )
    assert problem.remedy == (
        "Return the one you mean from a @component method annotated `-> Mailer`."
    )


def test_f43_an_unbound_abstract_class_is_a_problem_that_names_implementations() -> None:
    """Implementations that are no components of the application are told."""
    problem = only_problem_of(page_of(Mailer, str))

    assert problem.what.startswith(
        "nothing provides Mailer, which is abstract; known implementations:"
    )
    assert location(SmtpMailer) in problem.what
    assert "Decorate the one you mean with @component" in problem.remedy


def test_f43_an_unbound_protocol_names_the_components_that_look_like_it() -> None:
    """A component that has all members of a protocol may have forgotten to inherit from it."""

    @service
    class Sundial:
        def now(self) -> int:
            return 1

    problem = only_problem_of(page_of(Clock, str), Sundial)

    assert location(Sundial) in problem.what
    assert "let it inherit from Clock" in problem.remedy


def test_f43_an_abstract_class_without_implementations_is_a_problem() -> None:
    """Where nothing implements an abstract class, the problem says what to write."""

    class Printer(ABC):
        @abstractmethod
        def print(self) -> None: ...

    problem = only_problem_of(page_of(Printer, str))

    assert "no implementation is known" in problem.what
    assert "inherits from Printer" in problem.remedy


def test_an_undecorated_class_is_a_problem() -> None:
    """A class is only built for the application if it is decorated."""
    problem = only_problem_of(page_of(Settings, str))

    assert problem.what == "nothing provides Settings, which parameter 'it' asks for"
    assert problem.remedy.startswith("Decorate Settings with @component")


def test_f45_a_cycle_is_drawn() -> None:
    """Components that need each other are a problem that shows the circle, once."""

    @service
    class A: ...

    @service
    class B:
        def __init__(self, a: A) -> None: ...

    @service
    class C:
        def __init__(self, b: B) -> None: ...

    def needs_c(self: object, c: C) -> None: ...

    A.__init__ = needs_c  # type: ignore[method-assign, assignment]

    problem = only_problem_of(A, B, C)

    assert problem.what.endswith(
        f"\n{location(A)}\n→ {location(C)}\n→ {location(B)}\n→ {location(A)}"
    )


def test_f45_a_cycle_through_a_configuration_is_drawn() -> None:
    """A configuration that needs what it provides is a circle too."""

    @configuration
    class Configuration:
        def __init__(self, settings: Settings) -> None: ...

        @component
        def settings(self) -> Settings:
            return Settings()

    method = location(Configuration.settings)

    assert f"→ {method}\n→" in only_problem_of(Configuration).what


def test_f40_a_constructor_that_raises_is_a_problem_with_its_traceback() -> None:
    """The traceback begins at the user's own code, and the other components are still built."""
    built = []

    def connect() -> None:
        raise ConnectionError("no route to the database")

    @repository
    class Users:
        def __init__(self) -> None:
            connect()

    @service
    class Greeter:
        def __init__(self, users: Users) -> None: ...

    @service
    class Other:
        def __init__(self) -> None:
            built.append(self)

    problem = only_problem_of(Users, Greeter, Other)
    frames = [line.strip() for line in problem.what.splitlines() if 'File "' in line]

    assert problem.where == location(Users)
    assert problem.what.startswith(
        "Users cannot be built: ConnectionError: no route to the database\nTraceback"
    )
    assert [frame.rpartition(" in ")[2] for frame in frames] == ["__init__", "connect"]
    assert len(built) == 1


def test_f40_a_component_that_could_not_be_built_is_not_reported_as_missing() -> None:
    """One mistake is one problem, also for the handlers that need the component."""

    @repository
    class Users:
        def __init__(self) -> None:
            raise ValueError("broken")

    @controller("/")
    class Page:
        def __init__(self, users: Users) -> None: ...

        @get("/")
        def page(self, users: Inject[Users]) -> None: ...

    assert only_problem_of(Page, Users).where == location(Users)


def test_two_providers_of_a_type_are_a_problem_with_both_places() -> None:
    """Neither of two components of a type is preferred."""

    @configuration
    class Configuration:
        @component
        def one(self) -> Settings:
            return Settings()

        @component
        def two(self) -> Settings:
            return Settings()

    problem = only_problem_of(Configuration)

    assert problem.where == location(Configuration.two)
    assert problem.what == (
        f"Settings is provided twice: here and by {location(Configuration.one)}"
    )


@pytest.mark.parametrize("key", [Session, session, Request, Query[int]])
def test_what_belongs_to_a_request_cannot_be_in_a_component(key: object) -> None:
    """A component lives as long as the application, a session or a query value does not."""
    problem = only_problem_of(page_of(key, str))

    assert "belongs to one request, but components live longer" in problem.what
    assert problem.remedy.startswith("Take it as a parameter of the handler")


def test_a_constructor_parameter_without_an_annotation_is_a_problem() -> None:
    """Injection goes by type."""

    @service
    class Shop:
        def __init__(self, mailer) -> None: ...  # type: ignore[no-untyped-def]  # noqa: ANN001

    assert only_problem_of(Shop).what == (
        "nothing says what to inject without an annotation, which parameter 'mailer' asks for"
    )


def test_a_constructor_annotation_that_names_nothing_is_a_problem() -> None:
    """Even with a default: it would hide that the component is not injected."""

    @service
    class Shop:
        def __init__(self, mailer: "Missing | None" = None) -> None: ...  # type: ignore[name-defined]  # noqa: F821

    problem = only_problem_of(Shop)

    assert problem.where == location(Shop.__init__)
    assert "'Missing' does not exist" in problem.what


def test_f57_replacements_are_independent_of_each_other() -> None:
    """Each test client has a graph of its own, also inside another's."""
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
    """What a replacement stands in for is not even constructed, nor what implements it."""

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


def test_f58_replacing_what_nobody_uses_is_a_problem() -> None:
    """A replacement that changes nothing is a mistake of the test."""
    page = page_of(SmtpMailer, lambda it: it.send())

    with (
        pytest.raises(StartupError) as raised,
        open_client((page,), [replace(Settings).to(Settings())]),
    ):
        pass

    (problem,) = raised.value.problems
    assert problem.where == "replace(Settings)"
    assert problem.what == "nothing asks for Settings, so replacing it changes nothing"


def test_f59_two_applications_share_no_component() -> None:
    """Each application builds its own components of the same classes."""
    seen: list[object] = []
    page = page_of(SmtpMailer, seen.append)

    shown(page)
    shown(page)

    assert seen[0] is not seen[1]
