"""A login that saves its session, while later logins of the user end the session at once."""

from typing import Any

import pytest

from sessions import Session, SessionNotFound, Store
from sessions.testing import ManualClock, in_parallel
from sessions.users import SessionLimit
from tests.sessions.conftest import SiteMaker
from tests.support.apps import Site, in_turn, writes
from tests.support.users import signs_in, who
from tests.support.watched import WatchedIndex, WatchedStore

PARALLEL = 50
MOST = 3


@pytest.fixture
def watched(store: Store) -> WatchedStore:
    """Return a store with an index of users."""
    return WatchedIndex(store)


@pytest.fixture
def ending(make_site: SiteMaker) -> Site:
    """Return a site that ends the oldest session of a user who has too many."""
    return make_site(sessions_per_user=SessionLimit(MOST))


def sign_in_often(site: Site, clock: ManualClock) -> None:
    """Sign the user in as often as the limit allows."""
    for _ in range(MOST):
        clock.advance(1)
        assert site.browser().visit(signs_in()).status == 200


@pytest.mark.parametrize("first", [None, writes(cart="tea")], ids=["new", "stored"])
def test_a_saved_sign_in_succeeds_also_if_later_ones_end_it_at_once(
    ending: Site, clock: ManualClock, first: Any
) -> None:
    """The session is then like any other that has ended: only a later save() says so."""
    late = ending.browser()
    if first is not None:
        late.visit(first)
    ending.store.before["keys_of_user"] = lambda: ending.store.before.update(
        keys_of_user=lambda: sign_in_often(ending, clock)
    )

    def log_in(session: Session) -> list[Any]:
        session.set_user("ada")
        session.save()
        headers: list[tuple[str, str]] = []
        session.add_cookie(headers)
        seen = [session.gone, session.user_id, headers]
        session["page"] = 1
        with pytest.raises(SessionNotFound):
            session.save()
        return seen

    answer = late.visit(log_in)

    assert (answer.status, answer.value) == (200, [True, "ada", [("Vary", "Cookie")]])
    assert answer.set_cookies == []
    assert late.visit(who).value[0] is None
    assert len(ending.manager.sessions_of("ada")) == MOST


def test_parallel_sign_ins_that_are_saved_all_succeed(ending: Site) -> None:
    """Also those whose session does not stay."""
    browsers = [ending.browser() for _ in range(PARALLEL)]
    answers = in_parallel(
        PARALLEL, lambda n: browsers[n].visit(in_turn(signs_in(), Session.save)).status
    )

    assert answers == [200] * PARALLEL
    assert len(ending.manager.sessions_of("ada")) == MOST
