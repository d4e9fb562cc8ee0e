"""When links have the token of a session: early, late, after an end, and outside of requests."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from sessions import (
    AsyncSessionManager,
    CookieTransport,
    Session,
    SessionContainer,
    SessionManager,
    SessionNotLoaded,
    URLTransport,
)
from sessions.testing import a_head
from tests.support.apps import KEY


def _container(*transports: Any) -> SessionContainer:
    return SessionContainer(keys=[KEY], transports=transports or (URLTransport(),))


@pytest.fixture
def manager() -> SessionManager:
    """Return a manager of sessions in links and cookies."""
    return SessionManager(_container(CookieTransport(), URLTransport()))


def _visit(manager: SessionManager, url: str) -> Session:
    return manager.open(a_head(query=url.partition("?")[2]))


def _begun(manager: SessionManager) -> str:
    """Return the link to a stored session."""
    session = manager.open(a_head())
    session["a"] = 1
    link = session.rewrite("/")
    manager.close(session)
    return link


def test_a_link_is_the_same_before_and_after_a_save(manager: SessionManager) -> None:
    """The id is drawn when the first link is made."""
    session = manager.open(a_head())
    session["a"] = 1
    before = session.rewrite("/")
    session.save()
    after = session.rewrite("/")
    manager.close(session)

    assert before == after == session.rewrite("/")
    assert _visit(manager, before)["a"] == 1


def test_a_page_that_is_still_streaming_gets_links(manager: SessionManager) -> None:
    """The first link is made after the headers have left, which protect the page."""
    session = manager.open(a_head())
    session["a"] = 1
    headers = manager.close(session)

    assert _visit(manager, session.rewrite("/"))["a"] == 1
    assert ("Referrer-Policy", "no-referrer") in headers


def test_a_new_id_is_in_the_links_at_once(manager: SessionManager) -> None:
    """The old one is dead when the page arrives."""
    old = _begun(manager)
    session = _visit(manager, old)
    session.regenerate()
    new = session.rewrite("/")
    manager.close(session)

    assert new != old
    assert [_visit(manager, link).get("a") for link in (old, new)] == [None, 1]


def test_an_id_in_grace_stays_in_its_links(manager: SessionManager) -> None:
    """A request with the earlier id does not know the present one."""
    old = _begun(manager)
    session = _visit(manager, old)
    session.regenerate(grace=timedelta(seconds=30))
    manager.close(session)
    late = _visit(manager, old)

    assert (late["a"], late.rewrite("/")) == (1, old)


def test_an_ended_session_is_in_no_link(manager: SessionManager) -> None:
    """Nor is a session whose id has just died; a new one is, once it has values."""
    link = _begun(manager)
    session = _visit(manager, link)
    session.destroy()
    ended = session.rewrite("/")
    session["b"] = 1
    begun = session.rewrite("/")
    manager.close(session)
    dead = _visit(manager, link)
    dead["lost"] = 1

    assert (ended, dead.rewrite("/"), dead.hidden_input()) == ("/", "/", "")
    assert begun not in ("/", link)
    assert _visit(manager, begun)["b"] == 1


def test_a_program_makes_no_links(manager: SessionManager) -> None:
    """Without a request, nobody knows what the client can do."""
    with manager.create({"a": 1}) as session:
        assert (session.rewrite("/"), session.hidden_input()) == ("/", "")


def test_a_field_is_html() -> None:
    """Template engines ask for it with `__html__`, and the text is escaped."""
    field = URLTransport().hidden_input('"><script>')

    assert field.__html__() is field
    assert field == '<input type="hidden" name="wSession" value="&quot;&gt;&lt;script&gt;">'


def test_an_asynchronous_session_has_to_be_loaded() -> None:
    """As for every use of it; a handshake has links, too."""
    manager = AsyncSessionManager(_container())

    async def visit() -> tuple[str, list[tuple[str, str]]]:
        session = manager.open(a_head())
        with pytest.raises(SessionNotLoaded):
            session.rewrite("/")
        await session.load()
        session["a"] = 1
        headers = await manager.handshake(session)
        return session.rewrite("/"), headers

    link, headers = asyncio.run(visit())

    assert link.startswith("/?wSession=")
    assert headers == [("Referrer-Policy", "no-referrer"), ("Cache-Control", "no-store")]


def test_a_page_of_a_session_that_is_stored_without_values_gets_links() -> None:
    """Otherwise each request of a client without cookies would store another session."""
    container = SessionContainer(
        keys=[KEY], transports=[CookieTransport(), URLTransport()], save_uninitialized=True
    )
    manager = SessionManager(container)
    session = manager.open(a_head())
    link, handle = session.rewrite("/"), session.handle
    manager.close(session)

    assert _visit(manager, link).handle == handle
    ended = _visit(manager, link)
    ended.destroy()
    assert ended.rewrite("/") == "/"
