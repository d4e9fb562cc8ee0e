"""A session whose response headers have left: loaded values can be read, and nothing can change."""

from collections.abc import Callable
from typing import Any

import pytest

from sessions import MemoryStore, Session, SessionClosed
from sessions.testing import ManualClock
from tests.support.apps import Browser, Site, everything, session_of
from tests.support.loops import a_cookie, a_manager, on_a_loop, opened

Act = Callable[[Any], object]

READS: dict[str, Act] = {
    "item": lambda session: session["a"],
    "get": lambda session: session.get("a"),
    "missing": lambda session: session.get("b", 5),
    "in": lambda session: ("a" in session, "b" in session),
    "all": everything,
    "len": len,
    "iter": lambda session: [*session],
    "keys": lambda session: [*session.keys()],
    "values": lambda session: [*session.values()],
    "items": lambda session: [*session.items()],
    "copy": lambda session: session.copy(),
    "or": lambda session: session | {"c": 1},
    "equal": lambda session: session == {"a": 1, "list": [1]},
    "setdefault of what is there": lambda session: session.setdefault("a", 5),
    "pop of what is not there": lambda session: session.pop("b", 5),
    "no flashes": lambda session: session.take_flashes(),
    "id": lambda session: session.id,
    "handle": lambda session: session.handle,
    "user": lambda session: (session.user_id, session.user_data),
    "state": lambda session: (session.is_new, session.accessed, session.loaded, session.modified),
    "end": lambda session: (session.ended, session.gone, session.closed),
    "times": lambda session: (session.created_at, session.last_access, session.last_update),
    "time left": lambda session: (session.expires_at, session.timeout),
}
CHANGES: dict[str, Act] = {
    "set": lambda session: session.__setitem__("a", 2),
    "delete": lambda session: session.__delitem__("a"),
    "update": lambda session: session.update(b=2),
    "or": lambda session: session.__ior__({"b": 2}),
    "setdefault": lambda session: session.setdefault("b", 5),
    "pop": lambda session: session.pop("a"),
    "popitem": lambda session: session.popitem(),
    "clear": lambda session: session.clear(),
    "flash": lambda session: session.flash("Saved."),
    "timeout": lambda session: setattr(session, "timeout", session.timeout),
    "set_user": lambda session: session.set_user("ada"),
    "clear_user": lambda session: session.clear_user(),
    "regenerate": lambda session: session.regenerate(),
    "destroy": lambda session: session.destroy(),
}
VERBS: dict[str, Act] = {
    "save": lambda session: session.save(),
    "reload": lambda session: session.reload(),
    "increment": lambda session: session.increment("a"),
    "take": lambda session: session.take("a"),
    "update_with": lambda session: session.update_with("a", lambda value: value),
}


@pytest.fixture
def customer(browser: Browser) -> Browser:
    """Return a browser whose session holds two values, with the store's calls forgotten."""
    browser.visit(lambda session: session.update(a=1, list=[1]))
    browser.site.store_calls().clear()
    return browser


def closed(site: Site, cookie: str) -> Session:
    """Return the session of a request that has read it, and whose headers have left."""
    session = session_of(site.manager, cookie)
    session.load()
    site.manager.close(session)
    return session


@pytest.mark.parametrize("read", READS.values(), ids=READS)
def test_a_closed_session_can_read_loaded_values(customer: Browser, read: Act) -> None:
    """A read needs no other call to the store."""
    session = session_of(customer.site.manager, customer.cookie)
    session.load()
    before = read(session)
    customer.site.manager.close(session)
    calls = [*customer.site.store_calls()]

    after = read(session)

    assert before == after or read is READS["end"]
    assert customer.site.store_calls() == calls == ["load"]


@pytest.mark.parametrize("change", (CHANGES | VERBS).values(), ids=CHANGES | VERBS)
def test_a_change_is_refused(customer: Browser, change: Act) -> None:
    """The error says what to do instead, and the session stays as it is."""
    session = closed(customer.site, customer.cookie)

    with pytest.raises(SessionClosed, match="before the first byte of the response body"):
        change(session)

    assert customer.site.store_calls() == ["load"]
    assert session.copy() == {"a": 1, "list": [1]}
    assert customer.holds() == {"a": 1, "list": [1]}


UNLOADED = {
    name: use for name, use in (READS | CHANGES | VERBS).items() if name not in ("state", "end")
}


@pytest.mark.parametrize("use", UNLOADED.values(), ids=UNLOADED)
def test_a_closed_session_cannot_load_values(customer: Browser, use: Act) -> None:
    """The sent headers do not say that the response depends on the session."""
    session = session_of(customer.site.manager, customer.cookie)
    customer.site.manager.close(session)

    with pytest.raises(SessionClosed):
        use(session)

    assert customer.site.store_calls() == []


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
@on_a_loop
async def test_an_asynchronous_session_refuses_changes_too(clock: ManualClock, change: Act) -> None:
    """Its loaded values can be read, but not changed."""
    manager = a_manager(MemoryStore(clock=clock), clock)
    session = await opened(manager, await a_cookie(manager, a=1, list=[1]))
    await manager.close(session)

    assert [read(session) for read in (READS["all"], READS["get"], READS["len"])]
    with pytest.raises(SessionClosed, match="before the first byte of the response body"):
        change(session)
    assert session.copy() == {"a": 1, "list": [1]}
