"""A user's own marker: one file says what it needs, and describes it."""

from collections.abc import Sequence
from typing import Annotated, Any, ClassVar

import pytest

from framework import Application, Session, component, configuration, controller, get, post
from framework.binding.source import DocumentedBody, DocumentedValue, Extract, Field, Marker, Needs
from framework.explaining.explain import explain
from framework.http.context import Context
from framework.openapi import OpenAPI
from framework.report import StartupError


class Theme(Marker):
    """A marker for a value of the session or else of a header."""

    source = "theme"
    needs = Needs.SESSION

    def extractor(self, field: Field) -> Extract:
        """Return what reads the two."""

        def extract(context: Context) -> object:
            context.session.setdefault("theme", context.environ.get("HTTP_X_THEME", "light"))
            return context.session["theme"]

        return extract

    def explained(self, field: Field) -> str:
        """Say where it comes from."""
        return "the theme of the session, or X-Theme"

    def documented(self, field: Field) -> Sequence[DocumentedValue]:
        """Describe the header."""
        return [DocumentedValue("header", "X-Theme", str)]


class Lines(Marker):
    """A marker for a body that is not JSON."""

    source = "lines"
    needs = Needs.BODY

    def extractor(self, field: Field) -> Extract:
        """Return what splits the body."""
        return lambda context: context.body.decode().splitlines()

    def documented(self, field: Field) -> Sequence[DocumentedBody]:
        """Describe the body."""
        return [DocumentedBody(str, "text/plain")]


class Undeclared(Marker):
    """A marker that uses the session without declaring it."""

    source = "undeclared"

    def extractor(self, field: Field) -> Extract:
        """Return what reads the session."""
        return lambda context: context.session.get("visits", 0)


@controller("/")
class Pages:
    """Use the markers."""

    @get("/theme")
    def theme(self, theme: Annotated[str, Theme()]) -> str:
        """Show the theme."""
        return theme

    @post("/lines")
    def lines(self, lines: Annotated[list[str], Lines()]) -> int:
        """Count the lines."""
        return len(lines)


@configuration
class Web:
    """Publish a document."""

    @component
    def openapi(self) -> OpenAPI:
        """Describe the pages."""
        return OpenAPI(title="pages")


def test_a_marker_that_declares_the_session_may_use_it() -> None:
    """Sessions are set up for the marker alone."""
    with Application(Pages).test() as client:
        assert client.get("/theme", headers={"X-Theme": "dark"}).text == "dark"

        assert client.get("/theme").text == "dark"


def test_a_marker_says_how_it_is_explained() -> None:
    """`framework explain` shows the marker's text and its use of the session."""
    with Application(Pages).test() as client:
        explanation = explain(client.app, "GET", "/theme")

    assert explanation.match is not None
    (argument,) = explanation.match.arguments
    assert argument.conversion == "the theme of the session, or X-Theme"
    assert [use.by for use in explanation.session] == ["the handler"]
    assert 503 in [answer.status for answer in explanation.answers]


def test_a_marker_says_how_openapi_describes_it() -> None:
    """The document has the header of one marker and the body of another."""
    with Application(Pages, Web).test() as client:
        paths = client.get("/docs/openapi.json").json["paths"]

    (header,) = paths["/theme"]["get"]["parameters"]
    assert (header["in"], header["name"], header["required"]) == ("header", "X-Theme", True)
    assert list(paths["/lines"]["post"]["requestBody"]["content"]) == ["text/plain"]


def test_a_marker_that_needs_the_body_is_a_mistake_of_get() -> None:
    """GET has no body, for any marker."""

    @controller("/")
    class Page:
        @get("/")
        def lines(self, lines: Annotated[list[str], Lines()]) -> int:
            return len(lines)

    with pytest.raises(StartupError) as raised:
        Application(Page)

    (mistake,) = raised.value.mistakes
    assert "reads the lines, but a GET request has no body" in mistake.what


def test_a_marker_that_declares_nothing_uses_the_sessions_of_the_application() -> None:
    """It counts as a request object, which gives access to everything."""

    @controller("/")
    class Page:
        @get("/")
        def visits(self, visits: Annotated[int, Undeclared()]) -> int:
            return visits

        @post("/")
        def visit(self, session: Session) -> None:
            session["visits"] = 1

    with Application(Page).test() as client:
        client.post("/")

        assert client.get("/").json == 1


def test_a_marker_that_uses_an_undeclared_session_is_explained() -> None:
    """The error says how a marker declares that it uses the session."""

    @controller("/")
    class Page:
        @get("/")
        def visits(self, visits: Annotated[int, Undeclared()]) -> int:
            return visits

    with Application(Page).test() as client:
        client.app.debug = True

        with pytest.raises(RuntimeError, match=r"write `needs = Needs\.SESSION` in the marker"):
            client.get("/")


class Silent(Marker):
    """A correct marker, from which the wrong ones inherit."""

    source = "silent"
    needs = Needs.NOTHING

    def extractor(self, field: Field) -> Extract:
        """Return what reads nothing."""
        return lambda context: None


class NoSource(Silent):
    """Say no source."""

    source: ClassVar[Any] = None


class WrongNeeds(Silent):
    """Need a text."""

    needs: ClassVar[Any] = "session"


class NoField(Silent):
    """Take no field."""

    def extractor(self) -> Extract:  # type: ignore[override]
        """Return what reads nothing."""
        return lambda context: None


class Failing(Silent):
    """Raise what no start-up expects."""

    def extractor(self, field: Field) -> Extract:
        """Raise."""
        raise KeyError(field.name)


class ReturnsNothing(Silent):
    """Forget to return the function."""

    def extractor(self, field: Field) -> Any:
        """Return nothing."""


class WrongDocument(Silent):
    """Describe the value by a text."""

    def documented(self, field: Field) -> Any:
        """Return a text."""
        return "a header"


@pytest.mark.parametrize(
    ("marker", "what"),
    [
        (NoSource(), "has the source None, which is not a text"),
        (WrongNeeds(), "has needs = 'session', which is not a Needs"),
        (NoField(), "failed for parameter 'x': TypeError"),
        (Failing(), "failed for parameter 'x': KeyError: 'x'"),
        (ReturnsNothing(), "returned None, which is not a function"),
        (WrongDocument(), "returned 'a header'"),
        (Silent, "holds the class Silent, but an object of this class is needed"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_wrong_marker_is_a_mistake(marker: object, what: str) -> None:
    """The report names the handler and the marker, and all other mistakes."""

    @controller("/")
    class Page:
        @get("/")
        def show(self, x: Annotated[str, marker]) -> str:
            return x

        @get("/other")
        def other(self, y: object) -> str:
            return ""

    with pytest.raises(StartupError) as raised:
        Application(Page)

    first, second = raised.value.mistakes
    assert what in first.what
    assert "Page.show" in first.where
    assert "Page.other" in second.where


def test_a_marker_may_document_an_optional_value() -> None:
    """The session may hold the value, so that the header is not required."""

    class Optional(Silent):
        def documented(self, field: Field) -> Sequence[DocumentedValue]:
            return [DocumentedValue("header", "X-Theme", str, required=False)]

    @controller("/")
    class Page:
        @get("/theme")
        def theme(self, theme: Annotated[str, Optional()]) -> str:
            return theme

    with Application(Page, Web).test() as client:
        paths = client.get("/docs/openapi.json").json["paths"]

    assert paths["/theme"]["get"]["parameters"][0]["required"] is False


def test_a_documented_path_value_that_a_rule_lacks_is_left_out() -> None:
    """A guard may read a variable that only some paths have."""

    class Slug(Silent):
        def documented(self, field: Field) -> Sequence[DocumentedValue]:
            return [DocumentedValue("path", "slug", str)]

    @controller("/")
    class Page:
        @get("/plain")
        def plain(self, slug: Annotated[str, Slug()]) -> str:
            return slug

    with Application(Page, Web).test() as client:
        paths = client.get("/docs/openapi.json").json["paths"]

    assert "parameters" not in paths["/plain"]["get"]


def test_a_wrong_result_and_a_body_of_get_are_reported_together() -> None:
    """One start reports both mistakes of the handler."""

    class Opaque:
        pass

    @controller("/")
    class Page:
        @get("/")
        def show(self, lines: Annotated[list[str], Lines()]) -> Opaque:
            return Opaque()

    with pytest.raises(StartupError) as raised:
        Application(Page)

    whats = " | ".join(mistake.what for mistake in raised.value.mistakes)
    assert "which JSON cannot hold" in whats
    assert "a GET request has no body" in whats
