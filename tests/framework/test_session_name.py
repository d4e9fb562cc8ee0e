"""The imported name `session` marks a parameter; a use as a session is an explained error."""

import copy
import inspect
import json
import pickle
from collections.abc import Callable
from typing import Annotated, Any, Optional, get_args, get_origin, get_type_hints

import msgspec
import pytest

import framework
from framework import Application, Session, controller, get, guard
from framework import session as name
from tests.support.small_applications import client_of, only_problem_of

# For the rest of this file, what a type checker knows of the name is in the way.
session: Any = name


def _set_item() -> None:
    session["x"] = 1


def _change_item() -> None:
    session["x"] += 1


def _delete_item() -> None:
    del session["x"]


def _set_attribute() -> None:
    session.user = "ada"


def _set_private_attribute() -> None:
    session._user = "ada"


def _delete_attribute() -> None:
    del session.user


def _join() -> None:
    joined = session
    joined |= {"x": 1}


def _enter() -> None:
    with session:
        pass


def _unpack() -> None:
    _, *_ = session


USES: dict[str, tuple[Callable[[], object], str]] = {
    "an item": (lambda: session["x"], "session['x']"),
    "an item by a number": (lambda: session[1], "session[1]"),
    "a set item": (_set_item, "session['x'] = 1"),
    "a changed item": (_change_item, "session['x']"),
    "a deleted item": (_delete_item, "del session['x']"),
    "get": (lambda: session.get("visits", 0), "session.get"),
    "set_user": (lambda: session.set_user("ada"), "session.set_user"),
    "an attribute": (lambda: session.user, "session.user"),
    "an attribute of all sessions": (lambda: session.id, "session.id"),
    "a set attribute": (_set_attribute, "session.user = 'ada'"),
    "a set attribute with an underscore": (_set_private_attribute, "session._user = 'ada'"),
    "a set property": (lambda: setattr(session, "timeout", None), "session.timeout = None"),
    "a deleted attribute": (_delete_attribute, "del session.user"),
    "in": (lambda: "x" in session, "'x' in session"),
    "not in": (lambda: "x" not in session, "'x' in session"),
    "a loop": (lambda: [key for key in session], "a loop over session"),  # noqa: C416
    "list": (lambda: list(session), "a loop over session"),
    "dict": (lambda: dict(session), "a loop over session"),
    "unpacking": (_unpack, "a loop over session"),
    "len": (lambda: len(session), "len(session)"),
    "a call": (lambda: session(), "session()"),
    "a call with arguments": (lambda: session("x", y=1), "session()"),
    "with": (_enter, "with session"),
    "a join": (lambda: session | {"x": 1}, "session | {'x': 1}"),
    "a join from the right": (lambda: {"x": 1} | session, "{'x': 1} | session"),
    "a join in place": (_join, "session | {'x': 1}"),
}


@pytest.mark.parametrize(("use", "shown"), USES.values(), ids=USES)
def test_using_the_name_as_a_session_is_explained(use: Callable[[], object], shown: str) -> None:
    """The error shows the code, and the parameter to write."""
    with pytest.raises((TypeError, AttributeError)) as caught:
        use()

    message = str(caught.value)
    assert message.startswith(f"{shown} uses the imported name `session`, which is the marker")
    assert "Fix: give the handler the parameter `session: session`, as in" in message
    assert "`def show(self, session: session) -> str:`" in message
    assert "declares `session: Session`" in message


def test_no_use_changes_the_class_of_sessions() -> None:
    """Otherwise all visitors would share the value."""
    before = dir(Session)

    for use, _ in USES.values():
        with pytest.raises((TypeError, AttributeError)):
            use()

    assert dir(Session) == before


def test_indexing_the_name_with_a_key_is_explained() -> None:
    """`x: session["cart"]` looks like a parameter for one value."""
    with pytest.raises(TypeError, match=r"`x: Annotated\[T, session_value\('cart'\)\]`"):
        session["cart"]


def test_a_handler_that_uses_the_name_fails_with_the_explanation() -> None:
    """The log and the debugger show the explanation."""

    @controller("/")
    class Visits:
        @get("/")
        def show(self) -> int:
            return session.get("visits", 0)  # type: ignore[no-any-return]

    with Application(Visits, debug=True).test() as client:
        client.app.debug = True
        with pytest.raises(AttributeError, match=r"session\.get uses the imported name"):
            client.get("/")


def test_isinstance_with_the_name_is_explained() -> None:
    """The error names the class to use."""
    with pytest.raises(TypeError, match=r"Fix: write isinstance\(…, Session\)"):
        isinstance(1, session)


# As an annotation

FORMS = {
    "the name": session,
    "optional": Optional[session],  # noqa: UP045
    "or None": session | None,
    "None or": None | session,
    "nested": Annotated[session, "more"],
    "a text": "session",
    "a text of the module": "framework.session",
    "a text that is optional": "session | None",
    "a copy": copy.deepcopy(session),
    "of the class": Session,
    "written out": Annotated[Session, *get_args(name)[1:]],
}


def _renamed(annotation: Any, default: Any = inspect.Parameter.empty) -> type:
    def show(self: object, x: Any) -> Any:
        return type(x).__name__

    show.__annotations__ = {"x": annotation}
    if default is not inspect.Parameter.empty:
        show.__defaults__ = (default,)

    @controller("/")
    class Page:
        index = get("/")(show)

    return Page


@pytest.mark.parametrize("annotation", FORMS.values(), ids=FORMS)
def test_every_form_of_the_annotation_gives_the_session(annotation: Any) -> None:
    """The name works like a plain `Annotated`."""
    with client_of(_renamed(annotation)) as client:
        assert client.get("/").text == "Session"


def test_a_default_does_not_matter() -> None:
    """Every request has a session."""
    with client_of(_renamed(session | None, None)) as client:
        assert client.get("/").text == "Session"


def test_an_unannotated_session_parameter_has_a_remedy() -> None:
    """For this name, the remedy is clear."""

    @controller("/")
    class Page:
        @get("/")
        def show(self, session) -> None: ...  # type: ignore[no-untyped-def]  # noqa: ANN001

    mistake = only_problem_of(Page)

    assert mistake.what == "parameter 'session' has no annotation"
    assert mistake.remedy == "Write session: session, with `from framework import session`."


def test_guards_take_the_session_by_the_name() -> None:
    """The parameters of a guard are bound like a handler's."""

    class LoggedIn:
        def check(self, session: name) -> bool:
            return bool(session.get("user") == "ada")

    @controller("/")
    class Page:
        @get("/")
        @guard(LoggedIn)
        def show(self) -> str:
            return "hello"

    with client_of(Page) as client:
        assert client.get("/").status_code == 403
        with client.session() as stored:
            stored["user"] = "ada"
        assert client.get("/").text == "hello"


def test_typing_reads_the_name_as_an_annotated_session() -> None:
    """Other libraries read annotations in the same way."""

    def show(x: name, y: "name | None" = None) -> None: ...

    assert get_origin(session) is Annotated
    assert get_args(session)[0] is Session
    assert session == Annotated[Session, *get_args(name)[1:]]
    assert get_type_hints(show)["x"] is Session
    assert get_type_hints(show, include_extras=True)["x"] is name
    assert get_type_hints(show)["y"] == Optional[Session]  # noqa: UP045


def test_the_name_can_be_copied_pickled_inspected_and_tested() -> None:
    """Tools do this with annotations."""
    assert copy.copy(session) is copy.deepcopy(session) is session
    assert pickle.loads(pickle.dumps(session)) is framework.session  # noqa: S301
    assert (repr(session), bool(session)) == ("framework.session", True)
    assert inspect.unwrap(session) is session
    assert not hasattr(session, "__wrapped__")
    assert getattr(session, "check", "nothing") == "nothing"
    assert len({session, name}) == 1


# Near misses, which start-up reports


@pytest.mark.parametrize(
    ("annotation", "what", "remedy"),
    [
        (
            'session["cart"]',
            "the annotation of parameter 'x' is 'session[\"cart\"]', which cannot be evaluated:"
            " TypeError: session['cart'] uses the imported name `session`",
            "Give the handler the parameter `session: session`",
        ),
        (
            "session()",
            "the annotation of parameter 'x' is 'session()', which cannot be evaluated:"
            " TypeError: session() uses the imported name `session`",
            "Give the handler the parameter `session: session`",
        ),
        (
            Annotated[str, session],
            "the Annotated[...] of parameter 'x' contains session, which has no effect there",
            "Write session.",
        ),
        (list[session], "parameter 'x' is list[session], but nothing says", "Write Body["),
    ],
)
def test_a_near_miss_is_a_mistake(annotation: Any, what: str, remedy: str) -> None:
    """The report shows the right spelling, with the user's names."""
    mistake = only_problem_of(_renamed(annotation))

    assert mistake.what.startswith(what)
    assert mistake.remedy.startswith(remedy)


# What a handler returns


@pytest.mark.parametrize("kind", [Session, name])
def test_the_return_type_cannot_be_the_session(kind: Any) -> None:
    """Start-up says what to return."""

    @controller("/")
    class Page:
        def show(self, session: Session) -> Any:
            return session

        show.__annotations__["return"] = kind
        show = get("/")(show)

    mistake = only_problem_of(Page)

    assert "Session, but a session belongs to its request" in mistake.what
    assert mistake.remedy == (
        "Return dict[str, object]: use the values that you need, or session.copy(), which is a"
        " plain dict."
    )


def _as_it_is(given: Session) -> object:
    return given


def _inside(given: Session) -> object:
    return {"of": [given]}


def _the_name(_: Session) -> object:
    return session


@pytest.mark.parametrize(
    ("made", "remedy"),
    [
        (_as_it_is, r"session\.copy\(\), which is a plain dict\.$"),
        (_inside, r"session\.copy\(\), which is a plain dict\.$"),
        (_the_name, r"the parameter `x: session`, and return x or a part of it\.$"),
    ],
)
def test_a_returned_session_is_an_error_with_a_remedy(
    made: Callable[[Session], object], remedy: str
) -> None:
    """Its data may be secret."""

    @controller("/")
    class Page:
        @get("/")
        def show(self, x: name) -> Any:
            return made(x)

    with client_of(Page) as client:
        assert client.get("/").status_code == 500
        client.app.debug = True
        with pytest.raises(TypeError, match=remedy):
            client.get("/")


def _encoded_by_orjson(_: object) -> object:
    # orjson is not installed for the tests; this is its message.
    raise TypeError("Type is not JSON serializable: Session")


@pytest.mark.parametrize("encode", [json.dumps, msgspec.json.encode, _encoded_by_orjson])
def test_an_encoded_session_is_an_error_with_a_remedy(
    encode: Callable[[object], object], caplog: pytest.LogCaptureFixture
) -> None:
    """json cannot write sessions, and the log has the remedy."""

    @controller("/")
    class Page:
        @get("/")
        def show(self, x: name) -> str:
            return str(encode({"x": x}))

    with client_of(Page) as client:
        assert client.get("/").status_code == 500

    assert "\nFix: use the values that you need, or session.copy()" in caplog.text


def test_other_unencodable_objects_do_not_get_the_session_remedy(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The remedy is only for sessions."""

    @controller("/")
    class Page:
        @get("/")
        def show(self, x: name) -> str:
            return json.dumps({"x": object()})

    with client_of(Page) as client:
        assert client.get("/").status_code == 500

    assert "session.copy()" not in caplog.text
