"""Plans that a second application with the same classes takes from the first."""

import gc
import weakref
from typing import Annotated, Any

import msgspec
import pytest

from framework import (
    Application,
    Body,
    Form,
    Inject,
    StartupError,
    component,
    configuration,
    controller,
    get,
    guard,
    post,
    service,
    session,
)
from framework.binding.inject import InjectMarker
from framework.binding.query import QueryMarker
from framework.binding.source import Extract, Field
from sessions import Session


@service
class Names:
    """A component."""


class AskingQuery(QueryMarker):
    """A user's subclass of the query marker that also asks for a component."""

    def extractor(self, field: Field) -> Extract:
        """Return the component that the application of the field has."""
        names = field.provide(Names)
        return lambda context: names


@controller("/")
class Pages:
    """Handlers of all kinds."""

    @get("/plain/<int:number>")
    def plain(self, number: int, session: session, page: int = 1) -> list[int]:
        """Take what only the request has."""
        return [number, page, len(session)]

    @post("/body")
    def body(self, body: Body[list[int]]) -> int:
        """Take a body."""
        return sum(body)

    @get("/injected")
    def injected(self, names: Inject[Names]) -> str:
        """Take a component."""
        return str(id(names))

    @get("/marked")
    def marked(self, names: Annotated[Any, AskingQuery()]) -> str:
        """Take a component through a source of a user's own."""
        return str(id(names))


def plan_of(application: Application, name: str) -> object:
    """Return the plan of a handler."""
    return next(item.plan for item in application.handlers if item.route.name == name)


def test_a_plan_without_components_is_made_once() -> None:
    """If all arguments come from the request, the second start makes no new plan."""
    one, two = Application(Pages, Names), Application(Pages, Names)

    assert plan_of(one, "plain") is plan_of(two, "plain")
    assert plan_of(one, "body") is plan_of(two, "body")


@pytest.mark.parametrize("name", ["injected", "marked"])
def test_a_plan_with_components_belongs_to_its_application(name: str) -> None:
    """Two applications share no component, also with a subclass of our marker."""
    one, two = Application(Pages, Names), Application(Pages, Names)

    assert plan_of(one, name) is not plan_of(two, name)
    with one.test() as first, two.test() as second:
        assert first.get(f"/{name}").text != second.get(f"/{name}").text


def test_a_remembered_plan_does_not_keep_its_application() -> None:
    """An unused application is freed, with its components."""
    application = Application(Pages, Names)
    components = weakref.ref(application.graph)
    del application
    gc.collect()

    assert components() is None


def test_a_handler_at_another_path_gets_another_plan() -> None:
    """The path variables decide where a parameter comes from."""

    class Shared:
        """A handler for three controllers."""

        @get("/")
        def show(self, number: int) -> int:
            """Return the number."""
            return number

    @controller("/one/<int:number>")
    class One(Shared):
        """Take the number from the path."""

    @controller("/two/<number>")
    class Two(Shared):
        """Take the number from the path, which has it as a text."""

    @controller("/three")
    class Three(Shared):
        """Take the number from the query."""

    with Application(One, Two, Three).test() as client:
        assert client.get("/one/5").json == 5
        assert client.get("/two/6").json == 6
        assert client.get("/two/x").status_code == 404
        assert client.get("/three?number=7").json == 7
        assert client.get("/three?number=x").status_code == 422


def test_a_mistake_is_reported_at_each_start() -> None:
    """A plan with a mistake is never remembered."""

    @controller("/")
    class Wrong:
        """A handler with two bodies."""

        @post("/")
        def add(self, one: Body[int], two: Body[int]) -> int:
            """Add."""
            return one + two

    for _ in range(2):
        with pytest.raises(StartupError, match="each read the whole body"):
            Application(Wrong)


def test_the_garbage_collector_runs_again_after_a_start() -> None:
    """Start-up lets the collector wait, also if it fails; a collector that is off stays off."""

    @configuration
    class Failing:
        """A component that cannot be made."""

        @component
        def names(self) -> Names:
            """Fail, with the collector waiting."""
            assert not gc.isenabled()
            raise OSError

    Application(Pages, Names)
    assert gc.isenabled()
    with pytest.raises(StartupError):
        Application(Pages, Failing)
    assert gc.isenabled()

    gc.disable()
    try:
        Application(Pages, Names)
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_only_known_sources_count_as_asking_for_nothing() -> None:
    """The plan of another source keeps the provider of its application."""
    application = Application(Pages, Names)
    (parameter,) = next(
        item.plan.parameters for item in application.handlers if item.route.name == "injected"
    )

    assert isinstance(parameter.marker, InjectMarker)
    assert parameter.field.provide(Names) is application.graph.get(Names)


def test_a_session_is_of_the_application_that_answers() -> None:
    """A remembered plan reads the session of the present request."""
    with Application(Pages, Names).test() as first, first.session() as stored:
        assert isinstance(stored, Session)
        stored["a"] = 1
    with Application(Pages, Names).test() as second:
        assert second.get("/plain/1").json == [1, 1, 0]


class Strict(msgspec.Struct, forbid_unknown_fields=True):
    """A form that refuses unknown fields."""

    a: int


class ReadsStrict:
    """A guard that reads the form, for handlers that read other fields of it."""

    def check(self, form: Form[Strict]) -> bool:
        """Let each form pass."""
        return form.a > 0


def test_a_form_knows_the_fields_of_its_own_handler_only() -> None:
    """One guard of two handlers refuses for one a field that it accepts for the other."""

    @controller("/")
    @guard(ReadsStrict)
    class Forms:
        """One handler that reads another field, and one that does not."""

        @post("/with")
        def with_more(self, b: Form[int]) -> int:
            """Read another field."""
            return b

        @post("/without")
        def without(self) -> int:
            """Read no other field."""
            return 0

    for _ in range(2):
        with Application(Forms).test() as client:
            assert client.post("/with", data={"a": "1", "b": "2"}).json == 2
            assert client.post("/without", data={"a": "1"}).json == 0
            assert client.post("/without", data={"a": "1", "b": "2"}).status_code == 422
