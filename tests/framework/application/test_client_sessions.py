"""Sessions in tests: opened by the test client, with a store and a clock of the test."""

from datetime import timedelta
from typing import Any

import pytest

from framework import (
    Application,
    Cookie,
    StartupError,
    component,
    configuration,
    controller,
    get,
    replace,
    session,
)
from framework.testing import Client, SessionClock
from sessions import CookieSettings, MemoryStore, SessionContainer, Store, StoreUnavailable
from sessions.record import Record
from sessions.testing import ManualClock

KEYS = ["k" * 10 + "0123456789abcdefghijklmnopqrstuvwxyz"]


@controller("/")
class Visits:
    """Count visits."""

    @get("/visits")
    def visits(self, session: session) -> int:
        session["visits"] = session.get("visits", 0) + 1
        return int(session["visits"])


@pytest.fixture
def app() -> Application:
    return Application(Visits, replacements={SessionContainer: SessionContainer(keys=KEYS)})


def test_a_session_can_be_prepared(app: Application) -> None:
    """The next request finds what a test puts into the session."""
    with app.test() as client:
        with client.session() as session:
            session["visits"] = 41

        assert client.get("/visits").json == 42


def test_a_session_of_a_cookie_with_a_domain_can_be_prepared() -> None:
    """On the host of the test client, and on one of the domain."""
    container = SessionContainer(keys=KEYS, cookie=CookieSettings(domain="shop.example"))
    app = Application(Visits, replacements={SessionContainer: container})
    with app.test() as client:
        for number, url in enumerate(("http://localhost", "http://www.shop.example")):
            with client.session(url) as session:
                session["visits"] = 41 + number

            assert client.get("/visits", base_url=url).json == 42 + number


def test_a_session_can_be_inspected(app: Application) -> None:
    """The test finds what a request put into the session."""
    with app.test() as client:
        client.get("/visits")
        with client.session() as session:
            seen = dict(session)
        again = client.get("/visits").json

    assert seen == {"visits": 1}
    assert again == 2


def test_inspecting_makes_no_session(app: Application) -> None:
    """A test that only looks for a session does not make one."""
    with app.test() as client:
        with client.session() as session:
            empty = dict(session)

        assert empty == {}
        assert client.get_cookie("session") is None


def test_a_test_can_end_a_session(app: Application) -> None:
    """After the end of its session, the client is a stranger."""
    with app.test() as client:
        client.get("/visits")
        with client.session() as session:
            session.destroy()

        assert client.get_cookie("session") is None
        assert client.get("/visits").json == 1


def test_https_and_http_have_different_sessions(app: Application) -> None:
    """https requests have their own cookie, and so has a session that is prepared for them."""
    base_url = "https://localhost"
    with app.test() as client:
        with client.session(base_url) as session:
            session["visits"] = 41

        assert client.get("/visits", base_url=base_url).json == 42
        assert client.get("/visits").json == 1
        assert client.get_cookie("__Host-session") is not None


def test_a_session_below_a_path(app: Application) -> None:
    """A cookie that is sent only below a path is found there."""
    below = "http://localhost/shop"
    container = SessionContainer(keys=KEYS, cookie=CookieSettings(path="/shop"))
    with app.test(replace(SessionContainer).to(container)) as client:
        client.get("/visits", base_url=below)
        with client.session() as session:
            session["visits"] += 40

        assert client.get("/visits", base_url=below).json == 42


def test_a_failure_in_the_block_saves_nothing(app: Application) -> None:
    """The test has failed, so its incomplete session is not saved."""

    def prepare_and_fail(client: Client) -> None:
        with client.session() as session:
            session["visits"] = 41
            raise LookupError

    with app.test() as client:
        with pytest.raises(LookupError):
            prepare_and_fail(client)

        assert client.get("/visits").json == 1


def test_a_session_that_cannot_be_saved_fails_the_test(app: Application) -> None:
    """The test sees the error of the store."""

    class Full(MemoryStore):
        def create(self, key: str, record: object) -> bool:
            raise StoreUnavailable("full")

    container = SessionContainer(keys=KEYS, store=Full())
    with (
        app.test(replace(SessionContainer).to(container)) as client,
        pytest.raises(StoreUnavailable),
        client.session() as session,
    ):
        session["visits"] = 41


def test_an_application_without_sessions_cannot_open_one() -> None:
    """The error says why."""

    @controller("/")
    class Plain:
        @get("/")
        def show(self) -> str:
            return "plain"

    with (
        Application(Plain).test() as client,
        pytest.raises(RuntimeError, match="nothing uses a session"),
        client.session(),
    ):
        pass


class Broken(MemoryStore):
    """Fail to load."""

    def load(self, key: str) -> Record | None:
        raise StoreUnavailable("down")


@controller("/")
class Home:
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
def configured_app(request: pytest.FixtureRequest) -> Application:
    return Application(Home, request.param)


def test_a_replaced_store_keeps_the_sessions(configured_app: Application) -> None:
    """The other settings of the container stay."""
    store = MemoryStore()
    with configured_app.test(replace(Store).to(store)) as client:
        counts = [client.get("/").json for _ in range(2)]

        assert counts == [1, 2]
        assert len(store) == 1
        assert client.get_cookie("shop") is not None


def test_a_replaced_clock_lets_time_pass() -> None:
    """A test moves the clock, and the replaced store uses the same clock."""
    clock = ManualClock()
    replaced = replace(SessionClock).to(clock), replace(Store).to(MemoryStore())
    counts = []
    with Application(Home, Sessions).test(*replaced) as user:
        counts.append(user.get("/").json)
        clock.advance(timedelta(minutes=10) - timedelta(seconds=1))
        counts.append(user.get("/").json)
        clock.advance(timedelta(minutes=10))
        counts.append(user.get("/").json)

    assert counts == [1, 2, 1]


def test_the_clock_of_default_sessions_is_replaced() -> None:
    """This works without a session container of the application's own."""
    clock = ManualClock()
    with Application(Home, SomeSettings).test(replace(SessionClock).to(clock)) as client:
        client.get("/")
        clock.advance(timedelta(days=2))

        assert client.get("/").json == 1


def test_a_part_of_a_replaced_container_is_replaced() -> None:
    """A test may replace both the container and its store."""
    container = SessionContainer(keys=KEYS, session_prefix="mine", store=Broken())
    store = MemoryStore()
    replaced = replace(SessionContainer).to(container), replace(Store).to(store)
    with Application(Home, Sessions).test(*replaced) as client:
        client.get("/")

        assert client.get_cookie("mine") is not None
        assert len(store) == 1


def test_the_container_is_made_once() -> None:
    """The parts are replaced when the container is made."""
    made: list[str] = []

    @configuration
    class Counting:
        @component
        def session_container(self) -> SessionContainer:
            made.append("container")
            return SessionContainer(keys=KEYS)

    with Application(Home, Counting).test(replace(Store).to(MemoryStore())):
        # Once for the application and once for the one under test.
        assert made == ["container", "container"]


def test_a_replaced_store_that_no_session_uses_is_an_error() -> None:
    """An application without sessions does not use a store."""

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


def test_a_replacement_that_is_not_a_store_is_a_startup_problem() -> None:
    """The container also checks a replaced store."""
    with pytest.raises(StartupError, match="is not a Store"):
        Application(Home, Sessions, replacements={Store: "memory"})


@pytest.mark.parametrize(
    "options",
    [
        {"headers": {"Cookie": "a=1"}},
        {"headers": [("Accept", "text/html"), ("cookie", "a=1")]},
        {"environ_overrides": {"HTTP_COOKIE": "a=1"}},
        {"environ_base": {"HTTP_COOKIE": "a=1"}},
    ],
)
def test_a_cookie_header_is_refused_and_not_dropped(options: dict[str, Any]) -> None:
    """Otherwise a test of a forged cookie would pass, because the client drops the header."""

    @controller("/")
    class Echo:
        @get("/")
        def show(self, a: Cookie[str] = "absent") -> str:
            return a

    with Application(Echo).test() as client:
        with pytest.raises(TypeError, match=r"Fix: write client\.set_cookie"):
            client.get("/", **options)
        client.set_cookie("a", "1")
        assert client.get("/", headers={"Accept": "text/html"}).text == "1"
