"""Sessions from a manager: a `with` block closes them, or a warning says that nobody did."""

import gc
import warnings
from collections.abc import Callable

import pytest

from sessions import (
    AsyncSessionManager,
    Session,
    SessionClosed,
    SessionExpired,
    SessionManager,
    SessionNotFound,
    StoreUnavailable,
)
from tests.support.apps import Browser, Site, writes
from tests.support.loops import a_cookie, a_head, on_a_loop, opened
from tests.support.suspending_store import SuspendingStore
from tests.support.watched import WatchedStore

THROWN_AWAY = "was never closed, so its changes are lost"

Giver = Callable[[SessionManager, str], Session]

GIVERS: dict[str, Giver] = {
    "get": lambda manager, session_id: manager.get(session_id),
    "from_cookie": lambda manager, session_id: _found(
        manager.from_cookie(f"session={manager.token(manager.get(session_id))}")
    ),
    "from_token": lambda manager, session_id: _found(
        manager.from_token(manager.token(manager.get(session_id)))
    ),
}


def _found(session: Session | None) -> Session:
    assert session is not None
    return session


@pytest.fixture
def manager(site: Site) -> SessionManager:
    """Return the manager of the site."""
    return site.manager


@pytest.fixture
def session_id(manager: SessionManager) -> str:
    """Return the id of a stored session."""
    session = manager.create({"a": 1})
    manager.close(session)
    return session.id


# In a `with`


@pytest.mark.parametrize("give", GIVERS.values(), ids=GIVERS)
def test_the_end_of_the_block_saves(manager: SessionManager, session_id: str, give: Giver) -> None:
    """The end also closes the session, so a later write raises an error."""
    with give(manager, session_id) as session:
        session["b"] = 2

    assert dict(manager.get(session_id)) == {"a": 1, "b": 2}
    with pytest.raises(SessionClosed):
        session["c"] = 3


def test_a_created_session_can_be_changed_in_a_with_block(manager: SessionManager) -> None:
    """create() stores the session, and the end of the block saves the changes."""
    with manager.create({"a": 1}) as session:
        inside = dict(manager.get(session.id))
        session["b"] = 2

    assert inside == {"a": 1}
    assert dict(manager.get(session.id)) == {"a": 1, "b": 2}


def test_a_block_without_a_change_writes_nothing(
    manager: SessionManager, session_id: str, watched: WatchedStore
) -> None:
    """The block only reads the session."""
    watched.calls.clear()
    with manager.get(session_id) as session:
        assert session["a"] == 1

    assert watched.calls == ["load"]


def test_an_exception_discards(manager: SessionManager, session_id: str) -> None:
    """Changes are dropped as in a failed request, and the exception goes on."""

    def fail() -> None:
        with manager.get(session_id) as session:
            session["a"] = 2
            session.regenerate()
            raise LookupError("a bug")

    with pytest.raises(LookupError, match="a bug"):
        fail()
    assert dict(manager.get(session_id)) == {"a": 1}


def test_an_exception_after_destroy_ends_the_session(
    manager: SessionManager, session_id: str
) -> None:
    """The exception does not undo the logout."""

    def fail() -> None:
        with manager.get(session_id) as session:
            session.destroy()
            raise LookupError

    with pytest.raises(LookupError):
        fail()
    with pytest.raises(SessionNotFound):
        manager.get(session_id)


def test_a_block_that_cannot_be_saved_says_so(
    manager: SessionManager, session_id: str, watched: WatchedStore
) -> None:
    """The end of the block raises the error of the store."""
    watched.broken = {"commit"}

    with pytest.raises(StoreUnavailable), manager.get(session_id) as session:
        session["a"] = 2


def test_a_block_of_a_request_closes_it_too(manager: SessionManager, customer: Browser) -> None:
    """A small middleware can use the block; `close` then returns the headers."""
    with manager.open(a_head(customer.cookie)) as session:
        session["b"] = 2

    assert session.closed
    assert manager.close(session) == [("Vary", "Cookie")]
    assert customer.holds() == {"a": 1, "b": 2}


@pytest.fixture
def customer(browser: Browser) -> Browser:
    """Return a browser whose session holds a value."""
    browser.visit(writes(a=1))
    return browser


# Thrown away


def throw_away(act: Callable[[], object]) -> None:
    """Call a function, and drop its result."""
    act()
    gc.collect()


@pytest.mark.parametrize("give", GIVERS.values(), ids=GIVERS)
def test_an_unsaved_change_causes_a_warning(
    manager: SessionManager, session_id: str, give: Giver
) -> None:
    """The change is lost, and the warning says what to do."""
    with pytest.warns(ResourceWarning, match=rf"{THROWN_AWAY}. Fix: use it in a `with`, or call"):
        throw_away(lambda: give(manager, session_id).update(a=2))

    assert dict(manager.get(session_id)) == {"a": 1}


@pytest.mark.parametrize(
    "act",
    [
        lambda session: session.destroy(),
        lambda session: session.regenerate(),
        lambda session: session.set_user("ada"),
        lambda session: session.clear(),
    ],
    ids=["destroy", "regenerate", "set_user", "clear"],
)
def test_an_unsaved_call_of_every_verb_causes_a_warning(
    manager: SessionManager, session_id: str, act: Callable[[Session], None]
) -> None:
    """The warning comes for each unsaved verb, and not only for values."""
    with pytest.warns(ResourceWarning, match=THROWN_AWAY):
        throw_away(lambda: act(manager.get(session_id)))


def test_an_unsaved_change_after_create_causes_a_warning(manager: SessionManager) -> None:
    """The values of create() are stored, and the later change is lost."""
    with pytest.warns(ResourceWarning, match=THROWN_AWAY):
        throw_away(lambda: manager.create({"a": 1}).update(b=2))


def test_a_session_that_was_only_read_may_be_thrown_away(
    manager: SessionManager, session_id: str
) -> None:
    """No change is lost, so there is no warning."""
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        throw_away(lambda: dict(manager.get(session_id)))
        throw_away(lambda: manager.create({"a": 1}))
        throw_away(lambda: manager.from_cookie(None))
        throw_away(lambda: _write(manager.get(session_id), Session.save))
        throw_away(lambda: _write(manager.get(session_id), manager.close))
        throw_away(lambda: _write(manager.get(session_id), manager.abandon))

    assert [f"{warning.message}" for warning in told] == []


def _write(session: Session, end: Callable[[Session], object]) -> None:
    session["b"] = 2
    end(session)


def test_a_session_that_a_request_forgot_is_its_edges_concern(
    manager: SessionManager, customer: Browser
) -> None:
    """The middleware closes what it opened, so there is no warning."""
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        throw_away(lambda: manager.open(a_head(customer.cookie)).update(b=2))

    assert [warning for warning in told if warning.category is ResourceWarning] == []


@on_a_loop
async def test_an_unsaved_change_of_an_asynchronous_session_causes_a_warning(
    async_manager: AsyncSessionManager,
) -> None:
    """An asynchronous session causes the same warning."""
    session = await opened(async_manager, await a_cookie(async_manager, a=1))
    given = [await async_manager.get(session.id)]
    given[0]["a"] = 2

    with pytest.warns(ResourceWarning, match=THROWN_AWAY):
        throw_away(given.clear)


# What fails


def test_a_session_that_could_not_be_created_causes_no_warning(
    manager: SessionManager, watched: WatchedStore
) -> None:
    """The caller never had the session, so there is no warning."""
    watched.broken = {"create"}

    def fail() -> None:
        with pytest.raises(StoreUnavailable):
            manager.create({"a": 1})

    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        throw_away(fail)

    assert [f"{warning.message}" for warning in told] == []


@on_a_loop
async def test_an_asynchronous_session_that_could_not_be_created_causes_no_warning(
    slow_manager: AsyncSessionManager, suspending: SuspendingStore
) -> None:
    """An asynchronous session causes no warning either."""
    suspending.broken = {"create"}

    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        with pytest.raises(StoreUnavailable):
            await slow_manager.create({"a": 1})
        gc.collect()

    assert [f"{warning.message}" for warning in told] == []


def test_a_second_delete_drops_later_changes(
    manager: SessionManager, watched: WatchedStore
) -> None:
    """Nothing is stored after it, although there was no session left to end."""
    session = manager.create({"a": 1})
    session.delete()
    session["b"] = 2
    watched.calls.clear()

    assert session.delete() is False
    manager.close(session)
    assert (dict(session), watched.calls) == ({}, [])


def test_an_earlier_id_is_not_found(manager: SessionManager, session_id: str) -> None:
    """The error does not say that the session expired or is damaged."""
    with manager.get(session_id) as session:
        session.regenerate()

    with pytest.raises(SessionNotFound) as caught:
        manager.get(session_id)
    assert not isinstance(caught.value, SessionExpired)


def test_abandon_logs_any_error_of_the_store(
    manager: SessionManager, customer: Browser, caplog: pytest.LogCaptureFixture
) -> None:
    """The request has failed, and its own error must reach the user."""

    def fails() -> None:
        raise RuntimeError("a bug of the driver")

    session = manager.open(a_head(customer.cookie))
    session.destroy()
    customer.site.store.before["delete"] = fails

    manager.abandon(session)

    assert "a bug of the driver" in caplog.text
