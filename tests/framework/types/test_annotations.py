"""Annotations of every form are read, or reported as mistakes."""

import datetime
import decimal
import logging
import sys
from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING, Annotated, Any, NewType, TypeVar

import msgspec
import pytest

import framework.application
import framework.binding.query
import framework.cors
import framework.report
import framework.static
import sessions.session
from framework import (
    Body,
    Cookie,
    Header,
    Query,
    catch,
    component,
    configuration,
    controller,
    get,
    guard,
    header,
    query,
    service,
    session,
)
from framework.advice.modules import remedy_for_module
from framework.report import location
from tests.support.small_applications import (
    asked,
    client_of,
    echo_of,
    marked,
    only_problem_of,
    problems_of,
)

if TYPE_CHECKING:
    from decimal import Decimal

T = TypeVar("T")


@dataclass
class NewUser:
    name: str


@pytest.mark.parametrize(
    ("annotation", "written"),
    [
        (list[NewUser], "list[NewUser]"),
        (dict[str, NewUser | None], "dict[str, NewUser | None]"),
        (tuple[Any, ...], "tuple[Any, ...]"),
        (NewType("UserId", bytes), "UserId"),
    ],
)
def test_types_are_written_as_their_author_would(annotation: Any, written: str) -> None:
    """A report names types without their modules."""
    assert only_problem_of(echo_of(annotation)).remedy.startswith(f"Write Body[{written}] for")


def test_a_name_for_type_checkers_only_is_a_problem_beside_the_others() -> None:
    """A name under TYPE_CHECKING is missing at run time; other mistakes are reported, too."""

    @controller("/")
    class Pages:
        @get("/")
        def page(self, price: "Decimal", size: "list[Decimal]", user: NewUser) -> None: ...

        @get("/other")
        def other(self, user: NewUser) -> None: ...

    found = problems_of(Pages)

    assert [each.where for each in found] == [location(Pages.page)] * 3 + [location(Pages.other)]
    assert found[0].what == (
        "the annotation of parameter 'price' is 'Decimal',"
        " but 'Decimal' does not exist when the program runs"
    )
    assert found[0].remedy.startswith(
        "Import Decimal at the top of the module, not only under `if TYPE_CHECKING:`."
    )
    assert "parameter 'size'" in found[1].what


def test_a_return_annotation_may_name_what_does_not_exist() -> None:
    """The return annotation of a handler is not needed."""

    @controller("/")
    class Pages:
        @get("/")
        def page(self, x: int) -> "Decimal":
            return x  # type: ignore[return-value]

    with client_of(Pages) as client:
        assert client.get("/?x=1").json == 1


@pytest.mark.parametrize("annotation", ["int |", "nothing.there", "1 / 0"])
def test_an_annotation_that_cannot_be_evaluated_is_a_problem(annotation: str) -> None:
    """Any error of an annotation is reported, and not raised."""
    problem = only_problem_of(echo_of(annotation))

    assert f"parameter 'x' is {annotation!r}" in problem.what


def test_a_member_that_hides_the_imported_name_is_a_problem() -> None:
    """`session: session` then means the earlier method called `session`."""

    @controller("/")
    class Pages:
        @get("/session")
        def session(self) -> str:
            return ""

        @get("/")
        def page(self, session: session) -> None: ...  # type: ignore[valid-type]

    problem = only_problem_of(Pages)

    assert problem.where == location(Pages.page)
    assert problem.what == (
        f"the annotation of parameter 'session' is {location(Pages.session)}, which is not a type:"
        " this member of the class hides an imported name"
    )
    assert "import the type under a name" in problem.remedy


def test_a_property_hides_a_name_as_well() -> None:
    """Every kind of member that is not a type is recognised."""

    @controller("/")
    class Pages:
        @property
        def session(self) -> str:
            return ""

        @get("/")
        def page(self, session: session) -> None: ...  # type: ignore[valid-type]

    assert "Pages.session" in only_problem_of(Pages).what


def test_nested_annotated_types_are_flattened() -> None:
    """Limits and markers count at every level."""
    positive: Any = Annotated[int, msgspec.Meta(ge=1)]
    inner = marked(Header, Annotated[positive, "any"])
    annotation: Any = marked(Annotated, (inner, msgspec.Meta(le=9)))

    assert asked(echo_of(annotation), "/", headers={"x": "9"}) == 9
    assert list(asked(echo_of(annotation), "/", headers={"x": "0"})) == ["header:x"]
    assert list(asked(echo_of(annotation), "/", headers={"x": "10"})) == ["header:x"]


@pytest.mark.parametrize(
    ("annotation", "path", "sources"),
    [
        (Annotated[marked(Query, int), header()], "/", "query and header"),
        (marked(Body, marked(Cookie, int)), "/", "cookie and body"),
        (marked(Query, int), "/<int:x>", "query and path"),
        (session, "/<x>", "session and path"),
    ],
)
def test_two_sources_on_one_parameter_are_a_problem(
    annotation: Any, path: str, sources: str
) -> None:
    """A parameter comes from one place; the path is one as well."""
    found = problems_of(echo_of(annotation, path=path))

    assert {each.what for each in found} == {f"parameter 'x' has two sources: {sources}"}


@pytest.mark.skipif(sys.version_info < (3, 12), reason="the type statement is new in Python 3.12")
def test_type_aliases_are_expanded() -> None:
    """An alias of the `type` statement, also a generic one, means its value."""
    names: dict[str, Any] = {"Annotated": Annotated, "header": header, "query": query}
    exec(  # noqa: S102
        "type Page = Annotated[int, query('p', ge=1)]\n"
        "type Head[T] = Annotated[T, header('h')]\n"
        "type Maybe[A, B] = Head[B] | None\n"
        "type Plain[T] = int\n"
        "type Narrow = Annotated[Page, query('p', le=5).limits]\n",
        names,
    )

    assert asked(echo_of(names["Page"]), "/?p=3") == 3
    assert asked(echo_of(names["Maybe"][str, int], None), "/", headers={"h": "3"}) == 3
    assert asked(echo_of(names["Plain"][str]), "/?x=3") == 3
    assert list(asked(echo_of(names["Narrow"]), "/?p=6")) == ["query:p"]
    assert asked(echo_of(marked(list, names["Page"])), "/?x=3") == [3]


def test_an_unused_path_variable_is_a_problem() -> None:
    """The problem suggests the parameter that was probably meant."""

    @controller("/users")
    class Users:
        @get("/<int:userid>/<slug>")
        def show(self, user_id: int) -> None: ...

    guess, plain = problems_of(Users)

    assert guess.what == (
        "the path has the variable 'userid', but no parameter has this name; the parameter"
        " 'user_id' has a similar name"
    )
    assert guess.remedy == "Name a parameter userid, or change the path."
    assert plain.what == "the path has the variable 'slug', but no parameter has this name"


def test_a_parameter_close_to_a_path_variable_is_explained() -> None:
    """A parameter without a source may be a misspelt path variable."""

    @controller("/users")
    class Users:
        @get("/<user_id>")
        def show(self, userid: NewUser, usr_id) -> None: ...  # type: ignore[no-untyped-def]  # noqa: ANN001

    what = [each.what for each in problems_of(Users)]

    assert what[:2] == [
        "parameter 'userid' is NewUser, but nothing says where it comes from;"
        " did you mean 'user_id'?",
        "parameter 'usr_id' has no annotation; did you mean 'user_id'?",
    ]


lazy = pytest.mark.skipif(
    sys.version_info < (3, 14), reason="annotations are lazy from Python 3.14 on"
)


def module_of(source: str) -> dict[str, Any]:
    """Run a module that the compiler of older versions would fail to run."""
    names = {name: getattr(framework, name) for name in framework.__all__}
    exec(source, names)  # noqa: S102
    return names


@lazy
def test_lazy_annotations_are_read_without_what_does_not_exist() -> None:
    """An unknown name in an annotation is a problem, not an exception."""
    names = module_of(
        "class NewUser: ...\n"
        "@controller('/')\n"
        "class Pages:\n"
        "    @get('/')\n"
        "    def page(self, x: list[Missing], user: NewUser) -> Nothing: ...\n"
    )

    what = [each.what for each in problems_of(names["Pages"])]

    assert len(what) == 2
    assert "'Missing' does not exist" in what[0]
    assert "'user' is NewUser" in what[1]


@lazy
def test_an_annotation_that_raises_hides_no_other() -> None:
    """The other annotations of the method are still read."""
    names = module_of(
        "@controller('/')\n"
        "class Pages:\n"
        "    @get('/')\n"
        "    def page(self, x: int | 'User', y: Missing) -> None: ...\n"
    )

    what = [each.what for each in problems_of(names["Pages"])]

    assert len(what) == 2
    assert "TypeError: unsupported operand type(s) for |" in what[0]
    assert "'Missing' does not exist" in what[1]


@lazy
def test_an_unknown_name_in_a_return_annotation_is_accepted() -> None:
    """Unknown names in return annotations do no harm."""
    names = module_of(
        "from typing import Annotated, Protocol\n"
        "class Clock(Protocol):\n"
        "    zone: Missing\n"
        "    def now(self) -> Missing: ...\n"
        "@component\n"
        "class Watch(Clock):\n"
        "    zone = 'UTC'\n"
        "    def now(self) -> Missing: return 'noon'\n"
        "@component(scope='request')\n"
        "class Visit:\n"
        "    def __init__(self, clock: Clock) -> None: self.at = clock.now()\n"
        "    def end(self) -> Missing: ...\n"
        "class Open:\n"
        "    def check(self) -> Missing: return True\n"
        "class Now:\n"
        "    def resolve(self, visit: Inject[Visit]) -> Missing: return visit.at\n"
        "def around(request: Missing, next: Missing) -> Missing: return next(request)\n"
        "@configuration\n"
        "class Web:\n"
        "    def on_start(self) -> Missing: ...\n"
        "    @component\n"
        "    def middleware(self) -> list[Middleware]: return [around]\n"
        "    @catch(KeyError)\n"
        "    def caught(self, error: KeyError) -> Missing: return 'caught'\n"
        "@controller('/')\n"
        "class Pages:\n"
        "    @get('/')\n"
        "    @guard(Open)\n"
        "    def page(self, now: Annotated[str, Now]) -> Missing: return now\n"
        "    @get('/fails')\n"
        "    def fails(self) -> Missing: raise KeyError\n"
    )

    with client_of(*(names[each] for each in ("Pages", "Web", "Watch", "Visit"))) as client:
        assert client.get("/").text == "noon"
        assert client.get("/fails").text == "caught"


class InjectsModule:
    def __init__(self, log: logging) -> None: ...  # type: ignore[valid-type]


class ProvidesModule:
    def make(self) -> datetime: ...  # type: ignore[valid-type]

    def written(self) -> "datetime": ...  # type: ignore[valid-type]


class ChecksModule:
    def check(self, store: sessions.session) -> bool:  # type: ignore[valid-type]
        return store is None


def test_a_module_in_the_place_of_a_type_is_a_problem_everywhere() -> None:
    """The places are constructors, component methods, handlers, guards and exception handlers."""

    @controller("/")
    @guard(ChecksModule)
    class Pages:
        @get("/")
        def show(self) -> datetime:  # type: ignore[valid-type]
            return datetime

        @catch(ValueError)
        def wrong(self) -> "datetime":  # type: ignore[valid-type]
            return datetime

    provides = type("Provides", (), {"make": component(ProvidesModule.make)})
    text = type("Text", (), {"written": component(ProvidesModule.written)})
    parts = (service(InjectsModule), configuration(provides), configuration(text))
    found = {mistake.where.partition(" ")[0]: mistake for mistake in problems_of(Pages, *parts)}

    right = {
        "InjectsModule.__init__": "as in `from logging import ...`.",
        "ProvidesModule.make": "Write datetime.datetime, the class that the module defines.",
        "ProvidesModule.written": "Write datetime.datetime, the class that the module defines.",
        "ChecksModule.check": "and let the handler take session: session.",
        "Pages.show": "Write datetime.datetime, the class that the module defines.",
        "Pages.wrong": "Write datetime.datetime, the class that the module defines.",
    }
    assert found.keys() == right.keys()
    assert all(found[where].remedy.endswith(remedy) for where, remedy in right.items())
    assert all("is the module '" in mistake.what for mistake in found.values())


@pytest.mark.parametrize(
    ("module", "remedy"),
    [
        (framework.binding.query, "write `from framework import query`"),
        (framework.application, "write `from framework.application import Application`"),
        (framework.static, "write `from framework.static import StaticFiles`"),
        (framework.cors, "write `from framework.cors import CORS`"),
        (framework.report, "write `from framework.report import Report`"),
        (decimal, "write decimal.Decimal, the class that the module defines"),
        (logging, "name the class or function that you mean, as in `from logging import ...`"),
    ],
)
def test_a_module_as_annotation_suggests_its_class(module: ModuleType, remedy: str) -> None:
    """Its name says what was meant."""
    assert remedy_for_module(module) == remedy
