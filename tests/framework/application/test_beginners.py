"""Mistakes of a first day with the framework: each message says where, what, and what to do."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

from framework import (
    Application,
    Middleware,
    Next,
    Request,
    Response,
    component,
    configuration,
    controller,
    get,
    guard,
    service,
    session,
)
from framework.redirects import redirect
from framework.templates import Templates
from tests.support.commands import Framework
from tests.support.small_applications import client_of, only_problem_of, problems_of

# ruff: noqa: ANN001, N805
# mypy: disable-error-code="return, misc, no-untyped-def, call-arg, arg-type"

APP = """
from framework import Application, controller, get

@controller("/")
class Pages:
    @get("/")
    def show(self) -> str:
        return "shown"
"""


def checked(program: str, framework: Framework) -> str:
    Path("app.py").write_text(program, encoding="utf-8")
    return framework("check").output


def test_a_handler_outside_of_a_class_is_a_mistake(framework: Framework) -> None:
    """A function at the top of a module has no controller, so no request reaches it."""
    program = (
        f"{APP}\n@get('/about')\ndef about() -> str:\n    return ''\napp = Application(Pages)\n"
    )

    output = checked(program, framework)

    assert "about (app.py:10)\n   about() is decorated as a handler, but it is not a" in output
    assert "Fix: Make it a method of a class" in output


def test_a_route_decorator_on_a_class_is_explained() -> None:
    """A verb above a class decorates no handler."""
    with pytest.raises(TypeError, match=r"above the class Pages\. Fix: write @controller\('/x'\)"):

        @get("/x")
        class Pages: ...


def test_a_method_without_self_is_a_mistake() -> None:
    """Python would pass the controller as the first value."""

    @controller("/")
    class Pages:
        @get("/<int:number>")
        def show(number: int) -> str:
            return "shown"

    first, *_ = problems_of(Pages)

    assert first.what.startswith("the first parameter is 'number'")
    assert "(self, number, ...)" in first.remedy


@pytest.mark.parametrize(
    ("name", "remedy"),
    [
        ("response", "Create a Response in the handler"),
        ("payload", "payload: Body[T]"),
        ("app", "app: Inject[Application]"),
        ("file", "file: FileStorage"),
    ],
)
def test_a_parameter_without_annotation_has_the_remedy_of_its_name(name: str, remedy: str) -> None:
    """The message guesses the annotation from the name of the parameter."""
    space: dict[str, Any] = {}
    exec(f"def show(self, {name}): return ''", space)  # noqa: S102
    pages = controller("/")(type("Pages", (), {"show": get("/")(space["show"])}))

    assert remedy in only_problem_of(pages).remedy


def test_a_default_of_another_framework_is_a_mistake() -> None:
    """A parameter with Depends(...) seems to have a value."""
    depends = type("Depends", (), {"__module__": "fastapi.params"})()

    @controller("/")
    class Pages:
        @get("/")
        def show(self, store=depends) -> str:
            return "shown"

    mistake = only_problem_of(Pages)

    assert "is Depends(...) of another framework" in mistake.what
    assert mistake.remedy.startswith("Write Inject[...] for a component")


@service
class Mailer:
    """Send letters."""


@service
class Letters:
    def __init__(self, mailer: Mailer) -> None: ...


@controller("/")
class BuildsItself:
    @get("/")
    def show(self) -> str:
        return str(Letters())


def test_building_a_component_by_hand_is_explained(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The message does not ask for the missing argument, because the injector gives it."""
    with client_of(BuildsItself, Letters, Mailer) as client:
        client.get("/")

    (error,) = [record.exc_info[1] for record in caplog.records if record.exc_info]
    assert "Let the framework build Letters: take it" in error.__notes__[0]  # type: ignore[union-attr]


@controller("/")
class Renders:
    def __init__(self, templates: Templates) -> None: ...

    @get("/")
    def show(self) -> str:
        return "shown"


@controller("/")
class Unpacks:
    def __init__(self, archive: ZipFile) -> None: ...

    @get("/")
    def show(self) -> str:
        return "shown"


def test_a_class_of_a_library_is_not_to_be_decorated() -> None:
    """The message does not say to decorate a class that the user cannot change."""
    mistake = only_problem_of(Unpacks)

    assert "@component method" in mistake.remedy
    assert "Decorate ZipFile" not in mistake.remedy
    assert mistake.remedy.endswith("-> ZipFile.")


def test_templates_without_an_application_show_the_whole_call() -> None:
    """Python's own error would name the wrong argument."""

    @configuration
    class Web:
        @component
        def templates(self) -> Templates:
            return Templates("templates")

    mistake = only_problem_of(Renders, Web)

    assert 'Templates(app, Path(__file__).with_name("templates"))' in mistake.remedy


def forgetful(request: Request, next: Next) -> Response:
    next(request)


class Forgetful:
    def __call__(self, request: Request, next: Next) -> Response:
        next(request)


@pytest.mark.parametrize("layer", [forgetful, Forgetful()])
def test_middleware_that_forgets_its_return_is_a_mistake(layer: Middleware) -> None:
    """Start-up reports it, because otherwise each request would fail."""

    @configuration
    class Web:
        @component
        def middleware(self) -> list[Middleware]:
            return [layer]

    mistake = only_problem_of(BuildsItself, Letters, Mailer, Web)

    assert mistake.what.endswith("never returns a Response")
    assert mistake.remedy.endswith("return next(request)")


class Redirects:
    def check(self, session: session) -> object:
        return redirect("/login")


def test_a_guard_that_returns_a_response_is_explained(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The message does not only ask for a bool, because the author wants to send a response."""

    @controller("/")
    class Pages:
        @get("/")
        @guard(Redirects)
        def show(self) -> str:
            return "shown"

    with client_of(Pages) as client, caplog.at_level(logging.WARNING):
        client.get("/")

    assert "abort(response)" in caplog.messages[0]


def test_an_application_inside_a_function_is_explained(framework: Framework) -> None:
    """Servers and commands import the module, and do not call main()."""
    output = checked(f"{APP}\ndef main():\n    app = Application(Pages)\n", framework)

    assert "write app = Application(...) at the top of the module, not in main()" in output


def test_a_port_passed_as_the_host_is_explained() -> None:
    """Other frameworks take the port alone."""
    with pytest.raises(TypeError, match=r"Fix: write app\.run\(port=5000\)"):
        Application(BuildsItself, Letters, Mailer).run(5000)


@pytest.mark.parametrize(
    ("use", "remedy"),
    [
        (lambda app: app.test().__aenter__(), "write with, and not async with"),
        (lambda app: _response(app).__await__(), "leave await out"),
    ],
)
def test_awaiting_the_test_client_is_explained(
    use: Callable[[Application], Any], remedy: str
) -> None:
    """The test clients of asynchronous frameworks are awaited."""
    app = Application(BuildsItself, Letters, Mailer)

    with pytest.raises(TypeError, match=f"the client is not asynchronous. Fix: {remedy}"):
        use(app).send(None)


def _response(app: Application) -> Any:
    with app.test() as client:
        return client.get("/none")


def test_an_error_of_ours_in_the_debugger_names_the_handler() -> None:
    """The traceback has no line of the program, so a note names the handler."""

    class User: ...

    @controller("/")
    class Pages:
        @get("/")
        def show(self, session: session) -> str:
            session["user"] = User()
            return "shown"

    with client_of(Pages) as client:
        client.app.debug = True
        with pytest.raises(TypeError, match="cannot be saved") as caught:
            client.get("/")

    assert "This is about GET / in Pages.show (tests/framework/" in caught.value.__notes__[0]


def test_a_controller_that_is_not_given_to_the_application_is_named(framework: Framework) -> None:
    """Its requests would be answered with 404, and nothing would say why."""
    program = f"{APP}\n@controller('/orders')\nclass Orders(Pages): ...\n"

    output = checked(f"{program}\napp = Application(Pages)\n", framework)

    assert "Not served: Orders (app.py:10). Fix: pass the controller to the Application." in output


def test_the_base_of_a_controller_is_not_named(framework: Framework) -> None:
    """It is served as a part of the other one."""
    program = f"{APP}\n@controller('/orders')\nclass Orders(Pages): ...\n"

    assert "Not served" not in checked(f"{program}\napp = Application(Orders)\n", framework)
