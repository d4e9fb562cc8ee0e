"""Sign-ins that take minutes, that come at one moment, or that end in a crash."""

import pytest

from sessions import Store
from sessions.core.user_limits import LONGEST_WAIT
from sessions.testing import ManualClock
from sessions.users import SessionLimit
from tests.sessions.conftest import SiteMaker
from tests.support.apps import Site
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
