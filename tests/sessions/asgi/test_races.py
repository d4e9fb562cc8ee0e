"""Two requests use one session at the same time, over ASGI."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from sessions import AsyncSession, SessionNotFound
from sessions.testing import ManualClock
from tests.sessions.asgi.site import (
    AsgiBrowser,
    AsgiHandler,
    load_everything,
)
from tests.support.apps import Answer

Act = Callable[[AsyncSession], Any]

SECONDS = 20.0
"""How long a test waits for what must happen before it gives up."""


class Paused:
    """Be a request that loads its session, and then waits until the test lets it act."""

    def __init__(self, act: Act) -> None:
        self._act = act
        self._loaded = asyncio.Event()
        self._may_act = asyncio.Event()
        self._task: asyncio.Task[Answer] | None = None

    async def send(self, browser: AsgiBrowser) -> None:
        """Send the request, up to where its session is loaded."""
        self._task = asyncio.create_task(browser.serve(self._handle))
        await self._loaded.wait()

    async def finish(self) -> Answer:
        """Let the request act, and return its answer."""
        assert self._task is not None
        self._may_act.set()
        return await self._task

    async def _handle(self, session: AsyncSession) -> Any:
        await session.load()
        self._loaded.set()
        await self._may_act.wait()
        value = self._act(session)
        return await value if isinstance(value, Awaitable) else value


def overlap(browser: AsgiBrowser, late: Act, meanwhile: AsgiHandler) -> tuple[Answer, Answer]:
    """Send a request that acts only after another one with the same cookie is answered."""

    async def work() -> tuple[Answer, Answer]:
        async with asyncio.timeout(SECONDS):
            paused, other = Paused(late), browser.copy()
            await paused.send(other)
            answer = await browser.serve(meanwhile)
            return await paused.finish(), answer

    answers: tuple[Answer, Answer] = browser.site.run(work())
    return answers


def together(browser: AsgiBrowser, count: int, handler: AsgiHandler) -> list[Answer]:
    """Send requests with one cookie, all of which have loaded before the first one acts."""

    async def work() -> list[Answer]:
        barrier = asyncio.Barrier(count)

        async def handle(session: AsyncSession) -> Any:
            await barrier.wait()
            value = handler(session)
            return await value if isinstance(value, Awaitable) else value

        async with asyncio.timeout(SECONDS):
            visits = [browser.copy().serve(handle) for _ in range(count)]
            return [*await asyncio.gather(*visits)]

    answers: list[Answer] = browser.site.run(work())
    return answers


def sets(**values: object) -> Act:
    """Make a handler that sets the values of a loaded session."""
    return lambda session: session.update(values)


def destroys(session: AsyncSession) -> None:
    """End the session."""
    session.destroy()


def renews(session: AsyncSession) -> None:
    """Give the session a new id."""
    session.regenerate()


def reads(session: AsyncSession) -> Any:
    """Read a value."""
    return session["a"]


def assert_no_cookie(answer: Answer) -> None:
    """Check that an answer neither sets nor clears a cookie."""
    assert answer.status == 200
    assert answer.set_cookies == []


def test_two_writers_of_different_keys_both_survive(customer: AsgiBrowser) -> None:
    """The later commit writes only the keys that its request changed."""
    overlap(customer, sets(b=2), sets(c=3))

    assert customer.holds() == {"a": 1, "b": 2, "c": 3}


def test_a_slow_reader_leaves_a_write_alone(customer: AsgiBrowser, clock: ManualClock) -> None:
    """This also holds if the read notes a use in the store."""
    clock.advance(3600)

    late, _ = overlap(customer, reads, sets(a=2))

    assert late.value == 1
    assert customer.holds() == {"a": 2}


def test_two_first_writes_of_one_key_raise_no_error(customer: AsgiBrowser) -> None:
    """The later write counts."""
    late, _ = overlap(customer, sets(b="late"), sets(b="early"))

    assert late.status == 200
    assert customer.holds() == {"a": 1, "b": "late"}


def test_parallel_increments_are_all_counted(customer: AsgiBrowser) -> None:
    """Each request gets a different number."""
    answers = together(customer, 10, lambda session: session.increment("n"))

    assert sorted(answer.value for answer in answers) == [*range(1, 11)]
    assert customer.holds() == {"a": 1, "n": 10}


def test_parallel_updates_are_all_kept(customer: AsgiBrowser) -> None:
    """Each function gets the value that the others have stored."""

    async def adds(session: AsyncSession) -> list[str]:
        return await session.update_with("list", lambda old: [*(old or []), "x"])

    together(customer, 10, adds)

    assert customer.holds() == {"a": 1, "list": ["x"] * 10}


def test_a_value_is_taken_once(customer: AsgiBrowser) -> None:
    """All other requests get the default."""
    answers = together(customer, 10, lambda session: session.take("a"))

    assert [answer.value for answer in answers].count(1) == 1
    assert [answer.value for answer in answers].count(None) == 9
    assert customer.holds() == {}


@pytest.mark.parametrize("late", [reads, sets(b=2), renews], ids=["reads", "writes", "renews"])
def test_logout_wins_over_a_request_in_flight(
    customer: AsgiBrowser, late: Act, clock: ManualClock
) -> None:
    """The late answer neither sets nor clears a cookie, and the session stays ended."""
    old = customer.copy()
    clock.advance(3600)

    answer, logout = overlap(customer, late, destroys)

    assert logout.clears
    assert_no_cookie(answer)
    assert old.holds() == {}
    assert "gone" in customer.site.told


def test_an_explicit_save_after_a_logout_is_an_error(customer: AsgiBrowser) -> None:
    """save() raises an error, because its caller acts upon the result."""

    async def saves(session: AsyncSession) -> str:
        session["b"] = 2
        try:
            await session.save()
        except SessionNotFound:
            return "not found"
        return "saved"

    answer, _ = overlap(customer, saves, destroys)

    assert answer.value == "not found"
    assert_no_cookie(answer)


def test_a_second_logout_clears_no_cookie(customer: AsgiBrowser) -> None:
    """The cookie could belong to a login in the meantime."""
    answer, _ = overlap(customer, destroys, destroys)

    assert_no_cookie(answer)


def test_a_session_that_expires_during_a_request_stays_dead(
    customer: AsgiBrowser, clock: ManualClock
) -> None:
    """The write is dropped, and no new session inherits the data."""
    old = customer.copy()

    def too_late(session: AsyncSession) -> None:
        clock.advance(timedelta(hours=24))
        session["b"] = 2

    answer = customer.visit(too_late)

    assert_no_cookie(answer)
    assert old.holds() == {}
    assert customer.site.told == ["gone"]


@pytest.mark.parametrize("late", [reads, sets(b=2)], ids=["reads", "writes"])
def test_a_late_request_with_the_old_id_changes_nothing(
    customer: AsgiBrowser, late: Act, clock: ManualClock
) -> None:
    """The late write is dropped, and the late answer does not replace the new cookie."""
    clock.advance(3600)

    answer, renewal = overlap(customer, late, renews)

    assert_no_cookie(answer)
    assert len(renewal.set_cookies) == 1
    assert customer.holds() == {"a": 1}


def test_two_parallel_renewals_leave_one_new_id(customer: AsgiBrowser) -> None:
    """The answer of the request that lost sends no cookie."""
    answer, renewal = overlap(customer, renews, renews)

    assert_no_cookie(answer)
    assert len(renewal.set_cookies) == 1
    assert customer.holds() == {"a": 1}


def test_two_parallel_sign_ins_are_both_kept(customer: AsgiBrowser) -> None:
    """The later sign-in gets a fresh session, without the data of the other."""
    other = customer.copy()

    answer, _ = overlap(
        customer, lambda session: session.set_user("bob"), lambda session: session.set_user("ada")
    )

    other.cookie = answer.cookie
    assert customer.visit(lambda session: session.user_id).value == "ada"
    assert other.visit(lambda session: session.user_id).value == "bob"
    assert other.holds() == {}


def test_a_reload_sees_what_was_committed_meanwhile(customer: AsgiBrowser) -> None:
    """reload() shows the other request's change, and drops the own unsaved change."""

    async def reloads(session: AsyncSession) -> dict[str, Any]:
        session["mine"] = 1
        await session.reload()
        return session.copy()

    answer, _ = overlap(customer, reloads, sets(a=2))

    assert answer.value == {"a": 2}


def test_concurrent_requests_see_their_own_sessions(customer: AsgiBrowser) -> None:
    """Requests do not mix up their sessions, whatever they await."""
    site, count = customer.site, 8

    async def work() -> list[tuple[dict[str, Any], dict[str, Any]]]:
        browsers = [site.browser() for _ in range(count)]
        for number, browser in enumerate(browsers):
            await browser.serve(sets(owner=number))
        barrier = asyncio.Barrier(count)

        async def handle(session: AsyncSession) -> tuple[dict[str, Any], dict[str, Any]]:
            before = session.copy()
            await barrier.wait()
            session["seen"] = before["owner"]
            await session.save()
            await barrier.wait()
            return before, await load_everything(session)

        async with asyncio.timeout(SECONDS):
            answers = await asyncio.gather(*[browser.serve(handle) for browser in browsers])
            return [answer.value for answer in answers]

    found = site.run(work())

    assert found == [
        ({"owner": number}, {"owner": number, "seen": number}) for number in range(count)
    ]


def test_two_tasks_of_one_request_share_a_session_and_a_load(customer: AsgiBrowser) -> None:
    """One task sees what the other task writes."""
    customer.site.store.calls.clear()

    async def shares(session: AsyncSession) -> dict[str, Any]:
        async def part(number: int) -> None:
            await session.load()
            session[f"part {number}"] = number

        await asyncio.gather(*[part(number) for number in range(3)])
        return session.copy()

    answer = customer.visit(shares)

    assert answer.value == {"a": 1, "part 0": 0, "part 1": 1, "part 2": 2}
    assert customer.site.store.calls == ["load", "commit"]
