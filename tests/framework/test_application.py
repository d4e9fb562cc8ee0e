"""The application: what it is made of, what start-up finds wrong with it, and its URLs."""

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from werkzeug.exceptions import NotFound
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.routing import BuildError
from werkzeug.test import Client as WSGIClient
from werkzeug.test import create_environ, run_wsgi_app

from framework import (
    Application,
    Inject,
    Request,
    StartupError,
    component,
    configuration,
    controller,
    get,
    head,
    post,
    service,
    session,
)
from framework.startup import Problem
from sessions import CookieSettings, SessionContainer

KEYS = ["k" * 10 + "0123456789abcdefghijklmnopqrstuvwxyz"]


class Counting:
    """A base of controllers that count for themselves."""

    def __init__(self) -> None:
        self.count = 0

    @get("/count")
    def next(self) -> int:
        self.count += 1
        return self.count


@controller("/a")
class A(Counting):
    """Count under one prefix."""


@controller("/b")
class B(Counting):
    """Count under another prefix."""


@controller("/users")
class Users:
    """Have users under their ids."""

    @get("/<int:user_id>")
    def show(self, user_id: int, app: Inject[Application], request: Request) -> dict[str, str]:
        return {
            "path": app.url_for("Users.show", user_id=user_id),
            "mounted": app.url_for("Users.show", request, user_id=user_id),
            "external": app.url_for("Users.show", request, user_id=user_id, _external=True),
        }

    @get("/named/<name>")
    def named(self, name: str) -> str:
        return name

    @get("/")
    @get("/all")
    def index(self) -> str:
        return "users"


@controller("/")
class Visits:
    """Use a session."""

    @get("/")
    def show(self, session: session) -> int:
        session["n"] = session.get("n", 0) + 1
        return int(session["n"])


def problems_of(*parts: type | ModuleType) -> tuple[Problem, ...]:
    """Return what start-up finds wrong."""
    with pytest.raises(StartupError) as caught, Application(*parts).test():
        pass
    return caught.value.problems


def answer(app: Any, path: str, **environ: Any) -> tuple[int, str]:
    """Return the status and the body that an application answers."""
    body, status, _ = run_wsgi_app(app, create_environ(path, **environ), buffered=True)
    return int(status[:3]), b"".join(body).decode()


def test_it_is_a_wsgi_callable() -> None:
    """Any server can call it."""
    assert answer(Application(Users), "/users") == (200, "users")


def test_it_lists_its_routes() -> None:
    """Every method and rule, in the order of the classes."""
    routes = Application(Users, A).routes

    assert [(route.method, route.rule, route.name) for route in routes] == [
        ("GET", "/users/<int:user_id>", "show"),
        ("GET", "/users/named/<name>", "named"),
        ("GET", "/users/", "index"),
        ("GET", "/users/all", "index"),
        ("GET", "/a/count", "next"),
    ]


def test_f28_a_base_under_two_prefixes_has_two_instances() -> None:
    """Each controller answers with its own."""
    app = Application(A, B)
    counts = [answer(app, path)[1] for path in ("/a/count", "/a/count", "/b/count")]

    assert counts == ["1", "2", "1"]


def test_f59_two_applications_share_nothing() -> None:
    """Each builds its own controllers."""
    counts = [answer(Application(A), "/a/count")[1] for _ in range(2)]

    assert counts == ["1", "1"]


def test_a_controller_is_built_once() -> None:
    """Not for each request, and not for each route."""
    built = []

    @controller("/")
    class Built:
        def __init__(self) -> None:
            built.append(self)

        @get("/x")
        @get("/y")
        def show(self) -> str:
            return "shown"

    app = Application(Built)
    for path in ("/x", "/y", "/x"):
        answer(app, path)

    assert len(built) == 1


@pytest.mark.parametrize(
    ("first", "second"),
    [("/x", "/x"), ("/x", "/x/"), ("/<a>", "/<string:b>"), ("/<int:a>/x", "/<int:b>/x/")],
)
def test_f35_two_handlers_for_one_path_are_a_problem(first: str, second: str) -> None:
    """The problem names both handlers with their lines."""

    @controller("/")
    class Twice:
        @get(first)
        def one(self, **_: str) -> str:
            return "one"

        @get(second)
        def two(self, **_: str) -> str:
            return "two"

    duplicate = next(each for each in problems_of(Twice) if "is also" in each.what)

    assert duplicate.where.startswith("Twice.two (tests/framework/test_application.py:")
    assert f"GET {second} is also GET {first} in Twice.one (" in duplicate.what


def test_f35_other_methods_and_converters_are_no_duplicates() -> None:
    """GET, HEAD and POST of one path differ, and so do int and string."""

    @controller("/")
    class Fine:
        @get("/x")
        def get_x(self) -> str:
            return "get"

        @post("/x")
        def post_x(self) -> str:
            return "post"

        @head("/x")
        def head_x(self) -> None:
            return None

        @get("/<int:a>")
        def number(self, a: int) -> str:
            return "number"

        @get("/<a>")
        def text(self, a: str) -> str:
            return "text"

    assert len(Application(Fine).routes) == 5


@pytest.mark.parametrize("path", ["/<nothing:a>", "/<int(most=3):a>", "/<a", "/<a>/<a>", "/a//b"])
def test_a_path_that_is_no_rule_is_a_problem(path: str) -> None:
    """The problem shows the rule and says what one looks like."""

    @controller("/")
    class Broken:
        @get(path)
        def show(self) -> str:
            return "never"

    (problem,) = problems_of(Broken)

    assert problem.where.startswith("Broken.show (")
    assert repr(path) in problem.what
    assert "/items/<int:item_id>" in problem.remedy


def test_all_problems_are_told_at_once() -> None:
    """One start names the mistakes of every class."""

    @controller("/")
    class Bad:
        @get("/<nothing:a>")
        def one(self) -> str:
            return ""

        @get("/two/<a>")
        def two(self) -> str:
            return ""

    class Plain:
        """Nothing says what this is."""

    assert len(problems_of(Bad, Plain, 3)) == 4  # type: ignore[arg-type]


def test_a_class_without_a_decorator_is_a_problem() -> None:
    """A forgotten decorator is told with the class's place."""

    class Plain:
        """Nothing says what this is."""

    (problem,) = problems_of(Plain)

    assert problem.where.startswith("Plain (tests/framework/test_application.py:")
    assert "@controller" in problem.remedy


def test_something_else_is_a_problem() -> None:
    """Applications are made of classes and modules."""
    (problem,) = problems_of("shop.users")  # type: ignore[arg-type]

    assert "'shop.users'" in problem.where


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

    assert sorted(route.rule for route in app.routes) == ["/admin/users/", "/goods/", "/users/"]


def test_a_module_stands_for_the_classes_that_it_defines(shop: ModuleType) -> None:
    """A class that it only imports is left to its own module."""
    app = Application(importlib.import_module("shop.goods"))

    assert [route.rule for route in app.routes] == ["/goods/"]


def test_a_class_given_twice_counts_once(shop: ModuleType) -> None:
    """By itself and in its module."""
    goods = importlib.import_module("shop.goods")

    assert len(Application(goods, goods.Goods).routes) == 1


def test_classes_of_one_name_have_their_module_in_urls(shop: ModuleType) -> None:
    """Where a name is not enough, the module comes before it."""
    app = Application(shop)

    assert app.url_for("shop.admin.users.Users.show") == "/admin/users/"
    assert app.url_for("shop.users.Users.show") == "/users/"
    assert app.url_for("Goods.show") == "/goods/"
    with pytest.raises(BuildError):
        app.url_for("Users.show")


def test_a_module_without_decorated_classes_is_a_problem(shop: ModuleType) -> None:
    """It was given for something."""
    (problem,) = problems_of(importlib.import_module("textwrap"))

    assert "'textwrap' defines no decorated class" in problem.what


def test_a_module_that_cannot_be_imported_is_a_problem(shop: ModuleType, tmp_path: Path) -> None:
    """The other modules are still looked at."""
    (tmp_path / "shop" / "broken.py").write_text("import does_not_exist")
    (tmp_path / "shop" / "bad.py").write_text(_module("Bad", "/<x:y>"))
    found = problems_of(shop)

    assert ["does_not_exist" in found[0].what, "'/<x:y>/'" in found[1].what] == [True, True]


def test_f97_a_url_is_escaped_as_a_request_would_be() -> None:
    """What url_for builds leads to the handler with the same value."""
    app = Application(Users)
    url = app.url_for("Users.named", name="ż ?")

    assert url == "/users/named/%C5%BC%20%3F"
    assert answer(app, url) == (200, "ż ?")


def test_values_that_the_path_has_not_go_to_the_query() -> None:
    """So a link to a page of a list is one call."""
    assert Application(Users).url_for("Users.index", page=2) == "/users/?page=2"


def test_f102_a_url_follows_the_mount_point() -> None:
    """Under SCRIPT_NAME the URL has its prefix, host and scheme."""
    app = Application(Users)
    client = WSGIClient(DispatcherMiddleware(NotFound(), {"/shop": app}))
    response = client.get("/shop/users/7", base_url="https://example.org", buffered=True)

    assert response.json == {
        "path": "/users/7",
        "mounted": "/shop/users/7",
        "external": "https://example.org/shop/users/7",
    }


def test_f102_a_url_follows_a_trusted_proxy() -> None:
    """Behind ProxyFix it has what the proxy says."""
    app = Application(Users)
    client = WSGIClient(ProxyFix(app, x_host=1, x_proto=1, x_prefix=1))
    headers = {
        "X-Forwarded-Host": "shop.example",
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Prefix": "/eu",
    }
    response = client.get("/users/7", headers=headers, buffered=True)

    assert (response.json or {})["external"] == "https://shop.example/eu/users/7"


def test_an_external_url_needs_a_request() -> None:
    """Without one, nobody knows the host."""
    with pytest.raises(TypeError, match="needs a request"):
        Application(Users).url_for("Users.index", _external=True)


def test_an_unknown_handler_has_no_url() -> None:
    """The error suggests the name that was meant."""
    with pytest.raises(BuildError, match=r"Users\.index"):
        Application(Users).url_for("Users.indx")


def test_without_a_session_there_are_none() -> None:
    """An application whose handlers use no session sets none up, and makes no file."""
    assert Application(Users).sessions is None


def test_a_configured_container_is_used() -> None:
    """A component of that type replaces the default, whatever its method is called."""

    @configuration
    class Own:
        @component
        def for_the_shop(self) -> SessionContainer:
            return SessionContainer(keys=KEYS, session_prefix="shop")

    app = Application(Visits, Own)

    assert app.sessions is not None
    assert app.sessions.container.session_prefix == "shop"


def test_a_mapping_sets_some_fields_of_the_container() -> None:
    """The others keep the framework's defaults."""

    @configuration
    class Own:
        @component
        def session_container(self) -> dict[str, Any]:
            return {"session_prefix": "shop", "cookie": CookieSettings(path="/shop")}

    with Application(Visits, Own).test() as client:
        client.get("/", base_url="http://localhost/shop")
        client.get("/", base_url="http://localhost/shop")
        cookie = client.get_cookie("shop", path="/shop")

    assert cookie is not None


def test_an_unknown_setting_is_a_problem() -> None:
    """It is told with what was meant."""

    @configuration
    class Own:
        @component
        def session_container(self) -> dict[str, Any]:
            return {"session_prefx": "shop", "rollling": True}

    first, second = problems_of(Visits, Own)

    assert first.where.startswith("Own.session_container (")
    assert first.what == "SessionContainer has no setting 'session_prefx'"
    assert "'session_prefix'" in first.remedy
    assert "'rolling'" in second.remedy


def test_impossible_settings_are_problems() -> None:
    """Every mistake of a container is one problem, at its method."""

    @configuration
    class Own:
        @component
        def session_container(self) -> SessionContainer:
            return SessionContainer(keys=["short"], session_prefix="a b")

    found = problems_of(Visits, Own)

    assert len(found) == 2
    assert all(each.where.startswith("Own.session_container (") for each in found)


@pytest.mark.parametrize("made", ["short", 7, ValueError("no luck")])
def test_s6_an_unfit_gen_id_is_a_problem(made: object) -> None:
    """It is tried once at start-up, not by the first visitor."""

    def gen_id() -> Any:
        if isinstance(made, Exception):
            raise made
        return made

    @configuration
    class Own:
        @component
        def session_container(self) -> SessionContainer:
            return SessionContainer(keys=KEYS, gen_id=gen_id)

    (problem,) = problems_of(Visits, Own)

    assert problem.where.startswith("Own.session_container (")
    assert "gen_id" in problem.what


def test_a_service_is_found_through_what_asks_for_it() -> None:
    """A concrete class that a constructor names need not be listed."""

    @service
    class Greeter:
        def greet(self) -> str:
            return "hello"

    @controller("/")
    class Pages:
        def __init__(self, greeter: Greeter) -> None:
            self._greeter = greeter

        @get("/")
        def show(self) -> str:
            return self._greeter.greet()

    assert answer(Application(Pages), "/") == (200, "hello")
