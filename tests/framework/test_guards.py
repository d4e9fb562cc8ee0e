"""Guards let a request pass only with True, are inherited, and are never forgotten."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

import pytest
from werkzeug.exceptions import Unauthorized

from framework import (
    Application,
    Body,
    Request,
    Session,
    configuration,
    controller,
    get,
    guard,
    options,
    post,
    replace,
    service,
    session,
)
from tests.framework.trials import client_of, only_problem_of, passing_on, problems_of


@service
class Users:
    def __init__(self) -> None:
        self.names = {"ann"}


class LoggedIn:
    def __init__(self, users: Users) -> None:
        self._users = users

    def check(self, session: session) -> bool:
        return session.get("user") in self._users.names


class Answering:
    """Answer a check with what it is given."""

    def __init__(self, answer: Any) -> None:
        self._answer = answer

    def check(self) -> Any:
        return self._answer


class Named:
    """Pass where the query has the name, and note each check."""

    def __init__(self, name: str, checks: list[str]) -> None:
        self._name = name
        self._checks = checks

    def check(self, request: Request) -> bool:
        self._checks.append(self._name)
        return self._name not in request.args.getlist("refuse")


def page_guarded_by(*guards: object) -> type:
    """Make a controller with one handler behind the guards."""

    @controller("/")
    class Page:
        @get("/")
        @guard(*guards)
        def show(self) -> str:
            return "shown"

    return Page


def test_a_guard_is_injected_and_reads_the_request() -> None:
    """Its constructor gets components, its check gets what a handler could ask for."""
    with client_of(page_guarded_by(LoggedIn), Users) as client:
        refused = client.get("/")
        with client.session() as session:
            session["user"] = "ann"
        passed = client.get("/")

    assert (refused.status_code, passed.status_code) == (403, 200)
    assert refused.mimetype == "application/problem+json"


@pytest.mark.parametrize("answer", [False, None, 1, "yes", [True], Users])
def test_only_true_passes(answer: object) -> None:
    """A guard fails closed: what is merely truthy is a refusal."""
    with client_of(page_guarded_by(Answering(answer))) as client:
        assert client.get("/").status_code == 403


def test_true_passes() -> None:
    """Then the handler answers."""
    with client_of(page_guarded_by(Answering(True))) as client:
        assert client.get("/").text == "shown"


def test_a_guard_chooses_its_own_refusal() -> None:
    """The HTTP error that it raises is the answer."""

    class Asking:
        def check(self) -> bool:
            raise Unauthorized("Log in first.")

    with client_of(page_guarded_by(Asking)) as client:
        response = client.get("/")

    assert response.status_code == 401
    assert response.get_json()["detail"] == "Log in first."


def test_a_guard_that_fails_lets_nobody_pass() -> None:
    """An exception in a guard is a 500, and the handler does not run."""

    class Failing:
        def check(self) -> bool:
            raise LookupError("a secret")

    with client_of(page_guarded_by(Failing)) as client:
        response = client.get("/")

    assert response.status_code == 500
    assert "shown" not in response.text


def test_guards_run_from_the_outermost_to_the_handlers_own() -> None:
    """First the configuration's, then the controller's, base first, then the handler's."""
    checks: list[str] = []

    @configuration
    @guard(Named("application", checks))
    class Everywhere: ...

    @guard(Named("base", checks))
    class Base: ...

    @controller("/")
    @guard(Named("first", checks), Named("second", checks))
    @guard(Named("third", checks))
    class Page(Base):
        @get("/")
        @guard(Named("handler", checks))
        def show(self) -> str:
            return "shown"

    with client_of(Page, Everywhere) as client:
        client.get("/?refuse=handler")

    assert checks == ["application", "base", "first", "second", "third", "handler"]


def test_the_first_refusal_ends_the_request() -> None:
    """No guard behind it runs."""
    checks: list[str] = []
    page = page_guarded_by(Named("outer", checks), Named("inner", checks))
    with client_of(page) as client:
        response = client.get("/?refuse=outer")

    assert response.status_code == 403
    assert checks == ["outer"]


def test_f30_guards_of_a_base_apply_where_a_subclass_decorates_again() -> None:
    """The subclass has only the new path, and the base's guard with its own."""
    checks: list[str] = []

    class Base:
        @get("/old")
        @guard(Named("base", checks))
        def show(self) -> str:
            return "old"

    @controller("/")
    class Page(Base):
        @get("/new")
        @guard(Named("own", checks))
        def show(self) -> str:
            return "new"

    with client_of(Page) as client:
        assert client.get("/old").status_code == 404
        assert client.get("/new?refuse=base").status_code == 403
        assert client.get("/new").text == "new"

    assert checks == ["base", "base", "own"]


def test_f31_guards_of_a_base_class_apply_in_the_subclass() -> None:
    """Also to handlers that the subclass adds."""

    @guard(Answering(False))
    class Base:
        @get("/inherited")
        def inherited(self) -> str:
            return "inherited"

    @controller("/")
    class Page(Base):
        @get("/added")
        def added(self) -> str:
            return "added"

    with client_of(Page) as client:
        assert client.get("/inherited").status_code == 403
        assert client.get("/added").status_code == 403


def test_f31_a_guard_of_a_subclass_leaves_the_base_alone() -> None:
    """Two controllers share a method, and only one of them guards it."""

    @controller("/open")
    class Open:
        @get("/")
        def show(self) -> str:
            return "shown"

    @controller("/closed")
    @guard(Answering(False))
    class Closed(Open): ...

    with client_of(Open, Closed) as client:
        assert client.get("/open").status_code == 200
        assert client.get("/closed").status_code == 403


def test_a_guard_that_is_named_twice_checks_once() -> None:
    """The base and the subclass may both ask for it."""
    checks: list[str] = []
    asked = Named("asked", checks)

    @guard(asked)
    class Base: ...

    @controller("/")
    @guard(asked)
    class Page(Base):
        @get("/")
        def show(self) -> str:
            return "shown"

    with client_of(Page) as client:
        client.get("/")

    assert checks == ["asked"]


@pytest.mark.parametrize("above", [True, False])
def test_a_guard_survives_a_decorator_that_wraps(above: bool) -> None:
    """It may stand above or below the verb, and above or below functools.wraps."""

    def show(self: object) -> str:
        return "shown"

    decorate: Callable[..., Any] = guard(Answering(False))
    method = passing_on(get("/")(decorate(show))) if above else decorate(passing_on(get("/")(show)))
    with client_of(controller("/")(type("Page", (), {"show": method}))) as client:
        assert client.get("/").status_code == 403


def test_f93_guards_do_not_run_on_an_automatic_options() -> None:
    """It tells the methods, which is no secret; a handler of OPTIONS is guarded as any other."""
    checks: list[str] = []

    @controller("/")
    @guard(Named("asked", checks), Answering(False))
    class Page:
        @get("/automatic")
        def show(self) -> str:
            return "shown"

        @options("/own")
        def tell(self) -> str:
            return "told"

    with client_of(Page) as client:
        assert client.options("/automatic").status_code == 204
        assert checks == []
        assert client.options("/own").status_code == 403


def test_f92_head_is_guarded_as_get() -> None:
    """What GET refuses, HEAD refuses."""
    with client_of(page_guarded_by(Answering(False))) as client:
        assert client.head("/").status_code == 403


def test_a_guard_refuses_before_the_parameters_are_read() -> None:
    """A stranger learns nothing about what a handler expects."""

    @controller("/")
    class Page:
        @post("/")
        @guard(Answering(False))
        def make(self, body: Body[dict[str, int]]) -> str:
            return "made"

    with client_of(Page) as client:
        assert client.post("/", data="{", content_type="application/json").status_code == 403


def test_a_guard_may_take_a_variable_of_the_path() -> None:
    """It need not take all of them."""

    class Owner:
        def check(self, user_id: int, session: Session) -> bool:
            return bool(session.get("user_id", 1) == user_id)

    @controller("/users")
    class Pages:
        @get("/<int:user_id>/notes/<int:note_id>")
        @guard(Owner)
        def show(self, user_id: int, note_id: int) -> int:
            return note_id

    with client_of(Pages) as client:
        assert client.get("/users/1/notes/7").get_json() == 7
        assert client.get("/users/2/notes/7").status_code == 403


def test_a_value_that_a_guard_cannot_read_is_invalid() -> None:
    """Its parameters are validated like a handler's."""

    class Paged:
        def check(self, page: int) -> bool:
            return page > 0

    with client_of(page_guarded_by(Paged)) as client:
        assert client.get("/?page=x").status_code == 422
        assert client.get("/?page=1").status_code == 200


def test_a_session_that_only_a_guard_touches_is_saved() -> None:
    """The handler need not take it."""

    class Counting:
        def check(self, session: Session) -> bool:
            session["checks"] = session.get("checks", 0) + 1
            return True

    with client_of(page_guarded_by(Counting)) as client:
        client.get("/")
        client.get("/")
        with client.session() as session:
            assert session["checks"] == 2


class AtLeast:
    def __init__(self, age: int) -> None:
        self._age = age

    def check(self, age: int = 0) -> bool:
        return age >= self._age


@pytest.mark.parametrize("listed", [LoggedIn, AtLeast(18)])
def test_a_test_replaces_a_guard_by_its_class(listed: object) -> None:
    """Whether it was listed as a class or as an instance."""
    kind = listed if isinstance(listed, type) else type(listed)
    application = Application(page_guarded_by(listed), Users)
    with application.test(replace(kind).to(Answering(True))) as client:
        assert client.get("/").status_code == 200
    with application.test() as client:
        assert client.get("/").status_code == 403


def test_the_application_tells_who_brought_a_guard() -> None:
    """Each handler knows its guards, by name, with the class that brought each."""

    @guard(LoggedIn)
    class Base: ...

    @controller("/")
    class Page(Base):
        @get("/")
        @guard(AtLeast(18))
        def show(self) -> str:
            return "shown"

    (handler,) = Application(Page, Users).handlers

    assert [(each.name, each.listed.brought_by) for each in handler.guards] == [
        ("LoggedIn", Base),
        ("AtLeast(…)", Page),
    ]


def test_what_a_guard_misses_is_a_problem() -> None:
    """Its constructor is walked as any component's."""
    problem = only_problem_of(page_guarded_by(AtLeast))

    assert "nothing provides int" in problem.what
    assert "AtLeast" in problem.where


def test_an_abstract_guard_is_a_problem() -> None:
    """Nothing says which guard is meant."""

    class Some(ABC):
        @abstractmethod
        def check(self) -> bool: ...

    (problem,) = problems_of(page_guarded_by(Some))

    assert problem.what.startswith("nothing provides Some, which is abstract")
    assert "Page" in problem.where


def test_a_parameter_that_a_guard_cannot_have_is_a_problem() -> None:
    """The report points to the check."""

    class Confused:
        def check(self, users: Users) -> bool:
            return True

    problem = only_problem_of(page_guarded_by(Confused), Users)

    assert "parameter 'users' is Users, but nothing says where it comes from" in problem.what
    assert "Confused.check (" in problem.where


@pytest.mark.parametrize(
    ("guards", "message"),
    [
        ((), "@guard takes at least one guard: write @guard(LoggedIn)"),
        (("admin",), "have a method check, not 'admin'"),
        ((Users,), "have a method check, not <class"),
    ],
)
def test_what_is_no_guard_is_refused_at_once(guards: tuple[object, ...], message: str) -> None:
    """The decorator itself says how to write it."""
    with pytest.raises(TypeError) as caught:
        guard(*guards)

    assert message in str(caught.value)
