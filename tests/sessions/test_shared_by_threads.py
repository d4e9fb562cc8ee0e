"""Several threads and tasks of a request use one session in random order, and nothing is lost."""

import asyncio
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from decimal import Decimal
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import pytest

from sessions import AsyncSession, AsyncSessionManager, MemoryStore, Session, SQLiteStore
from sessions.testing import ManualClock, in_parallel
from tests.support.apps import Browser, Site, in_turn, writes
from tests.support.hesitating_stores import HesitatingAsyncStore, HesitatingStore
from tests.support.loops import a_cookie, a_head, a_manager, cookie_of, on_a_loop, opened
from tests.support.watched import WatchedStore

ROUNDS = 25
RANDOM_ROUNDS = 60
# So large that another thread gets its turn while it is decoded.
LARGE = [Decimal(number) for number in range(3000)]
START = {"n": 0, "log": [], "box": "gift"}
VERBS = ["increment", "log", "set", "read", "save", "take", "user"]


@pytest.fixture(autouse=True)
def busy_threads() -> Iterator[None]:
    """Let the threads take turns much oftener than they usually do."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(interval)


@pytest.fixture
def customer(clock: ManualClock) -> Browser:
    """Return a browser whose session holds a large value."""
    browser = Site(WatchedStore(MemoryStore(clock=clock)), clock).browser()
    browser.visit(writes(k=LARGE))
    return browser


def beside(*acts: Callable[[Session], object]) -> Callable[[Session], list[Any]]:
    """Make a handler that runs the functions at once, each in a thread, and returns the results."""

    def handler(session: Session) -> list[Any]:
        barrier = threading.Barrier(len(acts))

        def act(number: int) -> object:
            barrier.wait()
            return acts[number](session)

        return in_parallel(len(acts), act)

    return handler


def test_a_read_undoes_no_write_of_another_thread(customer: Browser) -> None:
    """This holds also if one thread decodes a value while another thread sets it."""
    set_new = beside(lambda session: session.get("k"), lambda session: session.update(k="new"))

    def handler(session: Session) -> object:
        set_new(session)
        return session["k"]

    seen = [customer.visit(handler, status=500).value for _ in range(ROUNDS)]

    assert seen == ["new"] * ROUNDS


def test_two_threads_change_one_nested_value(customer: Browser) -> None:
    """Both threads get the same list, although both decode it."""
    append = beside(*[lambda session: session["k"].append(1)] * 2)

    def handler(session: Session) -> int:
        append(session)
        return len(session["k"])

    seen = [customer.visit(handler, status=500).value for _ in range(ROUNDS)]

    assert seen == [len(LARGE) + 2] * ROUNDS


def test_a_read_beside_an_update_gives_a_value(customer: Browser) -> None:
    """A read gives the old or the new value, and never an internal marker."""
    handler = beside(
        lambda session: session["k"],
        lambda session: session.update_with("k", lambda value: [*value[1:], value[0]]),
    )

    seen = [customer.visit(handler).value[0] for _ in range(ROUNDS)]

    assert [type(value) for value in seen] == [list] * ROUNDS
    assert all(len(value) == len(LARGE) for value in seen)


@pytest.mark.parametrize(
    "read",
    [Session.copy, lambda session: session | {}, lambda session: [*session.items()]],
    ids=["copy", "or", "items"],
)
def test_a_copy_during_a_removal_raises_no_error(
    customer: Browser, read: Callable[[Session], Any]
) -> None:
    """It is no error if another thread removes a key meanwhile."""
    many = {f"key {number}": number for number in range(600)}
    customer.visit(in_turn(Session.clear, writes(**many)))
    handler = beside(read, lambda session: [session.pop(f"key {n}") for n in range(599, 200, -1)])

    seen = [dict(customer.visit(handler, status=500).value[0]) for _ in range(ROUNDS)]

    assert all(many.keys() >= copy.keys() >= {f"key {n}" for n in range(201)} for copy in seen)


def test_values_beside_a_removal_raise_no_error(customer: Browser) -> None:
    """All values that stay are in the result."""
    many = {f"key {number}": number for number in range(600)}
    customer.visit(in_turn(Session.clear, writes(**many)))
    handler = beside(
        lambda session: [*session.values()],
        lambda session: [session.pop(f"key {n}") for n in range(599, 200, -1)],
    )

    seen = [customer.visit(handler, status=500).value[0] for _ in range(ROUNDS)]

    assert all({*range(201)} <= {*values} <= {*range(600)} for values in seen)


# As chance has it


class Ledger:
    """Note what threads and tasks did, and name what the session does not have."""

    def __init__(self) -> None:
        self.done: Counter[str] = Counter()
        self.written: dict[str, int] = {}
        self.taken: list[object] = []

    def problems(self, session: Session | AsyncSession) -> list[str]:
        """Return what is missing."""
        found = session.copy()
        boxes = [*filter(None, self.taken), *([found["box"]] if "box" in found else [])]
        checks = {
            "an increment": found.get("n") == self.done["increment"],
            "an update": len(found.get("log", ())) == self.done["log"],
            "a taken value": boxes == ["gift"],
            "a write": {key: found.get(key) for key in self.written} == self.written,
            "a sign-in": not self.done["user"] or session.user_id == "ada",
        }
        return [f"{what} is lost or doubled" for what, is_there in checks.items() if not is_there]

    def do_in_memory(self, session: Session | AsyncSession, verb: str, key: str) -> None:
        """Do what asks no store."""
        if verb == "set":
            self.written[key] = self.done[key]
            session[key] = self.written[key]
            self.done[key] += 1
        elif verb == "user":
            session.set_user("ada")
        elif verb == "read":
            session.get("n")
            session.copy()

    def do(self, session: Session, verb: str, key: str) -> None:
        """Do it in a thread."""
        if verb == "increment":
            session.increment("n")
        elif verb == "log":
            session.update_with("log", longer)
        elif verb == "take":
            self.taken.append(session.take("box"))
        elif verb == "save":
            session.save()
        else:
            self.do_in_memory(session, verb, key)

    async def do_async(self, session: AsyncSession, verb: str, key: str) -> None:
        """Do it in a task."""
        if verb == "increment":
            await session.increment("n")
        elif verb == "log":
            await session.update_with("log", longer)
        elif verb == "take":
            self.taken.append(await session.take("box"))
        elif verb == "save":
            await session.save()
        else:
            self.do_in_memory(session, verb, key)


def longer(log: list[int] | None) -> list[int]:
    """Return the list with one item more."""
    return [*(log or []), 1]


def seeded(seed: int) -> Random:
    """Return a random generator that is the same in each run."""
    return Random(seed)  # noqa: S311


def plans(random: Random, verbs: list[str], count: int = 3) -> list[list[str]]:
    """Return what each of the threads or tasks does, in its order."""
    return [random.choices(verbs, k=random.randint(1, 4)) for _ in range(count)]


def test_threads_of_one_request_lose_nothing(clock: ManualClock) -> None:
    """Whatever they do at once over a store that lets others come first."""
    random, problems = seeded(5), []
    for number in range(RANDOM_ROUNDS):
        store = HesitatingStore(MemoryStore(clock=clock), random)
        store.clock = clock
        browser = Site(WatchedStore(store), clock).browser()
        browser.visit(writes(**START))
        ledger, all_plans = Ledger(), plans(random, VERBS)
        browser.visit(partial(play, all_plans=all_plans, ledger=ledger))
        found = browser.visit(ledger.problems).value
        problems += [f"round {number}: {problem} in {all_plans}" for problem in found]

    assert problems == []


def play(session: Session, all_plans: list[list[str]], ledger: Ledger) -> None:
    """Carry out each plan in a thread of its own."""

    def in_thread(number: int) -> None:
        for verb in all_plans[number]:
            ledger.do(session, verb, f"written by {number}")

    in_parallel(len(all_plans), in_thread)
    for plan in all_plans:
        ledger.done.update(plan)


@pytest.mark.parametrize("requests", [1, 2])
@on_a_loop
async def test_tasks_of_one_request_and_of_two_lose_nothing(
    clock: ManualClock, requests: int
) -> None:
    """The store suspends tasks at random; a sign-in in another request ends this."""
    random, problems = seeded(7), []
    verbs = VERBS if requests == 1 else VERBS[:-1]
    for number in range(2 * RANDOM_ROUNDS):
        manager = a_manager(HesitatingAsyncStore(MemoryStore(clock=clock), random), clock)
        cookie, ledger = await a_cookie(manager, **START), Ledger()
        all_plans = [plans(random, verbs) for _ in range(requests)]
        served = await asyncio.gather(
            *[
                serve(manager, cookie, plan, ledger, f"request {index}")
                for index, plan in enumerate(all_plans)
            ]
        )
        found = ledger.problems(await opened(manager, next(filter(None, served), cookie)))
        problems += [f"round {number}: {problem} in {all_plans}" for problem in found]

    assert problems == []


async def serve(
    manager: AsyncSessionManager, cookie: str, all_plans: list[list[str]], ledger: Ledger, name: str
) -> str:
    """Serve a request of several tasks; return the cookie that it sends, if there is one."""
    session = manager.open(a_head(cookie))

    async def in_task(number: int) -> None:
        await session.load()
        for verb in all_plans[number]:
            await ledger.do_async(session, verb, f"written by {name}, task {number}")
            ledger.done[verb] += 1

    await asyncio.gather(*[in_task(number) for number in range(len(all_plans))])
    headers = await manager.close(session)
    return cookie_of(headers) if any(name == "Set-Cookie" for name, _ in headers) else ""


@pytest.mark.parametrize("kind", ["memory", "sqlite", "suspending"])
@on_a_loop
async def test_threads_beside_tasks_lose_nothing(
    clock: ManualClock, kind: str, tmp_path: Path
) -> None:
    """One of the tasks is cancelled in the middle of its work."""
    random, problems = seeded(11), []
    stores: dict[str, Callable[[], Any]] = {
        "memory": lambda: MemoryStore(clock=clock),
        "sqlite": lambda: SQLiteStore(tmp_path / "sessions.db", clock=clock),
        "suspending": lambda: HesitatingAsyncStore(MemoryStore(clock=clock), random),
    }
    for number in range(RANDOM_ROUNDS // 6):
        manager = a_manager(stores[kind](), clock)
        cookie, ledger = await a_cookie(manager, **START), Ledger()
        session = await opened(manager, cookie)
        all_plans = plans(random, VERBS[:-1], 4)
        await play_in_both(manager, session, all_plans, ledger)
        await manager.close(session)
        found = ledger.problems(await opened(manager, cookie))
        problems += [f"round {number}: {problem} in {all_plans}" for problem in found]
        await manager.aclose()

    assert problems == []


async def play_in_both(
    manager: AsyncSessionManager, session: AsyncSession, all_plans: list[list[str]], ledger: Ledger
) -> None:
    """Run two plans in threads and the others in tasks, and cancel one task."""
    blocking = manager.face(session, Session)

    def in_thread(number: int) -> None:
        for verb in all_plans[number]:
            ledger.do(blocking, verb, f"written by {number}")

    async def in_task(number: int) -> None:
        for verb in all_plans[number]:
            await ledger.do_async(session, verb, f"written by {number}")

    async def shaky() -> None:
        task = asyncio.ensure_future(session.increment("shaky"))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])

    work = [asyncio.to_thread(in_thread, number) for number in (0, 1)]
    await asyncio.gather(*work, in_task(2), in_task(3), shaky())
    for plan in all_plans:
        ledger.done.update(plan)
