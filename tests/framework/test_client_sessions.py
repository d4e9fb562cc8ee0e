"""The sessions of a test client: prepared before a request, inspected after it."""

import pytest

from framework import Application, controller, get, replace, session
from framework.testing import Client
from sessions import CookieSettings, MemoryStore, SessionContainer, StoreUnavailable

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
    """What a test puts into the session, the next request finds."""
    with app.test() as client:
        with client.session() as session:
            session["visits"] = 41

        assert client.get("/visits").json == 42


def test_a_session_can_be_inspected(app: Application) -> None:
    """What a request put into the session, the test finds."""
    with app.test() as client:
        client.get("/visits")
        with client.session() as session:
            seen = dict(session)
        again = client.get("/visits").json

    assert seen == {"visits": 1}
    assert again == 2


def test_inspecting_makes_no_session(app: Application) -> None:
    """A look at a session that is not there leaves it not there."""
    with app.test() as client:
        with client.session() as session:
            empty = dict(session)

        assert empty == {}
        assert client.get_cookie("session") is None


def test_a_test_can_end_a_session(app: Application) -> None:
    """Then the client is a stranger."""
    with app.test() as client:
        client.get("/visits")
        with client.session() as session:
            session.destroy()

        assert client.get_cookie("session") is None
        assert client.get("/visits").json == 1


def test_an_https_session_is_another_one(app: Application) -> None:
    """https requests have their own cookie, and so has a session that is prepared for them."""
    base_url = "https://localhost"
    with app.test() as client:
        with client.session(base_url) as session:
            session["visits"] = 41

        assert client.get("/visits", base_url=base_url).json == 42
        assert client.get("/visits").json == 1
        assert client.get_cookie("__Host-session") is not None


def test_a_session_below_a_path(app: Application) -> None:
    """A cookie that is sent below a path only is found there."""
    below = "http://localhost/shop"
    container = SessionContainer(keys=KEYS, cookie=CookieSettings(path="/shop"))
    with app.test(replace(SessionContainer).to(container)) as client:
        client.get("/visits", base_url=below)
        with client.session() as session:
            session["visits"] += 40

        assert client.get("/visits", base_url=below).json == 42


def test_a_failure_in_the_block_saves_nothing(app: Application) -> None:
    """The test has failed; its half-made session does not matter."""

    def prepare_and_fail(client: Client) -> None:
        with client.session() as session:
            session["visits"] = 41
            raise LookupError

    with app.test() as client:
        with pytest.raises(LookupError):
            prepare_and_fail(client)

        assert client.get("/visits").json == 1


def test_a_session_that_cannot_be_saved_tells_the_test(app: Application) -> None:
    """An error of the store is the test's to see."""

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


def test_an_application_without_sessions_has_none_to_open() -> None:
    """The error says why."""

    @controller("/")
    class Plain:
        @get("/")
        def show(self) -> str:
            return "plain"

    with (
        Application(Plain).test() as client,
        pytest.raises(RuntimeError, match="no handler"),
        client.session(),
    ):
        pass
