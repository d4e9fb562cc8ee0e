"""Methods of configurations that seem to provide a component."""

from framework import Application, HTTPSettings, component, configuration, controller, get
from framework.testing import Client
from sessions.manager import SessionManager
from tests.support.small_applications import problems_of


class ApplicationForm:
    """A class whose name begins like a class of the framework."""


class Mailer:
    """Be a component."""


@controller("/")
class Page:
    """Answer."""

    @get("/")
    def show(self) -> str:
        """Answer."""
        return "shown"


def test_a_helper_of_a_configuration_may_return_any_type() -> None:
    """Only settings and middleware are recognised by their types."""

    @configuration
    class Web:
        @component
        def mailer(self) -> Mailer:
            return Mailer()

        def forms(self) -> list[ApplicationForm]:
            return []

        def application(self) -> Application:
            raise NotImplementedError

        def manager(self) -> SessionManager:
            raise NotImplementedError

    assert Client(Application(Page, Web)).get("/").text == "shown"


def test_settings_without_a_decorator_are_found() -> None:
    """A subclass of the settings counts, too."""

    class Strict(HTTPSettings):
        pass

    @configuration
    class Web:
        def http(self) -> Strict:
            return Strict()

    (problem,) = problems_of(Page, Web)
    assert problem.what == "Web.http provides nothing: it is not decorated"


def test_a_forgotten_controller_is_reported_once() -> None:
    """The missing routes follow from the missing decorator, so there is one mistake."""

    @component
    class Forgot:
        @get("/")
        def show(self) -> str:
            return ""

    (problem,) = problems_of(Forgot)
    assert "is not a controller" in problem.what
