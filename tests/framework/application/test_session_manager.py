"""The manager of an application's sessions: a component like any other."""

from collections.abc import Iterator
from typing import Any

import pytest

from framework import (
    Application,
    Inject,
    Session,
    component,
    configuration,
    controller,
    get,
    post,
    service,
)
from framework.report import Mistake, location
from framework.testing import replace
from sessions import (
    AsyncSessionManager,
    AsyncStore,
    MemoryStore,
    SessionContainer,
    SessionManager,
    SessionNotFound,
    Store,
)
from tests.support.small_applications import client_of, only_problem_of, problems_of
from tests.support.suspending_store import SuspendingStore

KEYS = ["k" * 10 + "0123456789abcdefghijklmnopqrstuvwxyz"]


@service
class Logouts:
    """End sessions that belong to no request."""

    def __init__(self, sessions: SessionManager) -> None:
        self.sessions = sessions

    def end(self, id: str) -> bool:
        return self.sessions.delete(id)


@controller("/")
class Desk:
    """Use sessions by a service alone."""

    def __init__(self, logouts: Logouts) -> None:
        self._logouts = logouts

    @post("/end/<id>")
    def end(self, id: str) -> bool:
        return self._logouts.end(id)


@controller("/visits")
class Visits:
    """Use the session of the request."""

    @get("/")
    def show(self, session: Session) -> int:
        session["n"] = session.get("n", 0) + 1
        return int(session["n"])


def over(store: Store | AsyncStore) -> type:
    """Make a configuration of sessions in a store."""

    @configuration
    class Sessions:
        @component
        def container(self) -> SessionContainer:
            return SessionContainer(keys=KEYS, store=store)

    return Sessions


def test_a_constructor_gets_the_manager_of_the_requests() -> None:
    """A service ends the session that a request has begun."""
    with client_of(Desk, Visits, Logouts) as client:
        client.get("/visits/")
        with client.session() as session:
            known = session.id
        ended = client.post(f"/end/{known}").json
        visits = client.get("/visits/").json

    assert (ended, visits) == (True, 1)


def test_everybody_gets_the_same_manager() -> None:
    """Services, controllers, handlers and `app.sessions` share one manager."""
    seen: list[SessionManager | None] = []

    @controller("/")
    class Page:
        def __init__(self, logouts: Logouts, sessions: SessionManager) -> None:
            seen.extend([logouts.sessions, sessions])

        @get("/")
        def show(self, sessions: Inject[SessionManager]) -> None:
            seen.append(sessions)

    with client_of(Page, Logouts) as client:
        client.get("/")
        seen.append(client.app.sessions)

    assert len(seen) == 4
    assert set(map(id, seen)) == {id(client.app.sessions)}


def test_each_application_has_its_own_manager() -> None:
    """The application of a test has another manager than the original."""
    app = Application(Desk, Logouts, over(MemoryStore()))
    with app.test() as client:
        assert client.app.sessions is not app.sessions


def test_the_manager_uses_the_configured_container() -> None:
    """The manager also works if no handler takes a session."""
    store = MemoryStore()
    with client_of(Desk, Logouts, over(store)) as client:
        manager = client.app.sessions

    assert manager is not None
    assert manager.container.store is store


def test_a_class_that_injects_the_manager_uses_sessions() -> None:
    """Sessions are set up, and rolling sessions are renewed with every response."""

    @configuration
    class Rolling:
        @component
        def container(self) -> SessionContainer:
            return SessionContainer(keys=KEYS, save_uninitialized=True)

    with client_of(Desk, Logouts, Rolling) as client:
        assert "session=" in client.get("/missing").headers["Set-Cookie"]


def test_a_component_may_be_made_of_it() -> None:
    """A component method, a component of a request and a hook can take the manager."""
    seen: list[SessionManager] = []

    class Report: ...

    class Order: ...

    @configuration
    class Own:
        @component
        def report(self, sessions: SessionManager) -> Report:
            seen.append(sessions)
            return Report()

        @component(scope="request")
        def order(self, sessions: SessionManager) -> Iterator[Order]:
            seen.append(sessions)
            yield Order()

        def on_start(self, sessions: SessionManager) -> None:
            seen.append(sessions)

    @controller("/")
    class Page:
        @get("/")
        def show(self, order: Inject[Order]) -> None: ...

    with client_of(Page, Own) as client:
        client.get("/")

    assert len(seen) == 3
    assert set(seen) == {client.app.sessions}


def test_an_unknown_session_is_an_error_of_the_callers() -> None:
    """The caller can catch the manager's exception."""
    with client_of(Desk, Logouts, over(MemoryStore())) as client:
        manager = client.app.sessions
        assert manager is not None

        with pytest.raises(SessionNotFound):
            manager.get("a" * 65)


def test_the_store_of_a_test_is_that_of_the_manager() -> None:
    """A replaced store is also replaced for jobs."""
    store = MemoryStore()
    app = Application(Desk, Logouts, over(MemoryStore()))
    with app.test(replace(Store).to(store)) as client:
        assert client.app.sessions is not None
        assert client.app.sessions.container.store is store


def test_a_manager_of_the_users_own_takes_its_place() -> None:
    """The user's manager also serves the requests."""
    made: list[SessionManager] = []

    @configuration
    class Own:
        @component
        def manager(self, container: SessionContainer) -> SessionManager:
            made.append(SessionManager(container))
            return made[0]

    with client_of(Visits, Own) as client:
        assert client.get("/visits/").json == 1
        assert client.app.sessions is made[0]


@pytest.mark.parametrize("parts", [(Visits,), (Desk, Logouts)])
def test_a_store_that_must_be_awaited_is_a_problem(parts: tuple[type, ...]) -> None:
    """The problem names the place of the container."""
    configured: Any = over(SuspendingStore(MemoryStore()))
    problem = only_problem_of(*parts, configured)

    assert problem.where == location(configured.container)
    assert problem.what.startswith("SessionManager: <")
    assert "is an AsyncStore, which a blocking application cannot await" in problem.what
    assert problem.remedy == "Give the container a Store, or use AsyncSessionManager."


def test_wrong_settings_are_reported_once() -> None:
    """A service, a handler and the application need the same container."""

    @configuration
    class Short:
        @component
        def container(self) -> SessionContainer:
            return SessionContainer(keys=["short"])

    (problem,) = problems_of(Desk, Visits, Logouts, Short)

    assert problem.where == location(Short.container)


def test_the_asynchronous_manager_is_a_problem() -> None:
    """WSGI cannot await it; the remedy names the blocking manager."""

    @service
    class Jobs:
        def __init__(self, sessions: AsyncSessionManager) -> None: ...

    assert only_problem_of(Visits, Jobs) == Mistake(
        "parameter 'sessions': nothing provides AsyncSessionManager: WSGI has no event loop",
        "Take SessionManager: it has the same methods, called without await.",
        where=location(Jobs.__init__),
    )
