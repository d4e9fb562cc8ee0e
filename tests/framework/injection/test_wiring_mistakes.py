"""Mistakes that prevent the building of components, each with its remedy."""

from abc import ABC, abstractmethod
from typing import NewType

import pytest

from framework import (
    Inject,
    Query,
    Request,
    Session,
    component,
    configuration,
    controller,
    get,
    repository,
    service,
    session,
)
from framework.report import location
from tests.support.components import Clock, Mailer, Settings, SmtpMailer, page_of, shown
from tests.support.small_applications import only_problem_of, problems_of

Url = NewType("Url", str)


def test_an_unbound_scalar_is_a_problem() -> None:
    """The injector never invents a text or a number."""

    @service
    class Shop:
        def __init__(self, url: str, port: int, name: str = "shop", size: int = 3) -> None: ...

    found = problems_of(Shop)

    assert [each.where for each in found] == [location(Shop.__init__)] * 2
    assert [each.what for each in found] == [
        "parameter 'url': nothing provides str",
        "parameter 'port': nothing provides int",
    ]
    assert found[0].remedy.startswith("Give the parameter a default value, or ask for a class of")


def test_an_unbound_parameter_keeps_its_default() -> None:
    """Without a provider, a parameter of any type keeps its default."""

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


def test_two_implementations_are_a_problem_that_names_them() -> None:
    """The injector does not choose between two components."""

    @service
    class OtherMailer(Mailer):
        def send(self) -> str:
            return "other"

    problem = only_problem_of(page_of(Mailer, str), SmtpMailer, OtherMailer)

    assert problem.what == (
        "parameter 'it': more than one component implements Mailer:"
        f" {location(SmtpMailer)}, {location(OtherMailer)}"
    )
    assert problem.remedy == (
        "Return the one you mean from a @component method annotated `-> Mailer`, or take all of"
        " them as list[Mailer]."
    )


def test_an_unbound_abstract_class_is_a_problem_that_names_implementations() -> None:
    """The problem names implementations that are not components."""
    problem = only_problem_of(page_of(Mailer, str))

    assert problem.what.startswith(
        "parameter 'it': nothing provides Mailer, which is abstract. Known implementations:"
    )
    assert location(SmtpMailer) in problem.what
    assert "Decorate it with @component" in problem.remedy


def test_an_unbound_protocol_names_the_components_that_look_like_it() -> None:
    """A component with all members of a protocol may lack the base class."""

    @service
    class Sundial:
        def now(self) -> int:
            return 1

    problem = only_problem_of(page_of(Clock, str), Sundial)

    assert location(Sundial) in problem.what
    assert "inherits from Clock" in problem.remedy


def test_a_long_list_of_implementations_is_cut() -> None:
    """The list of many implementations stays short, without repetitions."""

    class Printer(ABC):
        @abstractmethod
        def print(self) -> None: ...

    def implement(name: str, *bases: type) -> type:
        return type(name, bases, {"print": print})

    kept = [implement(f"Printer{number}", Printer) for number in range(5)]
    kept.append(implement("Both", *kept[:2]))

    problem = only_problem_of(page_of(Printer, str))

    assert problem.what.partition("implementations: ")[2] == (
        "Printer0, Both, Printer1, Printer2, Printer3 and 1 more"
    )


def test_an_abstract_class_without_implementations_is_a_problem() -> None:
    """Without an implementation, the problem says what to write."""

    class Printer(ABC):
        @abstractmethod
        def print(self) -> None: ...

    problem = only_problem_of(page_of(Printer, str))

    assert "no implementation is known" in problem.what
    assert "inherits from Printer" in problem.remedy


def test_an_undecorated_class_is_a_problem() -> None:
    """A class is only built for the application if it is decorated."""
    problem = only_problem_of(page_of(Settings, str))

    assert problem.what == "parameter 'it': nothing provides Settings"
    assert problem.remedy.startswith("Decorate Settings with @component")


def test_a_cycle_is_drawn() -> None:
    """Components that need each other are one problem that shows the circle."""

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


def test_a_cycle_through_a_configuration_is_drawn() -> None:
    """A configuration that needs its own component is a circle, too."""

    @configuration
    class Configuration:
        def __init__(self, settings: Settings) -> None: ...

        @component
        def settings(self) -> Settings:
            return Settings()

    method = location(Configuration.settings)

    assert f"→ {method}\n→" in only_problem_of(Configuration).what


def test_a_constructor_that_raises_is_a_problem_with_its_traceback() -> None:
    """The traceback begins in the user's code, and the other components are built."""
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


def test_a_component_that_could_not_be_built_is_not_reported_as_missing() -> None:
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
def test_a_singleton_cannot_take_values_of_a_request(key: object) -> None:
    """A component lives longer than a session or a value of the query."""
    problem = only_problem_of(page_of(key, str))

    assert "belongs to one request, but components live longer" in problem.what
    assert problem.remedy.startswith("Take it as a parameter of the handler")


def test_a_constructor_parameter_without_an_annotation_is_a_problem() -> None:
    """The injector finds components by their types."""

    @service
    class Shop:
        def __init__(self, mailer) -> None: ...  # type: ignore[no-untyped-def]  # noqa: ANN001

    assert only_problem_of(Shop).what == (
        "parameter 'mailer': it has no annotation, so nothing says what to inject"
    )


def test_a_constructor_annotation_that_names_nothing_is_a_problem() -> None:
    """A default would hide that the component is not injected."""

    @service
    class Shop:
        def __init__(self, mailer: "Missing | None" = None) -> None: ...  # type: ignore[name-defined]  # noqa: F821

    problem = only_problem_of(Shop)

    assert problem.where == location(Shop.__init__)
    assert "'Missing' does not exist" in problem.what


def test_middleware_with_an_application_argument_is_explained() -> None:
    """Other frameworks pass the rest of the application to the constructor."""

    @service
    class Timing:
        def __init__(self, get_response) -> None: ...  # type: ignore[no-untyped-def]  # noqa: ANN001

    problem = only_problem_of(Timing)

    assert "parameter 'get_response': it has no annotation" in problem.what
    assert "def __call__(self, request: Request, next: Next) -> Response" in problem.remedy


def test_an_unannotated_application_parameter_has_a_remedy() -> None:
    """A start hook often takes the application under this name."""

    @service
    class Worker:
        def __init__(self, app) -> None: ...  # type: ignore[no-untyped-def]  # noqa: ANN001

    assert only_problem_of(Worker).remedy == "Write app: Application."
