"""Discovery: the classes of an application, and the controllers that components add."""

import importlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any

import pytest
from werkzeug.routing import BuildError

from framework import (
    Application,
    Next,
    Request,
    Response,
    StartupError,
    component,
    configuration,
    controller,
    get,
)
from framework.csrf import CSRF
from framework.dispatch.handlers import AddsController
from framework.openapi import OpenAPI
from framework.report import Mistake, location
from framework.testing import replace
from sessions import SQLiteStore
from tests.support.small_applications import client_of, only_problem_of, problems_of


def test_a_class_without_a_decorator_is_a_problem() -> None:
    """The problem names the place of the class."""

    class Plain:
        """A class without a decorator."""

    (problem,) = problems_of(Plain)

    assert problem.where.startswith("Plain (tests/framework/injection/test_discovery.py:")
    assert "@controller" in problem.remedy


def test_an_argument_that_is_not_a_class_or_a_module_is_a_problem() -> None:
    """An application takes only classes and modules."""
    (problem,) = problems_of("shop.users")  # type: ignore[arg-type]

    assert "'shop.users'" in problem.where


def a_function() -> None:
    """A function, like a view of another framework."""


@component
def a_component() -> object:
    """A function that makes a component, like a provider of another framework."""
    return object()


@pytest.mark.parametrize(
    ("part", "what", "remedy"),
    [
        ("shop.users", "an object of type str", "Pass decorated classes"),
        (None, "this is None", "Pass decorated classes"),
        (5, "an object of type int", "Pass decorated classes"),
        ({"/": Application}, "an object of type dict", "Pass decorated classes"),
        ([Application], "this is a list", "Application(First, Second)"),
        (a_function, "this is a function", "Make it a method of a class"),
        (lambda: "", "this is a function", "Make it a method of a class"),
        (a_component, "this is a function", "a method of a class with @configuration"),
        (OpenAPI, "it has no decorator", "Return an object of OpenAPI from a @component"),
        (CSRF, "it has no decorator", "`-> list[Middleware]`"),
        (SQLiteStore, "it has no decorator", "Return an object of SQLiteStore"),
    ],
)
def test_a_wrong_argument_of_application_has_the_line_of_the_call(
    part: Any, what: str, remedy: str
) -> None:
    """The message names the line of the program that calls Application."""
    with pytest.raises(StartupError) as caught:
        Application(part)

    (mistake,) = caught.value.mistakes
    assert what in mistake.what
    assert remedy in mistake.remedy
    call = caught.traceback[0].lineno + 1
    assert mistake.where.startswith("Application(…, ")
    assert mistake.where.endswith(f", …) (tests/framework/injection/test_discovery.py:{call})")


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """Write and import a package of controllers."""
    package = tmp_path / "shop"
    (package / "admin").mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "users.py").write_text(_module("Users", "/users"))
    (package / "goods.py").write_text("from shop.users import Users\n" + _module("Goods", "/goods"))
    (package / "admin" / "__init__.py").write_text("")
    (package / "admin" / "users.py").write_text(_module("Users", "/admin/users"))
    (package / "__main__.py").write_text("raise SystemExit('the program was run')")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield importlib.import_module("shop")
    for name in [name for name in sys.modules if name.partition(".")[0] == "shop"]:
        del sys.modules[name]


def _module(name: str, prefix: str) -> str:
    return (
        "from framework import controller, get\n\n"
        f"@controller({prefix!r})\nclass {name}:\n"
        f"    @get('/')\n    def show(self) -> str:\n        return {prefix!r}\n"
    )


def test_a_package_stands_for_the_classes_of_its_modules(shop: ModuleType) -> None:
    """Inner packages are searched too, and the program of the package is not run."""
    app = Application(shop)

    assert sorted(route.rule for route in app.routes) == ["/admin/users", "/goods", "/users"]


def test_a_module_stands_for_the_classes_that_it_defines(shop: ModuleType) -> None:
    """A class that the module only imports does not count."""
    app = Application(importlib.import_module("shop.goods"))

    assert [route.rule for route in app.routes] == ["/goods"]


def test_a_class_given_twice_counts_once(shop: ModuleType) -> None:
    """The class may be listed itself, and be in a listed module."""
    goods = importlib.import_module("shop.goods")

    assert len(Application(goods, goods.Goods).routes) == 1


def test_classes_of_one_name_have_their_module_in_urls(shop: ModuleType) -> None:
    """If two classes have one name, the module comes before the name."""
    app = Application(shop)

    assert app.url_for("shop.admin.users.Users.show") == "/admin/users"
    assert app.url_for("shop.users.Users.show") == "/users"
    assert app.url_for("Goods.show") == "/goods"
    with pytest.raises(BuildError):
        app.url_for("Users.show")


def test_a_module_without_decorated_classes_is_a_problem(shop: ModuleType) -> None:
    """Such a module has no effect."""
    (problem,) = problems_of(importlib.import_module("textwrap"))

    assert "'textwrap' defines no decorated class" in problem.what


def test_a_module_that_cannot_be_imported_is_a_problem(shop: ModuleType, tmp_path: Path) -> None:
    """The other modules are still searched."""
    (tmp_path / "shop" / "broken.py").write_text("import does_not_exist")
    (tmp_path / "shop" / "bad.py").write_text(_module("Bad", "/<x:y>"))
    found = problems_of(shop)

    assert ["does_not_exist" in found[0].what, "'/<x:y>'" in found[1].what] == [True, True]


class Checking:
    def check(self) -> bool:
        return True


class Resolving:
    def resolve(self) -> int:
        return 1


class Around:
    def __call__(self, request: Request, next: Next) -> Response:
        return next(request)


@pytest.mark.parametrize(
    ("target", "hint"),
    [
        (Checking, "If it is a guard, leave it out: @guard(Checking) is enough."),
        (Resolving, "If it is a resolver, leave it out: Annotated[…, Resolving] is enough."),
        (
            Around,
            "If it is middleware, return [Around] from a configuration's @component method"
            " annotated `-> list[Middleware]`.",
        ),
    ],
)
def test_classes_that_decorators_name_need_not_be_listed(target: type, hint: str) -> None:
    """Guards, resolvers and middleware are found where they are named."""
    with pytest.raises(StartupError) as caught:
        Application(target)

    assert caught.value.problems == (
        Mistake(
            "the class is passed to Application, but it has no decorator",
            f"{hint} Otherwise decorate it, for example with @service.",
            where=location(target),
        ),
    )


@controller("/")
class Pages:
    @get("/")
    def show(self) -> str:
        return "shown"


class Health(AddsController):
    """Say that the application is well, at a path of its own."""

    def __init__(self, path: str, word: str = "well") -> None:
        self._path = path
        self._word = word

    def controller(self) -> type:
        word = self._word

        @component
        @controller(self._path)
        class Answer:
            @get("/")
            def answer(self) -> str:
                return word

        return Answer


@configuration
class Additions:
    @component
    def health(self) -> Health:
        return Health("/health")

    @component
    def inner(self) -> Annotated[Health, "inner"]:
        return Health("/inner", "well inside")

    @component
    def openapi(self) -> OpenAPI:
        return OpenAPI(title="Everything")

    @component
    def own(self) -> Annotated[OpenAPI, "own"]:
        return OpenAPI(title="Own", path="/own", include=lambda route: route.rule == "/")


def test_each_component_that_adds_a_controller_is_used() -> None:
    """Several additions may have any types."""
    with client_of(Pages, Additions) as client:
        assert client.get("/health").text == "well"
        assert client.get("/inner").text == "well inside"
        assert list(client.get("/docs/openapi.json").get_json()["paths"]) == [
            "/",
            "/health",
            "/inner",
        ]
        assert list(client.get("/own/openapi.json").get_json()["paths"]) == ["/"]


def test_a_component_that_adds_a_controller_can_be_replaced() -> None:
    """An addition is a component like any other."""
    with Application(Pages, Additions).test(replace(Health).to(Health("/health", "ill"))) as client:
        assert client.get("/health").text == "ill"


def fail() -> type:
    raise LookupError("there is no folder")


@pytest.mark.parametrize(
    ("make", "what", "remedy"),
    [
        (
            lambda: Pages.show,
            "which is not a decorated controller",
            "Return a new class each time, decorated with @component and @controller.",
        ),
        (
            fail,
            "Broken cannot add its controller: LookupError: there is no folder",
            "Correct the arguments of Broken.",
        ),
    ],
    ids=["no controller", "an error"],
)
def test_a_component_that_adds_no_controller_is_a_problem(
    make: Callable[[], Any], what: str, remedy: str
) -> None:
    """The problem names the method that provides the addition."""

    class Broken(AddsController):
        def controller(self) -> type:
            made: type = make()
            return made

    @configuration
    class Wrong:
        @component
        def broken(self) -> Broken:
            return Broken()

    problem = only_problem_of(Pages, Wrong)

    assert problem.where.startswith("Wrong.broken (tests/framework/injection/test_discovery.py:")
    assert problem.what.endswith(what)
    assert problem.remedy == remedy


def test_a_list_in_place_of_classes_is_explained() -> None:
    """Each class is an argument of its own."""

    class Page: ...

    with pytest.raises(StartupError) as caught:
        Application([Page])  # type: ignore[arg-type]

    (problem,) = caught.value.problems
    assert problem.what == "this is a list, but Application takes classes and modules"
    assert problem.remedy == (
        "Pass the classes one by one: Application(First, Second), or Application(*classes)."
    )
