"""The function of update_with: its value, its limits, and what is refused."""

import asyncio
import functools
import threading
from typing import Any

import pytest

from sessions import AsyncSessionManager, Session, SessionError
from tests.support.apps import Browser, writes
from tests.support.loops import a_cookie, on_a_loop, opened

MATCH = "called a session method that calls the store"


class Later:
    """Be called like a function, and return something to be awaited."""

    async def __call__(self, value: Any) -> Any:
        """Return the value, later."""
        return value


async def with_more(more: int, value: Any) -> Any:
    """Return a sum, later."""
    return value + more


@pytest.fixture
def customer(browser: Browser) -> Browser:
    """Return a browser whose session holds values."""
    browser.visit(writes(n=1, cart=["tea"]))
    return browser


def test_update_with_gets_a_value_of_its_own(customer: Browser) -> None:
    """A function that changes it in place and fails leaves the session as it was."""

    def fail(cart: list[str]) -> list[str]:
        cart.append("milk")
        raise LookupError("a bug of the application")

    def handler(session: Session) -> object:
        with pytest.raises(LookupError):
            session.update_with("cart", fail)
        return session["cart"]

    assert customer.visit(handler).value == ["tea"]
    assert customer.holds()["cart"] == ["tea"]


def test_an_update_may_store_none(customer: Browser) -> None:
    """A function may return None; it is stored, and taken."""
    made = customer.visit(lambda session: session.update_with("n", lambda _: None)).value
    held = customer.holds()
    taken = customer.visit(lambda session: session.take("n", "nothing")).value

    assert (made, held["n"], taken) == (None, None, None)
    assert "n" not in customer.holds()


@pytest.mark.parametrize("function", [functools.partial(with_more, 1), Later()], ids=type)
def test_a_coroutine_function_is_refused_for_an_update(customer: Browser, function: Any) -> None:
    """This holds also for a callable object; the error shows it."""
    with pytest.raises(TypeError, match=r"coroutine function .*(with_more|Later).*do the `await`"):
        customer.visit(lambda session: session.update_with("n", function))
    assert customer.holds()["n"] == 1


@pytest.mark.parametrize("value", [5, None, "n"])
def test_a_value_in_place_of_the_update_function_is_refused(customer: Browser, value: Any) -> None:
    """A new value is given by assignment; the message says what is expected here."""
    with pytest.raises(TypeError, match="give a function of the old value"):
        customer.visit(lambda session: session.update_with("n", value))


NESTED = {
    "increment": lambda session: session.increment("other"),
    "take": lambda session: session.take("cart"),
    "update_with": lambda session: session.update_with("n", str),
    "save": lambda session: session.save(),
    "reload": lambda session: session.reload(),
}


@pytest.mark.parametrize("verb", NESTED.values(), ids=NESTED)
def test_the_function_may_not_ask_the_store(customer: Browser, verb: Any) -> None:
    """The function may run twice, and its store calls could not be undone."""

    def handler(session: Session) -> None:
        with pytest.raises(SessionError, match=MATCH):
            session.update_with("n", lambda _: verb(session))

    customer.visit(handler)

    assert customer.holds() == {"n": 1, "cart": ["tea"]}


@pytest.mark.parametrize("verb", NESTED.values(), ids=NESTED)
@on_a_loop
async def test_the_function_of_a_thread_may_not_ask_the_store_either(
    async_manager: AsyncSessionManager, verb: Any
) -> None:
    """The call would wait for itself; the session works afterwards."""
    session = await opened(async_manager, await a_cookie(async_manager, n=1))
    blocking = async_manager.face(session, Session)

    def in_thread() -> int:
        with pytest.raises(SessionError, match=MATCH):
            blocking.update_with("n", lambda _: verb(blocking))
        return int(blocking.increment("n"))

    assert await asyncio.to_thread(in_thread) == 2


@on_a_loop
async def test_the_function_of_a_thread_runs_in_that_thread(
    async_manager: AsyncSessionManager,
) -> None:
    """A slow function does not block the event loop."""
    session = await opened(async_manager, await a_cookie(async_manager, n=1))
    blocking = async_manager.face(session, Session)

    def in_thread() -> tuple[int, int]:
        return blocking.update_with("n", lambda _: threading.get_ident()), threading.get_ident()

    ran_in, mine = await asyncio.to_thread(in_thread)

    assert ran_in == mine
