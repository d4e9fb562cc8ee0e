"""Session settings: the container of an application's own, and what is wrong with it."""

from typing import Any

import pytest

from framework import Application, component, configuration, controller, get, session
from sessions import CookieSettings, SessionContainer
from tests.framework.trials import problems_of

KEYS = ["k" * 10 + "0123456789abcdefghijklmnopqrstuvwxyz"]


@controller("/")
class Visits:
    """Use a session."""

    @get("/")
    def show(self, session: session) -> int:
        session["n"] = session.get("n", 0) + 1
        return int(session["n"])


def test_without_a_session_there_are_none() -> None:
    """An application whose handlers use no session sets none up."""

    @controller("/")
    class Plain:
        @get("/")
        def show(self) -> str:
            return "plain"

    assert Application(Plain).sessions is None


def test_a_configured_container_is_used() -> None:
    """A component of that type replaces the default, whatever its method is called."""

    @configuration
    class Own:
        @component
        def for_the_shop(self) -> SessionContainer:
            return SessionContainer(keys=KEYS, session_prefix="shop")

    app = Application(Visits, Own)

    assert app.sessions is not None
    assert app.sessions.container.session_prefix == "shop"


def test_a_mapping_sets_some_fields_of_the_container() -> None:
    """The others keep the framework's defaults."""

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
    """It is told with what was meant."""

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
    """It is tried once at start-up, not by the first visitor."""

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
