"""A broken store is a 503 over ASGI, whatever catches the error first; nobody is logged out."""

from collections.abc import Callable
from typing import Any

import pytest

from sessions import AsyncSession, StoreUnavailable
from sessions.asgi import ASGIApp, Receive, Scope, Send, SessionMiddleware
from tests.sessions.asgi.applications import APPLICATIONS, bare
from tests.sessions.asgi.server import attempt, request_scope
from tests.sessions.asgi.site import AsgiBrowser, AsgiHandler, AsgiSite, SiteMaker
from tests.support.apps import Answer


async def writes(session: AsyncSession) -> None:
    """Change a value."""
    session["a"] = 2


async def reads(session: AsyncSession) -> object:
    """Read a value."""
    return session["a"]


async def destroys(session: AsyncSession) -> None:
    """End the session."""
    session.destroy()


async def renews(session: AsyncSession) -> None:
    """Change the id."""
    session.regenerate()


WORK: dict[str, tuple[str, AsgiHandler]] = {
    "load": ("load", reads),
    "commit": ("commit", writes),
    "delete": ("delete", destroys),
    "renewal": ("commit", renews),
}


def visit(
    browser: AsgiBrowser, make: Callable[..., ASGIApp], handler: AsgiHandler, **options: Any
) -> tuple[Answer, Exception | None, list[str]]:
    """Send a request to the application; return the answer, the log and what ran after it."""
    done: list[str] = []

    def wrapped(app: ASGIApp) -> ASGIApp:
        return SessionMiddleware(app, container=browser.site.container)

    answer, logged = browser.site.run(
        attempt(make(handler, done, wrapped), browser.cookie, **options)
    )
    return answer, logged, done


def assert_refused(answer: Answer) -> None:
    """Check that an answer is a 503 and does not change the cookie."""
    assert answer.status == 503
    assert answer.all("Retry-After") == ["1"]
    assert answer.all("Vary") == ["Cookie"]
    assert answer.set_cookies == []
    assert answer.body == b"Service Unavailable\n"


@pytest.mark.parametrize("application", APPLICATIONS)
@pytest.mark.parametrize("work", WORK)
def test_a_broken_store_is_a_503(customer: AsgiBrowser, work: str, application: str) -> None:
    """The log has no error of the application, and no background task runs."""
    broken, handler = WORK[work]
    customer.site.store.broken = {broken}

    answer, logged, done = visit(customer, APPLICATIONS[application], handler)

    assert_refused(answer)
    assert (logged, done) == (None, [])
    customer.site.store.broken = set()
    assert customer.holds() == {"a": 1}


@pytest.mark.parametrize("application", APPLICATIONS)
def test_a_working_store_causes_no_503(customer: AsgiBrowser, application: str) -> None:
    """With a working store, the same applications answer and run their background tasks."""
    answer, logged, done = visit(customer, APPLICATIONS[application], writes)

    assert (answer.status, answer.body, logged) == (200, b"fine", None)
    assert done == ["the background task ran"]
    assert customer.holds() == {"a": 2}


def test_a_new_session_is_refused(site: AsgiSite) -> None:
    """The 503 has no cookie, because no record was created."""
    site.store.broken = {"create"}

    answer = site.visit(writes)

    assert_refused(answer)


@pytest.mark.parametrize("broken", ["load", "commit"])
def test_a_503_to_head_has_no_body(customer: AsgiBrowser, broken: str) -> None:
    """The answer to HEAD has the headers of the answer to GET."""
    customer.site.store.broken = {broken}

    answer = customer.visit(writes, method="HEAD")

    assert (answer.status, answer.body, answer.all("Retry-After")) == (503, b"", ["1"])
    assert answer.all("Content-Length") == ["20"]


def test_a_page_that_touches_no_session_is_served(customer: AsgiBrowser) -> None:
    """A failed eager load is an error only when the session is used."""
    customer.site.store.broken = {"load", "touch", "commit", "create", "delete"}

    answer = customer.visit(lambda session: None)

    assert (answer.status, answer.all("Vary"), answer.set_cookies) == (200, [], [])


def test_an_error_of_another_library_is_not_replaced(customer: AsgiBrowser) -> None:
    """The error of a page that does not use the session is not replaced."""
    customer.site.store.broken = {"load"}

    answer = customer.visit(lambda session: None, status=500)

    assert (answer.status, answer.body) == (500, b"answered")


def test_an_application_that_lives_with_it_is_served(customer: AsgiBrowser) -> None:
    """An application may catch the failed load and answer without the session."""
    customer.site.store.broken = {"load"}

    async def tolerates(session: AsyncSession) -> None:
        with pytest.raises(StoreUnavailable):
            session.get("a")

    answer = customer.visit(tolerates)

    assert (answer.status, answer.body) == (200, b"answered")


def test_a_5xx_after_a_store_failure_is_a_503(customer: AsgiBrowser) -> None:
    """A framework that makes a 500 of the failure does not hide the cause."""
    customer.site.store.broken = {"load"}

    async def tolerates(session: AsyncSession) -> None:
        with pytest.raises(StoreUnavailable):
            session.get("a")

    assert_refused(customer.visit(tolerates, status=500))


def test_an_exception_after_a_store_failure_is_a_503_and_logged(customer: AsgiBrowser) -> None:
    """The client gets the 503, and the log has the exception."""
    customer.site.store.broken = {"load"}

    async def stumbles(session: AsyncSession) -> None:
        with pytest.raises(StoreUnavailable):
            session.get("a")
        raise LookupError("of the application")

    answer, logged, _ = visit(customer, bare, stumbles)

    assert_refused(answer)
    assert isinstance(logged, LookupError)


def test_a_load_on_demand_that_fails_is_a_503(make_site: SiteMaker) -> None:
    """`await session.load()` raises the error of the store."""
    site = make_site(load="on_demand")
    cookie = site.visit(lambda session: session.load()).set_cookies
    assert cookie == []
    browser = AsgiBrowser(site)

    async def loads_and_writes(session: AsyncSession) -> None:
        await session.load()
        session["a"] = 1

    browser.visit(loads_and_writes)
    site.store.broken = {"load"}

    answer = browser.visit(loads_and_writes)

    assert_refused(answer)


def test_an_untouched_request_does_not_notice(make_site: SiteMaker) -> None:
    """With loading on demand, an unused session does not ask the store."""
    site = make_site(load="on_demand")
    site.store.broken = {"load", "touch", "commit", "create", "delete"}

    assert site.visit(lambda session: None, "session=x.y").status == 200


def test_a_failed_answer_keeps_what_was_committed_before(customer: AsgiBrowser) -> None:
    """The 503 has the cookie of a new id that was saved before the failure."""
    old = customer.copy()

    async def saves_and_goes_on(session: AsyncSession) -> None:
        session.regenerate()
        await session.save()
        session["b"] = 2
        customer.site.store.broken = {"commit"}

    answer = customer.visit(saves_and_goes_on)

    assert (answer.status, len(answer.set_cookies)) == (503, 1)
    customer.site.store.broken = set()
    assert customer.holds() == {"a": 1}
    assert old.holds() == {}


def test_an_application_may_go_on_after_it_was_refused(customer: AsgiBrowser) -> None:
    """Its later messages are dropped, and the server logs its own error."""
    customer.site.store.broken = {"commit"}

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        scope["session"]["a"] = 2
        with pytest.raises(StoreUnavailable):
            await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.start", "status": 500, "headers": []})
        await send({"type": "http.response.body", "body": b"of the application"})
        raise LookupError("of the application")

    middleware = SessionMiddleware(app, customer.site.container)
    answer, logged = customer.site.run(attempt(middleware, customer.cookie))

    assert_refused(answer)
    assert isinstance(logged, LookupError)


def test_other_errors_in_an_exception_group_are_raised_again(customer: AsgiBrowser) -> None:
    """A group of store errors alone ends in the 503; other errors in a group are raised again."""
    customer.site.store.broken = {"load"}
    reasons: list[Exception] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        with pytest.raises(StoreUnavailable) as caught:
            scope["session"].get("a")
        raise ExceptionGroup("of tasks", [caught.value, *reasons])

    middleware = SessionMiddleware(app, customer.site.container)
    alone = customer.site.run(attempt(middleware, customer.cookie))
    reasons.append(LookupError())
    with_more = customer.site.run(attempt(middleware, customer.cookie))

    assert_refused(alone[0])
    assert_refused(with_more[0])
    assert alone[1] is None
    assert isinstance(with_more[1], ExceptionGroup)


def test_an_error_of_another_store_call_is_a_503(site: AsgiSite) -> None:
    """A failed call of the manager is a 503, too."""
    site.store.broken = {"delete"}

    async def ends_another(session: AsyncSession) -> None:
        await site.manager.delete("x" * 65)

    answer, logged, _ = visit(site.browser(), bare, ends_another)

    assert (answer.status, answer.all("Retry-After"), logged) == (503, ["1"], None)


def test_only_the_first_start_of_a_response_is_sent(customer: AsgiBrowser) -> None:
    """The client gets one 503, even if the application starts several responses."""
    customer.site.store.broken = {"commit"}
    scope = request_scope(customer.cookie)
    started: list[str] = []

    async def send(message: Any) -> None:
        started.append(message["type"])

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        scope["session"]["a"] = 2
        for _ in range(3):
            try:
                await send({"type": "http.response.start", "status": 200, "headers": []})
            except StoreUnavailable:
                continue

    middleware = SessionMiddleware(app, customer.site.container)
    customer.site.run(middleware(scope, _no_message, send))

    assert started == ["http.response.start", "http.response.body"]


async def _no_message() -> Any:
    raise AssertionError("nobody asks for the body")
