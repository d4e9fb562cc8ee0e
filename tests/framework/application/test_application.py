"""The application: its classes, the mistakes that start-up finds, and its URLs."""

import pytest
from werkzeug.exceptions import NotFound
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.routing import BuildError
from werkzeug.test import Client as WSGIClient

from framework import Application, controller, get, head, post, service
from tests.support.small_applications import problems_of
from tests.support.url_building import Users, answer


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


def test_it_is_a_wsgi_callable() -> None:
    """Any WSGI server can call the application."""
    assert answer(Application(Users), "/users") == (200, "users")


def test_it_lists_its_routes() -> None:
    """Every method and rule, in the order of the classes."""
    routes = Application(Users, A).routes

    assert [(route.method, route.rule, route.name) for route in routes] == [
        ("GET", "/users/<int:user_id>", "show"),
        ("GET", "/users/named/<name>", "named"),
        ("GET", "/users", "index"),
        ("GET", "/users/all", "index"),
        ("GET", "/a/count", "next"),
    ]


def test_a_base_under_two_prefixes_has_two_instances() -> None:
    """Each controller answers with its own instance."""
    app = Application(A, B)
    counts = [answer(app, path)[1] for path in ("/a/count", "/a/count", "/b/count")]

    assert counts == ["1", "2", "1"]


def test_two_applications_share_nothing() -> None:
    """Each application builds its own controllers."""
    counts = [answer(Application(A), "/a/count")[1] for _ in range(2)]

    assert counts == ["1", "1"]


def test_a_controller_is_built_once() -> None:
    """A controller is not built again for a request or for a route."""
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
def test_two_handlers_for_the_same_path_are_a_problem(first: str, second: str) -> None:
    """The problem names both handlers with their lines."""

    @controller("/")
    class Twice:
        @get(first)
        def one(self, **_: str) -> str:
            return "one"

        @get(second)
        def two(self, **_: str) -> str:
            return "two"

    same = "matches the same requests as"
    duplicate = next(problem for problem in problems_of(Twice) if same in problem.what)

    assert duplicate.where.startswith("Twice.two (tests/framework/application/test_application.py:")
    shown = f"GET {second.removesuffix('/')} {same} GET {first} in Twice.one ("
    assert shown in duplicate.what


def test_other_methods_and_converters_are_not_duplicates() -> None:
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
def test_a_malformed_path_is_a_problem(path: str) -> None:
    """The problem shows the wrong rule and the right form."""

    @controller("/")
    class Broken:
        @get(path)
        def show(self) -> str:
            return "never"

    (problem,) = problems_of(Broken)

    assert problem.where.startswith("Broken.show (")
    assert repr(path) in problem.what
    assert "/items/<int:item_id>" in problem.remedy


def test_all_problems_are_reported_at_once() -> None:
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
        """A class without a decorator."""

    assert len(problems_of(Bad, Plain, 3)) == 4  # type: ignore[arg-type]


def test_a_service_is_found_through_the_constructor_that_needs_it() -> None:
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


def test_a_url_is_escaped_as_a_request_would_be() -> None:
    """What url_for builds leads to the handler with the same value."""
    app = Application(Users)
    url = app.url_for("Users.named", name="ż ?")

    assert url == "/users/named/%C5%BC%20%3F"
    assert answer(app, url) == (200, "ż ?")


def test_values_that_the_path_has_not_go_to_the_query() -> None:
    """So one call builds the link to a page of a list."""
    assert Application(Users).url_for("Users.index", page=2) == "/users?page=2"


def test_a_url_follows_the_mount_point() -> None:
    """Under SCRIPT_NAME, the URL has the prefix, the host and the scheme of the request."""
    app = Application(Users)
    client = WSGIClient(DispatcherMiddleware(NotFound(), {"/shop": app}))
    response = client.get("/shop/users/7", base_url="https://example.org", buffered=True)

    assert response.json == {
        "path": "/users/7",
        "mounted": "/shop/users/7",
        "external": "https://example.org/shop/users/7",
    }


@pytest.mark.parametrize("host", ["a b", "<script>", "x:99999"])
def test_an_invalid_host_gives_no_external_url(host: str) -> None:
    """An external URL needs a host; a wrong host is the client's mistake."""
    status, _ = answer(Application(Users), "/users/7", headers={"Host": host})

    assert status == 400


def test_a_url_follows_a_trusted_proxy() -> None:
    """Behind ProxyFix, the URL has the scheme and host of the proxy's headers."""
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
    """Without a request, the host is unknown."""
    with pytest.raises(TypeError, match="needs a request"):
        Application(Users).url_for("Users.index", _external=True)


def test_an_unknown_handler_has_no_url() -> None:
    """The error suggests the name that the user probably meant."""
    with pytest.raises(BuildError, match=r"Users\.index"):
        Application(Users).url_for("Users.indx")


def test_a_name_of_two_controllers_is_reported_with_their_modules() -> None:
    """The error suggests both full names, also for the name of the method alone."""
    app = Application(Users, _other_users())
    names = "'shop.users.Users.index' or 'tests.support.url_building.Users.index'"

    with pytest.raises(BuildError) as ambiguous:
        app.url_for("Users.index")
    with pytest.raises(BuildError) as bare:
        app.url_for("index")

    assert str(ambiguous.value) == f"no handler is called 'Users.index'. Fix: write {names}"
    assert str(bare.value) == f"no handler is called 'index'. Fix: write {names}"
    assert app.url_for("shop.users.Users.index") == "/others"


def _other_users() -> type:
    """Make a controller that has the name of another one."""

    @controller("/others")
    class Users:
        @get("/")
        def index(self) -> str:
            return "others"

    Users.__module__ = "shop.users"
    return Users
