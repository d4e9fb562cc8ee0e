"""The application: what it is made of, what start-up finds wrong with it."""

import pytest

from framework import Application, controller, get, head, post, service
from tests.framework.trials import problems_of
from tests.framework.users import Users, answer


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


def test_a_base_under_two_prefixes_has_two_instances() -> None:
    """Each controller answers with its own."""
    app = Application(A, B)
    counts = [answer(app, path)[1] for path in ("/a/count", "/a/count", "/b/count")]

    assert counts == ["1", "2", "1"]


def test_two_applications_share_nothing() -> None:
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
def test_two_handlers_for_one_path_are_a_problem(first: str, second: str) -> None:
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


def test_other_methods_and_converters_are_no_duplicates() -> None:
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
