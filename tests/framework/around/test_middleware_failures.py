"""The effects of a failed handler are undone, for any answer of middleware."""

from collections.abc import Iterator
from typing import Annotated

from werkzeug.exceptions import Conflict

from framework import (
    Application,
    Inject,
    Middleware,
    Next,
    Request,
    Response,
    Session,
    component,
    configuration,
    controller,
    get,
)
from framework.middleware import session_of
from tests.support.middleware import Tagging, around
from tests.support.small_applications import client_of

log: list[str] = []


class Work:
    """Work that is committed or rolled back."""


def soften(request: Request, next: Next) -> Response:
    """Replace a failure by a friendly page."""
    response = next(request)
    if response.status_code < 500:
        return response
    session_of(request)["apology"] = True
    return Response("we are sorry")


def again(request: Request, next: Next) -> Response:
    """Call the handler a second time."""
    response = next(request)
    return next(request) if response.status_code >= 500 else response


@controller("/")
class Pages:
    """Handlers that fail always, or the first time."""

    def __init__(self) -> None:
        self._tries = 0

    @get("/boom")
    def boom(self, session: Session) -> None:
        session["leaked"] = "half-done"
        raise RuntimeError("boom")

    @get("/flaky")
    def flaky(self, session: Session, work: Inject[Work]) -> str:
        self._tries += 1
        session[f"try {self._tries}"] = True
        if self._tries == 1:
            raise RuntimeError("first")
        return "done"

    @get("/show")
    def show(self, session: Session) -> dict[str, object]:
        return dict(session)


def application(middleware: Middleware, *controllers: type) -> Application:
    """Return the pages behind one middleware."""

    @configuration
    class Configuration:
        @component
        def middleware(self) -> list[Middleware]:
            return [middleware]

        @component(scope="request")
        def work(self) -> Iterator[Work]:
            try:
                yield Work()
                log.append("commit")
            except RuntimeError as error:
                log.append(f"rollback {error}")

    return Application(Configuration, Pages, *controllers)


def test_a_failure_that_middleware_hides_is_discarded_all_the_same() -> None:
    """The handler's changes are discarded; those of middleware are saved."""
    with application(soften).test() as client:
        assert client.get("/boom").text == "we are sorry"

        assert client.get("/show").json == {"apology": True}


def noting(request: Request, next: Next) -> Response:
    """Write to the session before the handler, and read the value after it."""
    session = session_of(request)
    session["notes"] = {"visits": [1]}
    session["saved"] = "by middleware"
    session.pop("old", None)
    next(request)
    return Response(str(session["notes"]["visits"]))


def test_session_changes_of_middleware_before_a_failure_stay() -> None:
    """Nested changes and explicit saves of middleware stay, too."""

    @controller("/more")
    class More:
        @get("/nested")
        def nested(self, session: Session) -> None:
            session["notes"]["visits"].append(2)
            session["leaked"] = "half-done"
            raise RuntimeError("boom")

        @get("/saved")
        def saved(self, session: Session) -> None:
            session["saved"] = "by the handler"
            session.save()
            raise RuntimeError("boom")

    for path, saved in (("nested", "by middleware"), ("saved", "by the handler")):
        with application(noting, More).test() as client:
            with client.session() as session:
                session["old"] = True

            assert client.get(f"/more/{path}").text == "[1]"
            with client.session() as session:
                assert dict(session) == {"notes": {"visits": [1]}, "saved": saved}


def test_session_changes_of_middleware_restore_no_ended_session() -> None:
    """The handler has ended the session before it failed."""

    @controller("/more")
    class More:
        @get("/end")
        def end(self, session: Session) -> None:
            session.destroy()
            raise RuntimeError("boom")

    def quiet(request: Request, next: Next) -> Response:
        session_of(request)["notes"] = 1
        next(request)
        return Response()

    with application(quiet, More).test() as client:
        with client.session() as session:
            session["user"] = "ada"
        client.get("/more/end")

        with client.session() as session:
            assert dict(session) == {}


def test_a_second_try_of_middleware_calls_resolvers_again() -> None:
    """The first result may hold components that have ended, also after a 4xx."""
    given: list[Work] = []

    class Current:
        def resolve(self, work: Inject[Work]) -> Work:
            return work

    @controller("/more")
    class More:
        @get("/work")
        def work(self, resolved: Annotated[Work, Current], work: Inject[Work]) -> str:
            given.append(resolved)
            if len(given) == 1:
                raise Conflict
            return str(resolved is work)

    def persistent(request: Request, next: Next) -> Response:
        response = next(request)
        return next(request) if response.status_code == 409 else response

    with application(persistent, More).test() as client:
        assert client.get("/more/work").text == "True"


def test_a_second_try_of_middleware_has_new_session_and_components() -> None:
    """The session and components of the first try are undone; those of the second are kept."""
    log.clear()
    with application(again).test() as client:
        assert client.get("/flaky").text == "done"

        assert client.get("/show").json == {"try 2": True}
    assert log == ["rollback first", "commit"]


def test_a_session_that_cannot_be_saved_is_answered_outside() -> None:
    """Middleware has seen another response; a handler that calls save() fails inside it."""

    @controller("/")
    class Saving:
        @get("/late")
        def late(self, session: Session) -> str:
            session["value"] = object()
            return "saved"

        @get("/early")
        def early(self, session: Session) -> str:
            session["value"] = object()
            session.save()
            return "saved"

    with client_of(Saving, around(Tagging("seen"))) as client:
        late, early = client.get("/late"), client.get("/early")

    assert (late.status_code, late.headers.getlist("X-Tag")) == (500, [])
    assert (early.status_code, early.headers.getlist("X-Tag")) == (500, ["seen"])
