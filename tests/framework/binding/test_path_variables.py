"""Path variables whose names are nearly those of a parameter, or in another syntax."""

import inspect
from typing import Annotated, Any

import pytest

from framework import Query, component, configuration, controller, get, guard, query
from framework.report import Mistake, location
from tests.support.small_applications import asked, client_of, echo_of, only_problem_of, problems_of


def taking(name: str, annotation: Any) -> Any:
    """Make a method that takes one parameter."""

    def method(self: object, *args: object) -> bool:
        return True

    signature = inspect.signature(method)
    parameter = inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    taken = [signature.parameters["self"], parameter.replace(annotation=annotation)]
    vars(method)["__signature__"] = signature.replace(parameters=taken)
    return method


def guarded_by(name: str, annotation: Any, variable: str) -> list[type]:
    """Make an application whose guard has one parameter, and whose handler takes the path."""

    class Owner:
        check = taking(name, annotation)

    @controller("/")
    @guard(Owner)
    class Pages:
        show = get(f"/<{variable}>")(taking(variable, str))

    return [Pages]


@pytest.mark.parametrize(
    ("name", "variable"),
    [
        ("projct_id", "project_id"),
        ("userid", "user_id"),
        ("userId", "user_id"),
        ("itme_id", "item_id"),
    ],
)
def test_a_misspelt_path_variable_is_a_problem(name: str, variable: str) -> None:
    """It would be read from the query, where a client may write any value."""
    problem = only_problem_of(*guarded_by(name, int, variable))

    assert problem.what == (
        f"parameter {name!r} is read from the query, but the path has the variable {variable!r}"
    )
    assert (
        problem.remedy == f"Name the parameter {variable}, or write Query[...] to read the query."
    )


@pytest.mark.parametrize(
    ("name", "annotation", "variable"),
    [
        ("page", int, "pages"),
        ("pages", list[str], "page"),
        ("user", str, "user_id"),
        ("lang", str, "land"),
        ("team_id", int, "item_id"),
        ("expires", int, "expired"),
        ("page_no", int, "page_nr"),
        ("order_id", int, "border_id"),
        ("uid", int, "uuid"),
        ("node_id", Query[int], "note_id"),
        ("node_id", Annotated[int, query("node")], "note_id"),
        ("note_id", str, "note_id"),
    ],
)
def test_a_different_name_is_not_a_misspelt_path_variable(
    name: str, annotation: Any, variable: str
) -> None:
    """A longer or shorter word is another name, and a marker makes the source clear."""
    assert problems_of(*guarded_by(name, annotation, variable)) == ()


def test_a_guard_of_the_application_may_have_other_names() -> None:
    """Such a guard runs for all paths."""

    class Fresh:
        check = taking("itemid", int)

    @configuration
    @guard(Fresh)
    class Guarded: ...

    @controller("/")
    class Pages:
        show = get("/<item_id>")(taking("item_id", str))

    assert problems_of(Pages, Guarded) == ()


def test_the_name_in_a_resolver_is_looked_at() -> None:
    """Such a parameter would also be read from the query."""

    @component
    class Project:
        def resolve(self, projectid: int) -> str:
            return str(projectid)

    @controller("/")
    class Pages:
        @get("/<int:project_id>")
        def show(self, project_id: int, project: Annotated[str, Project]) -> None: ...

    assert only_problem_of(Pages, Project).where.startswith("Project.resolve (")


@pytest.mark.parametrize(
    ("path", "written", "remedy"),
    [
        ("/{x}", "{x}", "Write <x>, or <int:x> for a number."),
        ("/a-{other}/b", "{other}", "Write <other>, or <int:other> for a number."),
        ("/{x:path}", "{x:path}", "Write <path:x>."),
        ("/:x", ":x", "Write <x>, or <int:x> for a number."),
        ("/a/:x/b", ":x", "Write <x>, or <int:x> for a number."),
    ],
)
def test_a_path_variable_in_the_syntax_of_another_framework_is_a_problem(
    path: str, written: str, remedy: str
) -> None:
    """It would be plain text, and the parameter would be read from the query."""
    echo: Any = echo_of(int, path=path)

    assert only_problem_of(echo) == Mistake(
        f"the path {path!r} holds {written!r}, which is plain text and not a variable",
        remedy,
        where=location(echo.echo),
    )


def test_the_prefix_of_a_controller_is_looked_at_as_well() -> None:
    """The prefix is part of the path."""

    @controller("/{tenant}")
    class Page:
        @get("/<int:x>")
        def page(self, x: int) -> None: ...

    assert only_problem_of(Page).what == (
        "the path '/{tenant}/<int:x>' holds '{tenant}', which is plain text and not a variable"
    )


def test_a_colon_may_be_plain_text() -> None:
    """This holds if no parameter has the name after the colon."""
    assert asked(echo_of(int, path="/:y/a:x/<x>"), "/:y/a:x/5") == 5


def test_a_converter_may_have_braces() -> None:
    """The text between the angle brackets belongs to Werkzeug."""
    echo = echo_of(str, path='/<any("{a}", b):x>')

    assert problems_of(echo) == ()
    with client_of(echo) as client:
        assert client.get("/%7Ba%7D").json["x"] == "{a}"
