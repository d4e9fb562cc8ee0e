"""Two requests on one session at once, over ASGI: what each of them may take from the other."""

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
    """Be a request that has loaded its session, and acts when it is told to."""

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
    """Hold an answer to leave the client's cookie alone."""
    assert answer.status == 200
    assert answer.set_cookies == []


def test_two_writers_of_different_keys_both_survive(customer: AsgiBrowser) -> None:
    """Whoever comes last writes what it has changed, and no more."""
    overlap(customer, sets(b=2), sets(c=3))

    assert customer.holds() == {"a": 1, "b": 2, "c": 3}


def test_a_slow_reader_leaves_a_write_alone(customer: AsgiBrowser, clock: ManualClock) -> None:
    """Also where the reader's use is noted down."""
    clock.advance(3600)

    late, _ = overlap(customer, reads, sets(a=2))

    assert late.value == 1
    assert customer.holds() == {"a": 2}


def test_two_first_writes_of_one_key_are_no_error(customer: AsgiBrowser) -> None:
    """The last one counts."""
    late, _ = overlap(customer, sets(b="late"), sets(b="early"))

    assert late.status == 200
    assert customer.holds() == {"a": 1, "b": "late"}


def test_many_increments_all_count(customer: AsgiBrowser) -> None:
    """Each of them gets a number of its own."""
    answers = together(customer, 10, lambda session: session.increment("n"))

    assert sorted(answer.value for answer in answers) == [*range(1, 11)]
    assert customer.holds() == {"a": 1, "n": 10}


def test_many_updates_all_count(customer: AsgiBrowser) -> None:
    """The function sees what the others have done."""

    async def adds(session: AsyncSession) -> list[str]:
        return await session.update_with("list", lambda old: [*(old or []), "x"])

    together(customer, 10, adds)

    assert customer.holds() == {"a": 1, "list": ["x"] * 10}


def test_a_value_is_taken_once(customer: AsgiBrowser) -> None:
    """The others get the default."""
    answers = together(customer, 10, lambda session: session.take("a"))

    assert [answer.value for answer in answers].count(1) == 1
    assert [answer.value for answer in answers].count(None) == 9
    assert customer.holds() == {}


@pytest.mark.parametrize("late", [reads, sets(b=2), renews], ids=["reads", "writes", "renews"])
def test_logout_wins_over_a_request_in_flight(
    customer: AsgiBrowser, late: Act, clock: ManualClock
) -> None:
    """The late answer sets and clears no cookie, and the id is dead."""
    old = customer.copy()
    clock.advance(3600)

    answer, logout = overlap(customer, late, destroys)

    assert logout.clears
    assert_no_cookie(answer)
    assert old.holds() == {}
    assert "gone" in customer.site.told


def test_an_explicit_save_after_a_logout_is_told(customer: AsgiBrowser) -> None:
    """Somebody acts upon its answer, so the loss is an error."""

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
    """It might be that of a login which has happened meanwhile."""
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
def test_a_request_with_the_old_id_takes_nothing_from_the_new_one(
    customer: AsgiBrowser, late: Act, clock: ManualClock
) -> None:
    """Its write is dropped, and its answer does not replace the new cookie."""
    clock.advance(3600)

    answer, renewal = overlap(customer, late, renews)

    assert_no_cookie(answer)
    assert len(renewal.set_cookies) == 1
    assert customer.holds() == {"a": 1}


def test_of_two_renewals_one_new_id_lives(customer: AsgiBrowser) -> None:
    """The loser's answer sends no cookie."""
    answer, renewal = overlap(customer, renews, renews)

    assert_no_cookie(answer)
    assert len(renewal.set_cookies) == 1
    assert customer.holds() == {"a": 1}


def test_of_two_sign_ins_both_count(customer: AsgiBrowser) -> None:
    """The late one gets a fresh session of its own, without the other's data."""
    other = customer.copy()

    answer, _ = overlap(
        customer, lambda session: session.set_user("bob"), lambda session: session.set_user("ada")
    )

    other.cookie = answer.cookie
    assert customer.visit(lambda session: session.user_id).value == "ada"
    assert other.visit(lambda session: session.user_id).value == "bob"
    assert other.holds() == {}


def test_a_reload_sees_what_was_committed_meanwhile(customer: AsgiBrowser) -> None:
    """The other's change, and none of one's own that was not saved."""

    async def reloads(session: AsyncSession) -> dict[str, Any]:
        session["mine"] = 1
        await session.reload()
        return session.copy()

    answer, _ = overlap(customer, reloads, sets(a=2))

    assert answer.value == {"a": 2}


def test_concurrent_requests_see_their_own_sessions(customer: AsgiBrowser) -> None:
    """Whatever each of them awaits in between."""
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
    """What one task writes, the other one sees."""
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
