"""Sign-ins that take minutes, that come at one moment, or that end in a crash."""

import pytest

from sessions import Ended, MemoryStore, Record, SessionContainer, SessionManager, Store
from sessions.core.ids import hash_of
from sessions.core.user_limits import LONGEST_WAIT
from sessions.core.values import WAITING
from sessions.errors import UnreadableValue
from sessions.stores.user_index import hash_of_user
from sessions.testing import ManualClock, a_record
from sessions.users import SessionLimit
from tests.sessions.conftest import SiteMaker
from tests.support.apps import KEY, Site
from tests.support.users import signs_in, who
from tests.support.watched import WatchedIndex, WatchedStore


@pytest.fixture
def watched(store: Store) -> WatchedStore:
    """Return a store with an index, with its calls counted."""
    return WatchedIndex(store)


def test_a_late_creation_is_in_the_index(site: Site, clock: ManualClock) -> None:
    """Somebody who lists the sessions in the meantime removes the first entry, as a dead one."""
    manager = site.manager

    def takes_long() -> None:
        clock.advance(3600)
        assert manager.sessions_of("ada") == []

    site.store.before["create"] = takes_long
    site.visit(signs_in())

    assert len(manager.sessions_of("ada")) == 1
    assert manager.end_sessions_of("ada") == 1


def test_sign_ins_at_one_moment_end_in_their_order(make_site: SiteMaker) -> None:
    """The clock stands still, and the latest sign-in always stays."""
    site = make_site(sessions_per_user=SessionLimit(3))
    browsers = [site.browser() for _ in range(20)]
    for number, browser in enumerate(browsers):
        browser.visit(signs_in())
        latest = [one.visit(who).value[0] for one in browsers[max(0, number - 3) : number + 1]]
        assert latest[-3:] == ["ada"] * len(latest[-3:])


def test_a_crash_blocks_a_place_for_two_minutes_also_where_others_wait(
    make_site: SiteMaker, clock: ManualClock
) -> None:
    """The sign-ins of others keep the queue, but not the entry of the crashed one."""
    site = make_site(sessions_per_user=SessionLimit(1, "refuse"))

    def crashes() -> int:
        site.store.broken = {"add_to_user"}
        status = site.browser().visit(signs_in()).status
        site.store.broken = set()
        return status

    assert crashes() == 503
    clock.advance(LONGEST_WAIT - 1)
    assert site.browser().visit(signs_in()).status == 409
    clock.advance(1)

    assert site.browser().visit(signs_in()).status == 200


def test_a_queue_that_cannot_be_read_is_replaced(clock: ManualClock) -> None:
    """A damaged record of the queue stops no sign-in."""
    damaged: set[str] = set()

    class Damaged(MemoryStore):
        def load(self, key: str) -> Record | Ended | None:
            if key in damaged:
                raise UnreadableValue("a damaged record")
            return super().load(key)

        def delete(self, key: str, *, user_id: str | None = None) -> bool:
            damaged.discard(key)
            return super().delete(key, user_id=user_id)

    store = Damaged(clock=clock)
    container = SessionContainer(
        keys=[KEY], store=store, clock=clock, sessions_per_user=SessionLimit(1, "refuse")
    )
    key = hash_of(f"sign-ins:{hash_of_user('ada')}")
    damaged.add(key)
    store.create(key, a_record(clock, {WAITING: b"damaged"}))
    with SessionManager(container).create() as session:
        session.set_user("ada")

    assert session.user_id == "ada"
    assert damaged == set()
