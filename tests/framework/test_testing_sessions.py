"""The store and the clock of the sessions, replaced without the rest of their container."""

from datetime import timedelta

import pytest

from framework import (
    Application,
    StartupError,
    component,
    configuration,
    controller,
    get,
    replace,
    session,
)
from framework.testing import SessionClock
from sessions import MemoryStore, SessionContainer, Store, StoreUnavailable
from sessions.record import Record
from sessions.testing import ManualClock

KEYS = ["k" * 10 + "0123456789abcdefghijklmnopqrstuvwxyz"]


class Broken(MemoryStore):
    """Fail to load."""

    def load(self, key: str) -> Record | None:
        raise StoreUnavailable("down")


@controller("/")
class Visits:
    """Count visits."""

    @get("/")
    def visits(self, session: session) -> int:
        session["visits"] = session.get("visits", 0) + 1
        return int(session["visits"])


@configuration
class Sessions:
    """Keep sessions for ten minutes, under a name of the application's own."""

    @component
    def session_container(self) -> SessionContainer:
        return SessionContainer(
            keys=KEYS, session_prefix="shop", store=Broken(), idle_timeout=timedelta(minutes=10)
        )


@configuration
class SomeSettings:
    """Leave keys and store to the framework."""

    @component
    def session_container(self) -> dict[str, object]:
        return {"session_prefix": "shop"}


@pytest.fixture(params=[Sessions, SomeSettings])
def app(request: pytest.FixtureRequest) -> Application:
    return Application(Visits, request.param)


def test_a_replaced_store_keeps_the_sessions(app: Application) -> None:
    """The other settings of the container stay."""
    store = MemoryStore()
    with app.test(replace(Store).to(store)) as client:
        counts = [client.get("/").json for _ in range(2)]

        assert counts == [1, 2]
        assert len(store) == 1
        assert client.get_cookie("shop") is not None


def test_a_replaced_clock_lets_time_pass() -> None:
    """A test moves it; the store, which is replaced too, follows."""
    clock = ManualClock()
    replaced = replace(SessionClock).to(clock), replace(Store).to(MemoryStore())
    counts = []
    with Application(Visits, Sessions).test(*replaced) as user:
        counts.append(user.get("/").json)
        clock.advance(timedelta(minutes=10) - timedelta(seconds=1))
        counts.append(user.get("/").json)
        clock.advance(timedelta(minutes=10))
        counts.append(user.get("/").json)

    assert counts == [1, 2, 1]


def test_the_clock_of_default_sessions_is_replaced() -> None:
    """No session container is needed."""
    clock = ManualClock()
    with Application(Visits, SomeSettings).test(replace(SessionClock).to(clock)) as client:
        client.get("/")
        clock.advance(timedelta(days=2))

        assert client.get("/").json == 1


def test_a_part_of_a_replaced_container_is_replaced() -> None:
    """The container and its store, each by a replacement of its own."""
    container = SessionContainer(keys=KEYS, session_prefix="mine", store=Broken())
    store = MemoryStore()
    replaced = replace(SessionContainer).to(container), replace(Store).to(store)
    with Application(Visits, Sessions).test(*replaced) as client:
        client.get("/")

        assert client.get_cookie("mine") is not None
        assert len(store) == 1


def test_the_container_is_made_once() -> None:
    """Its parts are replaced as it is made."""
    made: list[str] = []

    @configuration
    class Counting:
        @component
        def session_container(self) -> SessionContainer:
            made.append("container")
            return SessionContainer(keys=KEYS)

    with Application(Visits, Counting).test(replace(Store).to(MemoryStore())):
        # Once for the application and once for the one under test.
        assert made == ["container", "container"]


def test_a_replaced_store_that_no_session_uses_is_an_error() -> None:
    """An application without sessions has no use for their store."""

    @controller("/")
    class Plain:
        @get("/")
        def show(self) -> str:
            return "plain"

    with (
        pytest.raises(StartupError, match="Store"),
        Application(Plain).test(replace(Store).to(MemoryStore())),
    ):
        pass


def test_what_is_no_store_is_a_startup_problem() -> None:
    """The container checks its parts as ever."""
    with pytest.raises(StartupError, match="is not a Store"):
        Application(Visits, Sessions, replacements={Store: "memory"})
