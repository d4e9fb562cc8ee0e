"""Logout, new ids and sign-ins over ASGI, on every kind of store."""

import pytest

from sessions import AsyncSession
from sessions.asgi import Receive, Scope, Send, SessionMiddleware
from tests.sessions.asgi.server import Exchange, request_scope
from tests.sessions.asgi.site import (
    AsgiBrowser,
    AsgiSite,
    SiteMaker,
    destroys,
    renews,
    sets,
    signs_in,
)


@pytest.fixture(params=["eager", "on_demand"])
def site(make_site: SiteMaker, request: pytest.FixtureRequest) -> AsgiSite:
    """Return a site with the default settings, with each way of loading in turn."""
    return make_site(load=request.param)


def test_logout_ends_the_session_and_clears_the_cookie(customer: AsgiBrowser) -> None:
    """Afterwards, the old cookie has no session."""
    old = customer.copy()

    answer = customer.visit(destroys)

    assert answer.clears
    assert old.holds() == {}


@pytest.mark.parametrize("status", [200, 404, 500])
def test_logout_is_done_for_any_answer(customer: AsgiBrowser, status: int) -> None:
    """No status undoes a logout."""
    old = customer.copy()

    customer.visit(destroys, status=status)

    assert old.holds() == {}


def test_logout_is_done_even_if_the_request_fails(customer: AsgiBrowser) -> None:
    """The session ends, although the server's error page cannot clear the cookie."""

    async def fails(session: AsyncSession) -> None:
        session.destroy()
        raise LookupError("of the application")

    with pytest.raises(LookupError):
        customer.visit(fails)

    assert customer.holds() == {}


def test_logout_is_done_even_if_the_application_answers_nothing(customer: AsgiBrowser) -> None:
    """An application may return without an answer when its client has left."""
    site, exchange = customer.site, Exchange()

    async def gives_up(scope: Scope, receive: Receive, send: Send) -> None:
        scope["session"].destroy()

    app = SessionMiddleware(gives_up, site.container)
    site.run(app(request_scope(customer.cookie), exchange.receive, exchange.send))

    assert exchange.sent == []
    assert customer.holds() == {}


def test_a_session_after_logout_is_a_fresh_one(customer: AsgiBrowser) -> None:
    """A write after destroy() begins a new session."""
    old = customer.copy()

    async def again(session: AsyncSession) -> None:
        session.destroy()
        session["b"] = 2

    customer.visit(again)

    assert customer.holds() == {"b": 2}
    assert old.holds() == {}


def test_a_regenerated_session_has_a_new_id_and_its_data(customer: AsgiBrowser) -> None:
    """The old id has no session any more."""
    old = customer.copy()

    answer = customer.visit(renews)

    assert answer.value in answer.cookie
    assert customer.holds() == {"a": 1}
    assert old.holds() == {}


def test_a_failure_discards_a_new_id(customer: AsgiBrowser) -> None:
    """After a failure, the client keeps the id that it had."""
    answer = customer.visit(renews, status=500)

    assert answer.set_cookies == []
    assert customer.holds() == {"a": 1}


def test_a_sign_in_is_one_load_and_one_commit(customer: AsgiBrowser) -> None:
    """The session then has a new id and a user."""
    old = customer.cookie

    answer = customer.visit(signs_in)

    assert customer.site.store.calls == ["load", "commit"]
    assert answer.cookie != old


def test_an_ended_id_is_not_used_again(customer: AsgiBrowser) -> None:
    """A write with an ended id is dropped, and an event says so."""
    old = customer.copy()
    customer.visit(destroys)
    customer.site.events.clear()

    answer = old.visit(sets(b=2))

    assert answer.set_cookies == []
    assert customer.site.told == ["gone"]
    assert old.holds() == {}
