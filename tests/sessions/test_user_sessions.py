"""The sessions of a user: listed, and ended all together or all but one."""

from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest

from sessions import (
    Session,
    SessionContainer,
    SessionError,
    SessionManager,
    SessionNotFound,
    SQLiteStore,
    Store,
)
from sessions.testing import ManualClock
from tests.support.apps import KEY, Browser, Site, everything, in_turn, writes
from tests.support.users import signs_in, who
from tests.support.watched import WatchedIndex, WatchedStore

NOBODY: tuple[None, dict[str, object]] = (None, {})


@pytest.fixture
def watched(store: Store) -> WatchedStore:
    """Return a store with an index, with its calls counted."""
    return WatchedIndex(store)


@pytest.fixture
def manager(site: Site) -> SessionManager:
    """Return the manager of the site."""
    return site.manager


@pytest.fixture
def sign_in(site: Site, clock: ManualClock) -> Callable[..., Browser]:
    """Return a function that signs a user in with a new browser, one second after the last."""

    def make(user_id: str = "ada") -> Browser:
        clock.advance(1)
        browser = site.browser()
        browser.visit(signs_in(user_id))
        return browser

    return make


def handle_of(browser: Browser) -> str:
    """Return the handle of a browser's session."""
    handle: str = browser.visit(lambda session: session.handle).value
    return handle


def handles(manager: SessionManager, user_id: str = "ada") -> list[str]:
    """Return the handles of the sessions of a user."""
    return [info.handle for info in manager.sessions_of(user_id)]


def manager_over(path: Path) -> SessionManager:
    """Return a manager of the sessions in a file."""
    return SessionManager(SessionContainer(keys=[KEY], store=SQLiteStore(path)))


def end_elsewhere(path: Path, keep: str) -> int | None:
    """End all sessions of ada but one, as a process of its own does."""
    return manager_over(path).end_sessions_of("ada", keep=keep)


class TestLists:
    """`sessions_of` shows exactly the live sessions of the user."""

    def test_the_latest_sign_in_comes_first(
        self, manager: SessionManager, sign_in: Callable[..., Browser]
    ) -> None:
        """The order does not depend on the last use."""
        browsers = [sign_in(), sign_in(), sign_in()]
        sign_in("bob")
        browsers[0].visit(writes(a=1))

        assert handles(manager) == [handle_of(browser) for browser in reversed(browsers)]

    def test_a_listed_session_has_its_times_and_handle(
        self, manager: SessionManager, sign_in: Callable[..., Browser], clock: ManualClock
    ) -> None:
        """The times are aware datetimes, equal to those of the session."""
        browser = sign_in()
        signed_in = clock()
        clock.advance(600)
        browser.visit(writes(a=1))

        (info,) = manager.sessions_of("ada")
        assert info.created_at == datetime.fromtimestamp(signed_in, UTC)
        assert info.last_access == datetime.fromtimestamp(clock(), UTC)
        assert info.expires_at == info.last_access + timedelta(hours=24)
        with pytest.raises(AttributeError):
            info.handle = "another"  # type: ignore[misc]

    @pytest.mark.parametrize(
        "leaves",
        [
            signs_in("bob"),
            Session.clear_user,
            Session.destroy,
            in_turn(Session.destroy, signs_in("bob")),
        ],
        ids=["signs in as another", "signs out", "logs out", "logs out and signs in"],
    )
    def test_a_signed_out_session_is_not_listed(
        self, manager: SessionManager, sign_in: Callable[..., Browser], leaves: Any
    ) -> None:
        """Other sessions of the user are still listed."""
        browser, other = sign_in(), sign_in()
        browser.visit(leaves)

        assert handles(manager) == [handle_of(other)]

    @pytest.mark.parametrize(
        "stays", [Session.regenerate, signs_in("ada"), writes(a=1), Session.clear]
    )
    def test_a_session_with_earlier_ids_is_listed_once(
        self, manager: SessionManager, sign_in: Callable[..., Browser], stays: Any
    ) -> None:
        """Its handle is the same for its whole life."""
        browser = sign_in()
        before = handle_of(browser)
        for _ in range(3):
            browser.visit(stays)

        assert handles(manager) == [before] == [handle_of(browser)]

    def test_an_expired_session_is_not_listed(
        self, manager: SessionManager, sign_in: Callable[..., Browser], clock: ManualClock
    ) -> None:
        """After all sessions have expired, the index is empty."""
        sign_in()
        clock.advance(3600)
        later = sign_in()
        clock.advance(24 * 3600 - 1)
        assert handles(manager) == [handle_of(later)]
        clock.advance(14 * 24 * 3600)
        assert handles(manager) == []

        assert manager._store is not None
        assert WatchedIndex.keys_of_user(manager._store, "ada") == {}  # type: ignore[arg-type]

    def test_a_session_that_lives_to_its_absolute_end_is_listed(
        self, manager: SessionManager, sign_in: Callable[..., Browser], clock: ManualClock
    ) -> None:
        """The session is used every hour for two weeks, while others list and purge."""
        browser = sign_in()
        handle = handle_of(browser)
        for _ in range(14 * 24 - 1):
            clock.advance(3600)
            browser.visit(everything)
            manager.purge()
            assert handles(manager) == [handle]
        clock.advance(3600 + 1)

        assert handles(manager) == []

    def test_changed_timeouts_apply_to_listed_sessions(
        self, watched: WatchedStore, sign_in: Callable[..., Browser], clock: ManualClock
    ) -> None:
        """A shorter timeout counts for older sessions, too."""
        sign_in()
        clock.advance(601)
        idle = timedelta(minutes=10)
        shorter = SessionContainer(keys=[KEY], store=watched, clock=clock, idle_timeout=idle)

        assert SessionManager(shorter).sessions_of("ada") == []

    def test_unknown_users_have_no_sessions(self, manager: SessionManager) -> None:
        """The list is empty, and to end the sessions returns 0."""
        assert (manager.sessions_of("ada"), manager.end_sessions_of("ada")) == ([], 0)


class TestEnds:
    """`end_sessions_of` ends all sessions of the user, and no other session."""

    def test_all_sessions_of_a_user_are_ended(
        self, manager: SessionManager, sign_in: Callable[..., Browser]
    ) -> None:
        """The sessions have ended at the next request; the sessions of others live."""
        browsers, bobs = [sign_in() for _ in range(3)], sign_in("bob")

        assert manager.end_sessions_of("ada") == 3
        assert [browser.visit(who).value for browser in browsers] == [NOBODY] * 3
        assert bobs.visit(who).value == ("bob", {})
        assert (handles(manager), manager.end_sessions_of("ada")) == ([], 0)

    @pytest.mark.parametrize("by", ["session", "handle"])
    def test_all_other_sessions_of_a_user_are_ended(
        self, manager: SessionManager, sign_in: Callable[..., Browser], by: str
    ) -> None:
        """The session of the request stays, even if it has a new id meanwhile."""
        browsers, current = [sign_in(), sign_in()], sign_in()

        def handler(session: Session) -> int | None:
            keep = session if by == "session" else session.handle
            session.regenerate()
            session["seen"] = True
            return manager.end_sessions_of("ada", keep=keep)

        assert current.visit(handler).value == 2
        assert current.holds() == {"seen": True}
        assert current.visit(who).value == ("ada", {})
        assert [browser.visit(who).value for browser in browsers] == [NOBODY] * 2

    def test_a_sign_in_that_ends_all_others(
        self, manager: SessionManager, sign_in: Callable[..., Browser], site: Site
    ) -> None:
        """A new session can be kept before it is stored."""
        others, current = [sign_in(), sign_in()], site.browser()

        def handler(session: Session) -> None:
            session.set_user("ada")
            manager.end_sessions_of("ada", keep=session)

        current.visit(handler)

        assert current.visit(who).value == ("ada", {})
        assert [browser.visit(who).value for browser in others] == [NOBODY] * 2

    def test_no_earlier_id_reaches_an_ended_session(
        self, manager: SessionManager, sign_in: Callable[..., Browser], site: Site
    ) -> None:
        """Earlier ids have no session either, and bring nothing back."""
        browser = sign_in()
        cookies = [browser.cookie]
        for _ in range(3):
            browser.visit(Session.regenerate)
            cookies.append(browser.cookie)
        manager.end_sessions_of("ada")

        assert [site.visit(who, cookie).value for cookie in cookies] == [NOBODY] * 4
        assert handles(manager) == []

    @pytest.mark.parametrize("before", ["keys_of_user", "delete"])
    def test_a_session_of_another_user_by_then_stays(
        self, manager: SessionManager, sign_in: Callable[..., Browser], site: Site, before: str
    ) -> None:
        """Bob signs in with ada's browser while her sessions are ended."""
        shared = sign_in()
        site.store.before[before] = lambda: shared.visit(signs_in("bob"))

        assert manager.end_sessions_of("ada") == 0
        assert shared.visit(who).value == ("bob", {})

    @pytest.mark.parametrize("call", ["add_to_user", "commit"])
    def test_a_login_at_the_same_time_survives(
        self, manager: SessionManager, sign_in: Callable[..., Browser], site: Site, call: str
    ) -> None:
        """All older sessions are ended during the login."""
        older, visitor = [sign_in(), sign_in()], site.browser()
        visitor.visit(writes(a=1))
        site.store.before[call] = lambda: manager.end_sessions_of("ada")
        visitor.visit(signs_in("ada"))

        assert visitor.visit(who).value == ("ada", {})
        assert handles(manager) == [handle_of(visitor)]
        assert [browser.visit(who).value for browser in older] == [NOBODY] * 2

    def test_a_login_while_they_are_ended_survives(
        self, manager: SessionManager, sign_in: Callable[..., Browser], site: Site
    ) -> None:
        """The whole login happens between two steps of the manager."""
        older, visitor = sign_in(), site.browser()
        site.store.before["delete"] = lambda: visitor.visit(signs_in("ada"))

        assert manager.end_sessions_of("ada") == 1
        assert visitor.visit(who).value == ("ada", {})
        assert older.visit(who).value == NOBODY

    def test_each_ended_session_has_an_event(
        self, manager: SessionManager, sign_in: Callable[..., Browser], site: Site
    ) -> None:
        """There is one event for each ended session, even if the store fails in the middle."""
        for _ in range(3):
            sign_in()
        site.events.clear()

        def break_next() -> None:
            site.store.before["delete"] = lambda: site.store.broken.add("delete")

        site.store.before["delete"] = break_next
        with pytest.raises(SessionError):
            manager.end_sessions_of("ada")
        site.store.broken.clear()

        assert site.told == ["destroyed", "store_failed"]
        assert manager.end_sessions_of("ada") == 2
        assert site.told.count("destroyed") == 3

    def test_in_every_process(self, tmp_path: Path) -> None:
        """Another store with the same file finds the sessions and ends them."""
        path = tmp_path / "shared.db"
        here = manager_over(path)
        with here.create({"a": 1}) as session:
            session.set_user("ada")
        with here.create() as kept:
            kept.set_user("ada")

        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as elsewhere:
            ended = elsewhere.submit(end_elsewhere, path, kept.handle).result(60)

        assert ended == 1
        assert [info.handle for info in here.sessions_of("ada")] == [kept.handle]
        with pytest.raises(SessionNotFound):
            here.get(session.id)


class TestSignIns:
    """A sign-in enters the index before its answer leaves."""

    def test_a_sign_in_makes_one_more_call_for_the_index(
        self, site: Site, browser: Browser, sign_in: Callable[..., Browser]
    ) -> None:
        """A sign-in makes one additional call, and other requests do not use the index."""
        browser.visit(writes(a=1))
        site.store.calls.clear()
        browser.visit(signs_in())
        assert site.store.calls == ["load", "add_to_user", "commit"]
        site.store.calls.clear()
        for handler in (everything, writes(b=2), Session.regenerate, Session.clear_user):
            browser.visit(handler)
        browser.visit(Session.destroy)
        assert "user" not in "".join(site.store.calls)
        site.store.calls.clear()
        sign_in()

        assert site.store.calls == ["add_to_user", "create"]

    def test_a_sign_in_with_a_failing_index_is_a_503(
        self, site: Site, browser: Browser, manager: SessionManager
    ) -> None:
        """The session is as it was, and keeps its id."""
        browser.visit(writes(a=1))
        site.store.broken = {"add_to_user"}

        answer = browser.visit(signs_in())
        assert (answer.status, answer.set_cookies) == (503, [])
        site.store.broken = set()
        assert browser.visit(who).value == NOBODY
        assert browser.holds() == {"a": 1}
        assert handles(manager) == []

    def test_a_failing_commit_leaves_an_entry_and_no_session(
        self, site: Site, browser: Browser, manager: SessionManager
    ) -> None:
        """An entry without a record does no harm, because the record decides."""
        browser.visit(writes(a=1))
        site.store.broken = {"commit"}
        browser.visit(signs_in())
        site.store.broken = set()

        assert (handles(manager), manager.end_sessions_of("ada")) == ([], 0)
        assert browser.holds() == {"a": 1}

    def test_a_store_without_an_index_serves_sign_ins(self, store: Store) -> None:
        """Only the list raises an error, which says what is missing."""
        plain = SessionManager(SessionContainer(keys=[KEY], store=WatchedStore(store)))
        with plain.create() as session:
            session.set_user("ada")

        for call in (plain.sessions_of, plain.end_sessions_of):
            with pytest.raises(
                SessionError, match=r"does not know which sessions a user has\. Fix"
            ):
                call("ada")

    @pytest.mark.parametrize("user_id", ["", None, 7, b"ada"])
    def test_an_id_that_nobody_can_have_is_refused(
        self, manager: SessionManager, user_id: Any
    ) -> None:
        """An empty list would hide the mistake."""
        for call in (manager.sessions_of, manager.end_sessions_of):
            with pytest.raises(TypeError, match=r"needs the user's id as a (str|text).* Fix: "):
                call(user_id)

    @pytest.mark.parametrize("keep", [7, ["handle"], b"handle"])
    def test_a_wrong_value_of_keep_is_refused(self, manager: SessionManager, keep: Any) -> None:
        """A wrong value would end the session that was to stay."""
        with pytest.raises(TypeError, match=r"is not a session\. Fix: "):
            manager.end_sessions_of("ada", keep)


def test_encrypted_sessions_are_listed_and_ended() -> None:
    """The user and the times of a record are not encrypted."""
    manager = SessionManager(SessionContainer(keys=[KEY], encryption_keys=["e" + KEY]))
    with manager.create() as session:
        session.set_user("ada")

    assert handles(manager) == [session.handle]
    assert (manager.end_sessions_of("ada"), handles(manager)) == (1, [])
