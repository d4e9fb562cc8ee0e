"""On a path without the variable, a parameter of its name gets its default, and not the query."""

from collections.abc import Callable
from itertools import chain
from typing import Annotated, Any

import pytest

from framework import Application, Query, catch, controller, get, guard, query
from framework.explaining.explain import Argument, explain
from framework.report import Mistake
from tests.support.functions_in_places import CATCHERS, PLACES, Called, guarding, placed
from tests.support.openapi_shop import document_of
from tests.support.small_applications import client_of, only_problem_of, problems_of

Maker = Callable[[list[int | None]], Called]


def optional(seen: list[int | None]) -> Called:
    """Return a function with an unmarked parameter that may be absent."""

    def called(self: object, item_id: int | None = None) -> bool:
        seen.append(item_id)
        return True

    return called


def required(seen: list[int | None]) -> Called:
    """Return a function with an unmarked parameter that may not be absent."""

    def called(self: object, item_id: int) -> bool:
        seen.append(item_id)
        return True

    return called


def marked_optional(seen: list[int | None]) -> Called:
    """Return a function that reads the query on all paths."""

    def called(self: object, wanted: Annotated[int | None, query("item_id")] = None) -> bool:
        seen.append(wanted)
        return True

    return called


def marked_required(seen: list[int | None]) -> Called:
    """Return a function that needs the query on all paths."""

    def called(self: object, wanted: Annotated[int, query("item_id")]) -> bool:
        seen.append(wanted)
        return True

    return called


def of_another_name(seen: list[int | None]) -> Called:
    """Return a function whose parameter has the name of no variable."""

    def called(self: object, page: int | None = None) -> bool:
        seen.append(page)
        return True

    return called


@pytest.mark.parametrize("sent", ["", "?item_id=9&page=9", "?item_id=9&item_id=8", "?item_id=x"])
@pytest.mark.parametrize("place", PLACES)
def test_the_query_is_never_a_value_of_the_path(place: str, sent: str) -> None:
    """The client's value is not even read, so a value that does not fit is no error."""
    seen: list[int | None] = []

    with client_of(*placed(optional(seen), place)) as client:
        answers = [client.get(f"/items/{path}{sent}") for path in ("list", "7")]

    assert [answer.status_code for answer in answers] == [200, 200]
    # An exception handler answers for both paths in the same way.
    assert seen == [None, None if place in CATCHERS else 7]


@pytest.mark.parametrize("place", PLACES)
def test_a_required_parameter_is_a_mistake(place: str) -> None:
    """Only a default says that the parameter may be absent."""
    (problem,) = problems_of(*placed(required([]), place))

    assert "path" in problem.what
    assert "variable" in problem.what


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("make", [marked_optional, marked_required])
def test_a_marked_parameter_reads_the_query_on_all_paths(make: Maker, place: str) -> None:
    """The marker says that the client may choose the value."""
    seen: list[int | None] = []

    with client_of(*placed(make(seen), place)) as client:
        client.get("/items/list?item_id=9")
        client.get("/items/7?item_id=9")

    assert seen == [9, 9]


@pytest.mark.parametrize("place", PLACES)
def test_a_name_of_no_variable_reads_the_query(place: str) -> None:
    """A page number is a value of the query on all paths."""
    seen: list[int | None] = []

    with client_of(*placed(of_another_name(seen), place)) as client:
        client.get("/items/list?page=9")
        client.get("/items/7?page=9")

    assert seen == [9, 9]


@pytest.mark.parametrize("name", ["guard", "resolver"])
def test_a_name_of_a_variable_of_a_strange_controller_reads_the_query(name: str) -> None:
    """The function does not run for the paths of that controller."""
    seen: list[int | None] = []
    called = optional(seen)
    resolver: Any = type("Resolver", (), {"resolve": called})

    @controller("/strange")
    class Strange:
        @get("/<int:item_id>")
        def show(self, item_id: int) -> int:
            return item_id

    @controller("/pages")
    class Pages:
        @get("/guard")
        @guard(type("Checker", (), {"check": called}))
        def guarded(self) -> str:
            return "guarded"

        @get("/resolver")
        def resolved(self, resolved: Annotated[bool, resolver]) -> bool:
            return resolved

    with client_of(Strange, Pages) as client:
        assert client.get(f"/pages/{name}?item_id=9").status_code == 200

    assert seen == [9]


def test_a_guard_of_two_controllers_knows_the_paths_of_both() -> None:
    """A guard class, and two objects of one class, have one check each."""
    seen: list[int | None] = []

    class Base:
        def __init__(self, *roles: str) -> None: ...

        def check(self, item_id: int | None = None) -> bool:
            seen.append(item_id)
            return True

    class Role(Base): ...

    @controller("/items")
    class Items:
        @get("/<int:item_id>")
        @guard(Role("admin"))
        def show(self, item_id: int) -> int:
            return item_id

    @controller("/lists")
    @guard(Base("guest"))
    class Lists:
        @get("/")
        def index(self) -> str:
            return "listed"

    with client_of(Items, Lists) as client:
        client.get("/items/7?item_id=9")
        client.get("/lists?item_id=9")

    assert seen == [7, None]


def shared_by_two_controllers(make: Maker) -> Mistake:
    """Return the mistake of a resolver that another controller calls with the variable."""
    resolver: Any = type("Resolver", (), {"resolve": make([])})

    @controller("/items")
    class Items:
        @get("/<int:item_id>")
        def show(self, item_id: int, resolved: Annotated[bool, resolver]) -> bool:
            return resolved

    @controller("/lists")
    class Lists:
        @get("/")
        def index(self, resolved: Annotated[bool, resolver]) -> bool:
            return resolved

    return only_problem_of(Items, Lists)


def inherited_by_two_controllers(make: Maker) -> Mistake:
    """Return the mistake of an exception handler that another controller has with the variable."""

    class Base:
        caught = catch(LookupError)(make([]))

    @controller("/items/<int:item_id>")
    class Items(Base):
        @get("/")
        def show(self, item_id: int) -> int:
            raise LookupError(item_id)

    @controller("/lists")
    class Lists(Base):
        @get("/")
        def index(self) -> str:
            raise LookupError

    return only_problem_of(Items, Lists)


@pytest.mark.parametrize("make", [optional, required])
@pytest.mark.parametrize("mistake", [shared_by_two_controllers, inherited_by_two_controllers])
def test_a_parameter_that_other_controllers_decide_is_a_mistake(
    mistake: Callable[[Maker], Mistake], make: Maker
) -> None:
    """The remedy does not say to give a default, because a default does not help."""
    problem = mistake(make)

    assert "'item_id' is a variable of some paths, but not of GET /lists." in problem.what
    assert "default" not in problem.remedy
    assert "another name and write Annotated[int" in problem.remedy


def test_a_default_of_another_type_is_a_mistake() -> None:
    """The default is used, so its type is checked like that of a value of the query."""
    nothing: Any = None

    class Checker:
        def check(self, item_id: int = nothing) -> bool:
            return item_id == 1

    problem = only_problem_of(*guarding(Checker, "controller"))

    assert problem.what == "the default of parameter 'item_id' is None, which is not of type int"


def test_a_path_with_a_similar_variable_is_a_mistake() -> None:
    """A misspelt variable of the path must not become the default."""

    @controller("/items")
    @guard(type("Checker", (), {"check": optional([])}))
    class Items:
        @get("/<int:item_id>")
        def show(self, item_id: int) -> int:
            return item_id

        @get("/<int:itemid>/parts")
        def parts(self, itemid: int) -> int:
            return itemid

    assert only_problem_of(Items).what == (
        "parameter 'item_id' is a variable of other paths, but the path has the variable 'itemid'"
    )


def test_each_request_gets_its_own_default() -> None:
    """A default that can be changed is copied for each request."""
    empty: Any = []

    @controller("/")
    class Page:
        @get("/list/<numbers>")
        def numbers(self, numbers: str) -> str:
            return numbers

        @get("/fail")
        def fail(self) -> str:
            raise LookupError

        @catch(LookupError)
        def caught(self, numbers: list[int] = empty) -> list[int]:
            numbers.append(1)
            return numbers

    with client_of(Page) as client:
        assert [client.get("/fail?numbers=2").json for _ in range(2)] == [[1], [1]]


def arguments_of(parts: list[type], path: str) -> list[Argument]:
    """Return the arguments of the guard and the exception handler for a path."""
    explanation = explain(Application(*parts), "GET", path)
    guards = explanation.match.guards if explanation.match else []
    found = [guarded.arguments for guarded in guards]
    found += [caught.arguments for caught in explanation.catches]
    return list(chain.from_iterable(found))


@pytest.mark.parametrize(
    ("place", "why"),
    [
        ("controller", "this path does not have the variable, but other paths have it"),
        (CATCHERS[0], "the exception handler also answers for paths without this variable"),
    ],
)
def test_explain_says_that_the_default_is_used(place: str, why: str) -> None:
    """The explanation names the variable, so nobody looks for it in the query."""
    (argument,) = arguments_of(placed(optional([]), place), "/items/list")

    assert (argument.where, argument.default) == ("path:item_id (absent)", "None")
    assert argument.conversion == f"the default: {why}"


def test_open_api_describes_only_the_variable_of_the_path() -> None:
    """The client cannot choose the value where the path does not have the variable."""
    paths = document_of(*placed(optional([]), "controller"))["paths"]
    shown, listed = (paths[path]["get"] for path in ("/items/{item_id}", "/items/list"))

    assert [(value["in"], value["name"]) for value in shown["parameters"]] == [("path", "item_id")]
    assert "parameters" not in listed
    assert not {"404", "422"} & listed["responses"].keys()


def test_another_application_with_other_paths_gets_other_plans() -> None:
    """Plans are remembered, so a plan must not outlive the paths that it was made for."""
    seen: list[int | None] = []
    checker = type("Checker", (), {"check": optional(seen)})

    @controller("/lists")
    @guard(checker)
    class Lists:
        @get("/")
        def index(self) -> str:
            return "listed"

    @controller("/items")
    @guard(checker)
    class Items:
        @get("/<int:item_id>")
        def show(self, item_id: int) -> int:
            return item_id

    for parts in ([Lists], [Lists, Items], [Lists]):
        with client_of(*parts) as client:
            client.get("/lists?item_id=9")

    assert seen == [9, None, 9]


def test_a_marker_of_the_same_name_reads_the_query_beside_other_paths() -> None:
    """`Query[...]` reads the query, also if other paths of the controller have the variable."""
    seen: list[int] = []

    class Checker:
        def check(self, item_id: Query[int] = 1) -> bool:
            seen.append(item_id)
            return True

    @controller("/items")
    class Items:
        @get("/<int:item_id>")
        def show(self, item_id: int) -> int:
            return item_id

        @get("/list")
        @guard(Checker)
        def index(self) -> str:
            return "listed"

    with client_of(Items) as client:
        client.get("/items/list?item_id=9")
        client.get("/items/list")

    assert seen == [9, 1]
