"""Sessions without middleware: in jobs, admin pages, WebSockets and other gateways."""

from datetime import timedelta
from typing import Any

import pytest

from sessions import (
    AsyncSession,
    Session,
    SessionClosed,
    SessionExpired,
    SessionManager,
    SessionNotFound,
    SessionTooLarge,
    StoreUnavailable,
)
from sessions.testing import ManualClock
from sessions.transports.base import Headers
from sessions.wsgi import EnvironHead
from tests.sessions.conftest import SiteMaker
from tests.support.apps import Browser, Site, everything, writes
from tests.support.ids import an_id


@pytest.fixture
def manager(site: Site) -> SessionManager:
    """Return the manager of the site."""
    return site.manager


@pytest.fixture
def customer(browser: Browser) -> Browser:
    """Return a browser whose session holds a value, with the store's calls forgotten."""
    browser.visit(writes(a=1))
    browser.site.store_calls().clear()
    return browser


def open_with(manager: SessionManager, cookie: str = "") -> Session:
    """Open the session of a request with the cookie."""
    return manager.open(EnvironHead({"HTTP_COOKIE": cookie, "wsgi.url_scheme": "http"}))


def names(headers: Headers) -> list[str]:
    """Return the names of the headers."""
    return [name for name, _ in headers]


# open, close


def test_open_and_close_do_nothing(manager: SessionManager, customer: Browser) -> None:
    """An unused session costs no store call and no header."""
    session = open_with(manager, customer.cookie)

    assert manager.close(session) == []
    assert customer.site.store_calls() == []


def test_close_returns_the_headers(manager: SessionManager) -> None:
    """A first write has Vary, the cookie and no-store."""
    session = open_with(manager)
    session["a"] = 1

    headers = manager.close(session)

    assert names(headers) == ["Vary", "Set-Cookie", "Cache-Control"]


@pytest.mark.parametrize("failed", [False, True])
def test_close_is_idempotent(manager: SessionManager, customer: Browser, failed: bool) -> None:
    """The second call writes nothing and returns the same headers."""
    session = open_with(manager, customer.cookie)
    session.regenerate()
    session["b"] = 2
    first = manager.close(session, failed=failed)
    calls = [*customer.site.store_calls()]

    again = manager.close(session)

    assert again == first
    assert names(again).count("Set-Cookie") == (0 if failed else 1)
    assert customer.site.store_calls() == calls


def test_a_closed_session_is_closed(manager: SessionManager, customer: Browser) -> None:
    """A later write raises an error, so it is not lost in silence."""
    session = open_with(manager, customer.cookie)
    manager.close(session)

    for act in (writes(b=1), everything, Session.save, Session.destroy, Session.regenerate):
        with pytest.raises(SessionClosed):
            act(session)


def test_a_failed_close_can_be_closed_as_failed(manager: SessionManager, customer: Browser) -> None:
    """The headers tell only of what happened before the failure."""
    customer.site.store.broken = {"commit"}
    session = open_with(manager, customer.cookie)
    session["b"] = 2

    with pytest.raises(StoreUnavailable) as error:
        manager.close(session)

    assert (error.value.status, error.value.retry_after) == (503, 1)
    assert manager.close(session, failed=True) == [("Vary", "Cookie")]
    assert customer.holds() == {"a": 1}


def test_a_close_that_is_too_large_can_be_closed_as_failed(
    manager: SessionManager, customer: Browser
) -> None:
    """A new id that is already stored is still sent."""
    session = open_with(manager, customer.cookie)
    session.regenerate()
    session.save()
    session["b"] = "x" * 70_000

    with pytest.raises(SessionTooLarge):
        manager.close(session)

    assert names(manager.close(session, failed=True)) == ["Vary", "Set-Cookie", "Cache-Control"]
    assert manager.get(session.id)["a"] == 1


@pytest.mark.parametrize("opening", ["get", "from_cookie"])
def test_a_job_asks_a_failed_store_again(
    manager: SessionManager, customer: Browser, opening: str
) -> None:
    """A job has no time limit, because no client waits."""
    session_id = customer.visit(lambda session: session.id).value
    by_id = opening == "get"
    session = manager.get(session_id) if by_id else manager.from_cookie(customer.cookie)
    assert session is not None
    customer.site.store.broken = {"load"}
    with pytest.raises(StoreUnavailable):
        session.reload()
    customer.site.store.broken = set()

    session.reload()

    assert session["a"] == 1


def test_restored_changes_do_not_come_back_after_a_logout(
    manager: SessionManager, customer: Browser
) -> None:
    """The values belong to the ended session."""
    session = open_with(manager, customer.cookie)
    session["b"] = 2
    kept = manager.unsaved(session)
    session.destroy()

    manager.discard(session, keep=kept)

    assert dict(session) == {}


def test_restored_changes_replace_no_newer_value(
    manager: SessionManager, customer: Browser
) -> None:
    """A newer stored value stays."""
    session = open_with(manager, customer.cookie)
    session.update(b=2, c=2)
    kept = manager.unsaved(session)
    session["b"] = 3
    del session["c"]
    session.save()

    manager.discard(session, keep=kept)

    assert dict(session) == {"a": 1, "b": 3, "c": 2}


def test_the_size_of_an_ended_session_is_not_checked(
    manager: SessionManager, customer: Browser
) -> None:
    """The values are not stored, so their size does not matter."""
    session = open_with(manager, customer.cookie)
    manager.delete(session.id)
    with pytest.raises(SessionNotFound):
        session.increment("n")
    session["b"] = "x" * 70_000

    manager.check(session)

    assert manager.close(session) == [("Vary", "Cookie")]


def test_a_close_that_is_too_large_changes_no_id(
    manager: SessionManager, customer: Browser
) -> None:
    """The new id and the data are one commit, so neither is stored."""
    session = open_with(manager, customer.cookie)
    session.regenerate()
    session["b"] = "x" * 70_000

    with pytest.raises(SessionTooLarge):
        manager.close(session)

    assert manager.close(session, failed=True) == [("Vary", "Cookie")]
    assert customer.holds() == {"a": 1}


@pytest.mark.parametrize("name", ["rolling", "save_uninitialized"])
def test_opens_every_request_depends_on_the_settings(make_site: SiteMaker, name: str) -> None:
    """This is so if a setting renews or creates a session with each response."""
    assert make_site(**{name: True}).manager.opens_every_request is True
    assert make_site(resave=True).manager.opens_every_request is False


# create, get, delete


def test_create_stores_a_session(manager: SessionManager) -> None:
    """The session exists at once, under its id."""
    session = manager.create({"a": [1]})
    session["a"].append(2)
    manager.close(session)

    assert dict(manager.get(session.id)) == {"a": [1, 2]}


@pytest.mark.parametrize("data", [None, {}], ids=repr)
def test_create_stores_an_empty_session_too(manager: SessionManager, data: Any) -> None:
    """create() without values still makes a record."""
    session = manager.create(data)

    assert dict(manager.get(session.id)) == {}


def test_get_finds_a_visitors_session(manager: SessionManager, customer: Browser) -> None:
    """After close(), the visitor sees the changes; no header is made."""
    session = manager.get(customer.visit(lambda session: session.id).value)
    session["by"] = "admin"

    assert manager.close(session) == []
    assert customer.holds() == {"a": 1, "by": "admin"}


def test_a_session_of_a_job_is_saved_only_by_close(
    manager: SessionManager, customer: Browser
) -> None:
    """Only close() saves the changes of a job."""
    manager.get(customer.visit(lambda session: session.id).value)["by"] = "admin"

    assert customer.holds() == {"a": 1}


def test_get_of_an_unknown_id_raises_an_error(manager: SessionManager) -> None:
    """get() raises SessionNotFound, and makes no record."""
    with pytest.raises(SessionNotFound) as error:
        manager.get(an_id())

    assert type(error.value) is SessionNotFound


def test_get_of_an_expired_session_raises_an_error(
    make_site: SiteMaker, customer: Browser, clock: ManualClock
) -> None:
    """get() raises SessionExpired if the store still has the record."""
    session_id = customer.visit(lambda session: session.id).value
    stricter = make_site(idle_timeout=timedelta(hours=1)).manager
    clock.advance(timedelta(hours=1))

    with pytest.raises(SessionExpired, match="has expired"):
        stricter.get(session_id)


def test_delete_ends_a_visitors_session(manager: SessionManager, customer: Browser) -> None:
    """The session ends at once, and a second call returns False."""
    session_id = customer.visit(lambda session: session.id).value

    assert [manager.delete(session_id), manager.delete(session_id)] == [True, False]
    assert customer.holds() == {}


@pytest.mark.parametrize("act", [Session.regenerate, Session.destroy, Session.save])
def test_a_job_can_do_what_a_handler_can(manager: SessionManager, act: Any) -> None:
    """All verbs work without a browser."""
    session = manager.create({"a": 1})
    before = session.id
    act(session)
    manager.close(session)

    if act is Session.save:
        assert manager.get(before)["a"] == 1
    else:
        with pytest.raises(SessionNotFound):
            manager.get(before)


def test_a_failing_store_fails_the_job(manager: SessionManager, customer: Browser) -> None:
    """Every method of the manager raises StoreUnavailable."""
    session_id = customer.visit(lambda session: session.id).value
    customer.site.store.broken = {"load", "create", "delete", "purge"}

    for call in (
        lambda: manager.get(session_id),
        lambda: manager.create({}),
        lambda: manager.delete(session_id),
        lambda: manager.purge(),
    ):
        with pytest.raises(StoreUnavailable):
            call()


# The rest


def test_purge_removes_expired_sessions(
    manager: SessionManager, customer: Browser, clock: ManualClock
) -> None:
    """purge() returns the number; a record stays for a minute, because clocks differ."""
    clock.advance(86_400 + 60)
    assert manager.purge() == 0
    clock.advance(1)

    assert [manager.purge(), manager.purge()] == [1, 0]


@pytest.mark.parametrize("kind", [Session, AsyncSession])
def test_a_session_is_opened_by_a_manager(kind: type[Session] | type[AsyncSession]) -> None:
    """Only a manager can make a session."""
    with pytest.raises(TypeError, match="use manager"):
        kind()


def test_a_custom_session_class_is_used(make_site: SiteMaker) -> None:
    """Requests and jobs get sessions of this class."""

    class Shop(Session):
        """Have a cart."""

        @property
        def cart(self) -> list[str]:
            """Return the cart."""
            cart: list[str] = self.setdefault("cart", [])
            return cart

    site = make_site(session_class=Shop)
    browser = site.browser()
    browser.visit(lambda session: session.cart.append("tea"))  # type: ignore[attr-defined]

    assert browser.holds() == {"cart": ["tea"]}
    assert type(site.manager.create()) is Shop
