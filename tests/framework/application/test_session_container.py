"""The session container of an application: its settings, and what is wrong with them."""

from collections.abc import Mapping
from typing import Any, TypedDict

import pytest

from framework import (
    Application,
    Session,
    component,
    configuration,
    controller,
    get,
    service,
    session,
)
from framework.report import location
from framework.testing import Client, open_client
from sessions import (
    CookieSettings,
    CookieTransport,
    MemoryStore,
    SessionContainer,
    Store,
    URLTransport,
)
from tests.support.small_applications import only_problem_of, problems_of

KEYS = ["k" * 10 + "0123456789abcdefghijklmnopqrstuvwxyz"]


@controller("/")
class Visits:
    """Use a session."""

    @get("/")
    def show(self, session: session) -> int:
        session["n"] = session.get("n", 0) + 1
        return int(session["n"])


def test_no_handler_with_a_session_means_no_sessions() -> None:
    """An application sets up sessions only if a handler uses one."""

    @controller("/")
    class Plain:
        @get("/")
        def show(self) -> str:
            return "plain"

    assert Application(Plain).sessions is None


def test_a_configured_container_is_used() -> None:
    """A component of this type replaces the default, with any method name."""

    @configuration
    class Own:
        @component
        def for_the_shop(self) -> SessionContainer:
            return SessionContainer(keys=KEYS, session_prefix="shop")

    app = Application(Visits, Own)

    assert app.sessions is not None
    assert app.sessions.container.session_prefix == "shop"


def test_a_mapping_sets_some_fields_of_the_container() -> None:
    """The other fields keep the framework's defaults."""

    @configuration
    class Own:
        @component
        def session_container(self) -> dict[str, Any]:
            return {"session_prefix": "shop", "cookie": CookieSettings(path="/shop")}

    with Application(Visits, Own).test() as client:
        client.get("/", base_url="http://localhost/shop")
        client.get("/", base_url="http://localhost/shop")
        cookie = client.get_cookie("shop", path="/shop")

    assert cookie is not None


def test_an_unknown_setting_is_a_problem() -> None:
    """The problem suggests the setting that the user probably meant."""

    @configuration
    class Own:
        @component
        def session_container(self) -> dict[str, Any]:
            return {"session_prefx": "shop", "rollling": True}

    first, second = problems_of(Visits, Own)

    assert first.where.startswith("Own.session_container (")
    assert [first.what, second.what] == [
        "SessionContainer has no setting 'session_prefx': did you mean 'session_prefix'?",
        "SessionContainer has no setting 'rollling': did you mean 'rolling'?",
    ]
    assert first.remedy.startswith("Give some of keys, store, cookie, session_prefix,")


def test_impossible_settings_are_problems() -> None:
    """Every mistake of a container is one problem, at its method."""

    @configuration
    class Own:
        @component
        def session_container(self) -> SessionContainer:
            return SessionContainer(keys=["short"], session_prefix="a b")

    found = problems_of(Visits, Own)

    assert len(found) == 2
    assert all(each.where.startswith("Own.session_container (") for each in found)


@pytest.mark.parametrize("made", ["short", 7, ValueError("no luck")])
def test_an_unfit_gen_id_is_a_problem(made: object) -> None:
    """Start-up calls `gen_id` once, so the first visitor does not find the mistake."""

    def gen_id() -> Any:
        if isinstance(made, Exception):
            raise made
        return made

    @configuration
    class Own:
        @component
        def session_container(self) -> SessionContainer:
            return SessionContainer(keys=KEYS, gen_id=gen_id)

    (problem,) = problems_of(Visits, Own)

    assert problem.where.startswith("Own.session_container (")
    assert "gen_id" in problem.what


KEY = "0123456789abcdefghijklmnopqrstuv"


class SomeSettings(TypedDict):
    keys: list[str]
    session_prefix: str


@controller("/")
class Login:
    @get("/")
    def login(self, session: Session) -> None:
        session["user"] = "ann"


def cookie_of(*classes: type) -> str:
    """Return the name of the cookie that Login sets."""
    client: Client
    with open_client((Login, *classes), ()) as client:
        return client.get("/").headers["Set-Cookie"].partition("=")[0]


def test_session_container_overrides_the_default_by_its_return_type() -> None:
    """A component method of type SessionContainer sets sessions up, with any name."""

    @configuration
    class Configuration:
        @component
        def sessions_of_the_shop(self) -> SessionContainer:
            return SessionContainer(keys=[KEY], session_prefix="shop")

    assert cookie_of(Configuration) == "shop"


@pytest.mark.parametrize("annotation", [dict[str, Any], Mapping[str, object], dict, SomeSettings])
def test_session_container_may_return_some_of_the_settings(annotation: Any) -> None:
    """A mapping of settings is completed with the defaults, for all users of the container."""
    seen = []

    @configuration
    class Configuration:
        @component
        def session_container(self, store: Store) -> Any:
            return {"keys": [KEY], "session_prefix": "shop", "store": store}

        session_container.__annotations__ = {"store": Store, "return": annotation}

        @component
        def store(self) -> Store:
            return MemoryStore()

    @service
    class Reader:
        def __init__(self, container: SessionContainer) -> None:
            seen.append(container.session_prefix)

    assert cookie_of(Configuration, Reader) == "shop"
    assert seen == ["shop"]


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"session_prefx": "shop"}, "session_prefx"),
        ({"keys": ["short"]}, "keys"),
        (["keys"], "returned list, which is not a mapping"),
    ],
)
def test_wrong_settings_of_session_container_are_problems(settings: Any, problem: str) -> None:
    """The problem names the method that gave the wrong setting."""

    @configuration
    class Configuration:
        @component
        def session_container(self) -> dict[str, Any]:
            return settings  # type: ignore[no-any-return]

    found = only_problem_of(Login, Configuration)

    assert found.where == location(Configuration.session_container)
    assert problem in found.what


def test_every_wrong_setting_is_a_problem_of_its_own() -> None:
    """Two mistakes in a container are two problems, each with the method."""

    @configuration
    class Configuration:
        @component
        def session_container(self) -> SessionContainer:
            return SessionContainer(keys=["short"], session_prefix="a b")

    found = problems_of(Login, Configuration)

    assert [each.where for each in found] == [location(Configuration.session_container)] * 2


def test_session_container_with_another_type_is_a_problem() -> None:
    """A method of this name must return settings of sessions."""

    @configuration
    class Configuration:
        @component
        def session_container(self) -> MemoryStore:
            return MemoryStore()

    problem = only_problem_of(Configuration)

    assert problem.what == (
        "session_container() is annotated to return MemoryStore, but a method of this name has to"
        " return the"
        " SessionContainer"
    )
    assert problem.remedy == "Return a SessionContainer, or a dict with some of its fields."


def test_a_listener_for_prometheus_may_be_made_again() -> None:
    """The test client builds the application a second time, and the listener counts on."""
    client = pytest.importorskip("prometheus_client")
    from sessions.listeners.prometheus import PrometheusListener

    registry = client.CollectorRegistry()

    @configuration
    class Settings:
        @component
        def container(self) -> SessionContainer:
            return SessionContainer(keys=KEYS, listeners=[PrometheusListener(registry=registry)])

    app = Application(Visits, Settings)
    for _ in range(2):
        with app.test() as visitor:
            visitor.get("/")

    labels = {"kind": "created", "reason": ""}
    assert registry.get_sample_value("sessions_events_total", labels) == 2.0


def test_a_test_client_repeats_no_warning(caplog: pytest.LogCaptureFixture) -> None:
    """The application has logged it; the client builds the same application again."""

    @configuration
    class Settings:
        @component
        def session_container(self) -> dict[str, Any]:
            return {"transports": [CookieTransport(), URLTransport()]}

    with Application(Visits, Settings).test() as client:
        client.get("/")

    assert caplog.text.count("puts the ids of sessions into URLs") == 1
