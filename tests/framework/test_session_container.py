"""Overriding the session container: a component of its type, or some of its settings."""

from collections.abc import Mapping
from typing import Any, TypedDict

import pytest

from framework import Session, component, configuration, controller, get, service
from framework.startup import location
from framework.testing import Client, open_client
from sessions import MemoryStore, SessionContainer, Store
from tests.framework.trials import only_problem_of, problems_of

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
    """A component method of type SessionContainer, whatever its name, sets sessions up."""

    @configuration
    class Configuration:
        @component
        def sessions_of_the_shop(self) -> SessionContainer:
            return SessionContainer(keys=[KEY], session_prefix="shop")

    assert cookie_of(Configuration) == "shop"


@pytest.mark.parametrize("annotation", [dict[str, Any], Mapping[str, object], dict, SomeSettings])
def test_session_container_may_return_some_of_the_settings(annotation: Any) -> None:
    """A mapping of settings is completed with the defaults, for everybody who asks for it."""
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
        (["keys"], "returned list, which is no mapping"),
    ],
)
def test_wrong_settings_of_session_container_are_problems(settings: Any, problem: str) -> None:
    """What sessions refuse is told with the method that set it."""

    @configuration
    class Configuration:
        @component
        def session_container(self) -> dict[str, Any]:
            return settings  # type: ignore[no-any-return]

    found = only_problem_of(Login, Configuration)

    assert found.where == location(Configuration.session_container)
    assert problem in found.what


def test_every_wrong_setting_is_a_problem_of_its_own() -> None:
    """A container with two mistakes is reported twice, with the method that made it."""

    @configuration
    class Configuration:
        @component
        def session_container(self) -> SessionContainer:
            return SessionContainer(keys=["short"], session_prefix="a b")

    found = problems_of(Login, Configuration)

    assert [each.where for each in found] == [location(Configuration.session_container)] * 2


def test_session_container_with_another_type_is_a_problem() -> None:
    """The name promises sessions: a type that does not set them up is a mistake."""

    @configuration
    class Configuration:
        @component
        def session_container(self) -> MemoryStore:
            return MemoryStore()

    problem = only_problem_of(Configuration)

    assert problem.what == (
        "session_container() is annotated to return MemoryStore, which sets no sessions up"
    )
    assert problem.remedy == "Return a SessionContainer, or a dict with some of its fields."
