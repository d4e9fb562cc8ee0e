"""Typed values of a session that the handler reloads."""

from typing import Annotated, Any

import pytest

from framework import Session, controller, get, session_value
from tests.framework.trials import client_of

Things = Annotated[list[str], session_value("things")]


def reloading(before: str, others: list[str], after: str) -> Any:
    """Change the list before and after a reload that finds what another request committed."""

    @controller("/")
    class Pages:
        @get("/")
        def show(self, session: Session, things: Things) -> None:
            things.extend(before)
            with client.session() as other:
                other["things"] = others
            session.reload()
            things.extend(after)

    with client_of(Pages) as client:
        with client.session() as session:
            session["things"] = ["old"]
        assert client.get("/").status_code == 204
        with client.session() as session:
            return session["things"]


@pytest.mark.parametrize("others", [["old"], ["old", "other"]])
def test_a_reload_drops_what_was_changed(others: list[str]) -> None:
    """Nor is what another request has committed overwritten."""
    assert reloading("a", others, "") == others


def test_what_is_changed_after_a_reload_is_stored() -> None:
    """The object is what the session holds: it can go on."""
    assert reloading("", ["old"], "b") == ["old", "b"]


@pytest.mark.parametrize(
    ("before", "others"), [("a", ["old"]), ("", ["old", "other"]), ("a", ["old", "a"])]
)
def test_an_outdated_object_overwrites_nothing(
    before: str, others: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    """It holds what the reload has dropped, or lacks what it has brought."""
    assert reloading(before, others, "b") == others
    assert "session['things'] was reloaded, and what was changed after that" in caplog.text


@pytest.mark.parametrize("key", ["things", "seen"])
def test_a_changed_value_brings_no_ended_session_back(key: str) -> None:
    """Neither a visitor's new session nor one that was stored before."""

    @controller("/")
    class Pages:
        @get("/")
        def leave(self, session: Session, things: Things = []) -> None:  # noqa: B006
            things.append("x")
            session.destroy()
            things.append("y")

    with client_of(Pages) as client:
        if key == "seen":
            with client.session() as session:
                session[key] = True
        response = client.get("/")

        assert "Max-Age=0" in response.headers.get("Set-Cookie", "Max-Age=0")
        with client.session() as session:
            assert dict(session) == {}
