"""Configurations: their component methods, and the return types of these methods."""

from abc import ABC, abstractmethod
from typing import Any, NewType, Protocol

import pytest

from framework import component, configuration, controller, get, repository, service
from framework.decorators import component_methods, is_component, is_configuration
from framework.report import location
from framework.testing import open_client
from framework.types.signatures import describe
from tests.support.small_applications import only_problem_of, problems_of


class Mailer(ABC):
    @abstractmethod
    def send(self) -> str: ...


class SmtpMailer(Mailer):
    def send(self) -> str:
        return "smtp"


class Sending(Protocol):
    def send(self) -> str: ...


@controller("/")
class Page:
    def __init__(self, mailer: Mailer) -> None:
        self._mailer = mailer

    @get("/")
    def page(self) -> str:
        return self._mailer.send()


@configuration
class Mailing:
    @component
    def mailer(self) -> Mailer:
        return SmtpMailer()


def answer_of(*classes: type) -> str:
    with open_client(classes, ()) as client:
        return client.get("/").text


@pytest.mark.parametrize("tag", [component, service, repository])
def test_a_subclass_of_a_component_is_not_a_component(tag: Any) -> None:
    """A tag belongs to one class, and does not reach its subclasses."""

    class Plain: ...

    tagged = tag(Plain)

    class Derived(Plain): ...

    assert tagged is Plain
    assert [is_component(Plain), is_component(Derived)] == [True, False]


def test_a_subclass_of_a_configuration_is_not_a_configuration() -> None:
    """Each configuration needs its own decorator."""

    @configuration
    class Base: ...

    class Derived(Base): ...

    assert [is_configuration(Base), is_configuration(Derived)] == [True, False]


def test_an_overridden_component_method_still_provides() -> None:
    """An override without a decorator, or without a return type, provides what its base does."""

    class Base:
        @component
        def mailer(self) -> Mailer:
            raise AssertionError("overridden")

    @configuration
    class Derived(Base):
        def mailer(self):  # type: ignore[no-untyped-def]  # noqa: ANN202
            return SmtpMailer()

    assert answer_of(Page, Derived) == "smtp"


def test_a_narrower_return_type_provides_both_types() -> None:
    """An override with a narrower type also provides the type of its base."""

    @controller("/")
    class Both:
        def __init__(self, mailer: Mailer, smtp: SmtpMailer) -> None:
            self._same = mailer is smtp

        @get("/")
        def page(self) -> str:
            return str(self._same)

    class Base:
        @component
        def mailer(self) -> Mailer:
            raise AssertionError("overridden")

    @configuration
    class Derived(Base):
        @component
        def mailer(self) -> SmtpMailer:
            return SmtpMailer()

    assert answer_of(Both, Derived) == "True"


def test_a_property_of_a_configuration_is_not_evaluated() -> None:
    """The search for component methods runs no code of the class."""

    @configuration
    class Configuration:
        @property
        def broken(self) -> str:
            raise AssertionError("evaluated")

        @component
        class Inner: ...

        @component
        def mailer(self) -> Mailer:
            return SmtpMailer()

    assert [each.name for each in component_methods(Configuration)] == ["mailer"]
    assert answer_of(Page, Configuration) == "smtp"


@pytest.mark.parametrize("annotations", [{}, {"return": None}])
def test_a_component_method_needs_a_return_type(annotations: dict[str, object]) -> None:
    """Without a return type, nothing could ask for the component."""

    @configuration
    class Configuration:
        @component
        def mailer(self) -> Any:
            return SmtpMailer()

        mailer.__annotations__ = annotations

    problem = only_problem_of(Configuration)

    assert problem.where == location(Configuration.mailer)
    assert problem.what == "nothing says what type of component mailer() provides"
    assert problem.remedy == "Write the return type of the method, as in `-> Mailer`."


def test_a_return_type_that_names_nothing_is_a_problem() -> None:
    """The return type of a component method is needed, unlike that of a handler."""

    @configuration
    class Configuration:
        @component
        def mailer(self) -> "Missing":  # type: ignore[name-defined]  # noqa: F821
            return SmtpMailer()

    assert "the return annotation is 'Missing'" in only_problem_of(Configuration).what


def test_a_component_method_outside_of_a_configuration_is_a_problem() -> None:
    """The method would never be called, because @configuration is missing."""

    @service
    class Shop:
        @component
        def mailer(self) -> Mailer:
            return SmtpMailer()

    problem = only_problem_of(Shop)

    assert problem.what == "the @component method mailer() is in Shop, which is not a configuration"
    assert problem.remedy.startswith("Decorate Shop with @configuration")


@pytest.mark.parametrize(
    ("key", "component_made", "returned"),
    [
        (Mailer, None, "None"),
        (SmtpMailer, "text", "an object of type str"),
        (Sending, None, "None"),
        (dict[str, int], [], "an object of type list"),
        (NewType("Url", str), 5, "an object of type int"),
        (complex, "1j", "an object of type str"),
    ],
)
def test_a_component_method_has_to_return_its_return_type(
    key: Any, component_made: object, returned: str
) -> None:
    """A missing return, or another type, is found before the first request."""

    @configuration
    class Configuration:
        @component
        def mailer(self) -> Any:
            return component_made

        mailer.__annotations__ = {"return": key}

    @service
    class Dependent:
        def __init__(self, mailer: Any) -> None:
            raise AssertionError("built")

        __init__.__annotations__ = {"mailer": key}

    problem = only_problem_of(Configuration, Dependent)

    assert problem.what == (
        f"Configuration.mailer() is annotated to return {describe(key)}, but it returned {returned}"
    )


def test_a_protocol_is_not_checked_by_class() -> None:
    """A class need not inherit from a protocol, and an int is valid for a float."""

    @configuration
    class Configuration:
        @component
        def sending(self) -> Sending:
            return SmtpMailer()

        @component
        def ratio(self) -> float:
            return 1

    assert problems_of(Page, Mailing, Configuration) == ()
