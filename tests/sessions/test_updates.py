"""increment, take and update_with: changes of one value that no other request undoes."""

from decimal import Decimal
from typing import Any

import pytest

from sessions import CookieSettings, Session, SessionNotFound, SessionTooLarge, StoreUnavailable
from sessions.core.limits import UPDATE_ATTEMPTS
from sessions.errors import UnencodableValue
from sessions.testing import in_parallel
from tests.support.apps import Browser, Handler, Site, everything, in_turn, writes
from tests.support.watched import WatchedStore

PARALLEL = 50
TAKERS = 20


@pytest.fixture
def customer(browser: Browser) -> Browser:
    """Return a browser whose session holds values, with the store's calls forgotten."""
    browser.visit(writes(n=1, once="code", cart=["tea"]))
    browser.site.store_calls().clear()
    return browser


def increments(key: str = "n", by: float = 1) -> Handler:
    """Make a handler that adds."""
    return lambda session: session.increment(key, by)


# Parallel requests


def test_parallel_increments_are_all_counted(customer: Browser) -> None:
    """Each request gets a different sum."""
    sums = in_parallel(PARALLEL, lambda n: customer.site.visit(increments(), customer.cookie).value)

    assert sorted(sums) == [*range(2, PARALLEL + 2)]
    assert customer.holds()["n"] == PARALLEL + 1


def test_parallel_updates_are_all_kept(customer: Browser) -> None:
    """No update is lost, whatever its function returns."""

    def visit(n: int) -> Any:
        add = in_turn(lambda session: session.update_with("cart", lambda cart: [*cart, n]))
        return customer.site.visit(add, customer.cookie).status

    statuses = in_parallel(PARALLEL, visit)

    assert statuses == [200] * PARALLEL
    cart = customer.holds()["cart"]
    assert cart[0] == "tea"
    assert sorted(cart[1:]) == [*range(PARALLEL)]


def test_a_value_is_taken_by_one_request(customer: Browser) -> None:
    """A code that may be used once is used once."""
    taken = in_parallel(
        TAKERS,
        lambda n: customer.site.visit(lambda s: s.take("once", "late"), customer.cookie).value,
    )

    assert sorted(taken) == ["code"] + ["late"] * (TAKERS - 1)
    assert customer.holds() == {"n": 1, "cart": ["tea"]}


def test_parallel_first_increments_are_all_counted(customer: Browser) -> None:
    """Increments also count if the key does not exist yet."""
    in_parallel(TAKERS, lambda n: customer.site.visit(increments("new"), customer.cookie))

    assert customer.holds()["new"] == TAKERS


def test_increments_of_threads_of_one_request_are_all_counted(customer: Browser) -> None:
    """Many threads use one session."""
    sums = customer.visit(
        lambda session: in_parallel(TAKERS, lambda n: session.increment("n"))
    ).value

    assert sorted(sums) == [*range(2, TAKERS + 2)]
    assert customer.holds()["n"] == TAKERS + 1


# One request


def test_an_increment_returns_the_sum(customer: Browser) -> None:
    """The session holds the sum, in this request and in the next one."""

    def handler(session: Session) -> list[Any]:
        return [
            session.increment("n"),
            session.increment("n", by=10),
            session.increment("n", by=-2),
            session.increment("half", by=0.5),
            session["n"],
            session["half"],
        ]

    assert customer.visit(handler).value == [2, 12, 10, 0.5, 10, 0.5]
    assert customer.holds() == {"n": 10, "once": "code", "cart": ["tea"], "half": 0.5}


def test_an_increment_is_one_load_and_one_commit(customer: Browser) -> None:
    """At the end of the request nothing is left to do."""
    answer = customer.visit(increments())

    assert customer.site.store_calls() == ["load", "commit"]
    assert answer.set_cookies == []


@pytest.mark.parametrize(
    "act",
    [
        increments("n"),
        lambda session: session.take("once"),
        lambda session: session.update_with("cart", lambda cart: [*cart, "milk"]),
    ],
    ids=["increment", "take", "update_with"],
)
def test_an_atomic_change_is_committed_at_once(customer: Browser, act: Handler) -> None:
    """An atomic change stays if the rest of the request fails; a plain write does not."""

    def handler(session: Session) -> object:
        session["lost"] = 1
        return act(session)

    before = customer.holds()
    customer.visit(handler, status=500)

    after = customer.holds()
    assert after != before
    assert "lost" not in after


def test_an_atomic_change_saves_nothing_else(customer: Browser) -> None:
    """Other changes of the request are saved at its end."""

    def handler(session: Session) -> object:
        session["mine"] = 1
        session.increment("n")
        return customer.site.visit(everything, customer.cookie).value

    seen = customer.visit(handler).value

    assert seen == {"n": 2, "once": "code", "cart": ["tea"]}
    assert customer.holds() == {**seen, "mine": 1}


def test_an_update_starts_from_this_requests_own_change(customer: Browser) -> None:
    """A value that was set or changed in place before is the one that is updated."""

    def handler(session: Session) -> list[Any]:
        session["n"] = 41
        session["cart"].append("milk")
        return [
            session.increment("n"),
            session.update_with("cart", lambda cart: [*cart, "honey"]),
            session.take("n"),
            session.get("n"),
        ]

    assert customer.visit(handler).value == [42, ["tea", "milk", "honey"], 42, None]
    assert customer.holds() == {"once": "code", "cart": ["tea", "milk", "honey"]}


def test_an_update_of_a_removed_value_gets_the_default(customer: Browser) -> None:
    """The function gets the default if this request has removed the value."""

    def handler(session: Session) -> list[Any]:
        del session["n"]
        return [session.increment("n", 5), session.take("gone"), session.take("gone", "no")]

    assert customer.visit(handler).value == [5, None, "no"]
    assert customer.holds()["n"] == 5


def test_an_update_sees_a_commit_of_another_request(customer: Browser) -> None:
    """If another request changed the value, the function runs again with the new value."""
    seen: list[object] = []

    def double(value: Any) -> Any:
        seen.append(value)
        return value * 2

    def handler(session: Session) -> object:
        assert session["n"] == 1
        customer.site.visit(writes(n=10, other=1), customer.cookie)
        return session.update_with("n", double), session.get("other")

    assert customer.visit(handler).value == (20, None)
    assert seen == [1, 10]
    assert customer.holds()["n"] == 20


def test_a_take_sees_that_another_request_was_first(customer: Browser) -> None:
    """take() returns the default if another request took the value after this one read it."""

    def handler(session: Session) -> object:
        assert session["once"] == "code"
        customer.site.visit(lambda other: other.take("once"), customer.cookie)
        return session.take("once", "late"), "once" in session

    assert customer.visit(handler).value == ("late", False)


def test_a_visitor_counts_too(browser: Browser) -> None:
    """The first increment of a visitor creates the session."""
    answer = browser.visit(increments())
    second = browser.visit(increments()).value

    assert (answer.value, second) == (1, 2)
    assert len(answer.set_cookies) == 1
    assert browser.site.store_calls() == ["create", "load", "commit"]


def test_a_visitor_takes_nothing(browser: Browser) -> None:
    """take() without a session creates no record and no cookie."""
    answer = browser.visit(lambda session: session.take("once", "nothing"))

    assert (answer.value, answer.set_cookies) == ("nothing", [])
    assert browser.site.store_calls() == []


# What cannot be done


@pytest.mark.parametrize("by", ["1", None, True, [1], Decimal(1)], ids=repr)
def test_an_increment_adds_a_number(customer: Browser, by: Any) -> None:
    """Another amount is refused, and the error shows it."""
    with pytest.raises(
        TypeError,
        match=r"has a step that is not a number. Fix: give a number such"
        r" as"
        r" 1",
    ):
        customer.visit(increments("n", by))


@pytest.mark.parametrize("value", ["1", [1], True], ids=repr)
def test_an_increment_of_something_else_says_so(customer: Browser, value: Any) -> None:
    """A value that is not a number is an error, and it does not change."""
    customer.visit(writes(n=value))

    with pytest.raises(TypeError, match=r"session\['n'\] is .*, not a number"):
        customer.visit(increments())
    assert customer.holds()["n"] == value


@pytest.mark.parametrize("verb", ["increment", "take", "update_with"])
def test_a_key_is_text(customer: Browser, verb: str) -> None:
    """Atomic verbs refuse a key that is not text, as all other uses do."""
    more = (str,) if verb == "update_with" else ()

    with pytest.raises(UnencodableValue, match="use a str"):
        customer.visit(lambda session: getattr(session, verb)(7, *more))


def test_an_update_refuses_a_value_that_cannot_be_stored(customer: Browser) -> None:
    """The error names the key, and the value stays as it was."""
    with pytest.raises(UnencodableValue, match=r"session\['n'\] cannot be saved"):
        customer.visit(lambda session: session.update_with("n", lambda _: object()))
    assert customer.holds()["n"] == 1


def test_an_update_refuses_a_value_that_is_too_large(customer: Browser) -> None:
    """Atomic changes have the size limit of a commit."""
    with pytest.raises(SessionTooLarge, match=r"session\['n'\] with 70"):
        customer.visit(lambda session: session.update_with("n", lambda _: "x" * 70_000))
    assert customer.holds()["n"] == 1


ACTS: dict[str, Handler] = {
    "increment": increments(),
    "take": lambda session: session.take("once"),
    "update_with": lambda session: session.update_with("cart", str),
}


@pytest.mark.parametrize("act", ACTS.values(), ids=ACTS)
@pytest.mark.parametrize("meanwhile", [Session.destroy, Session.regenerate, None])
def test_an_update_of_an_ended_session_is_an_error(
    customer: Browser, act: Handler, meanwhile: Any
) -> None:
    """The verb raises an error, because its caller acts upon the answer."""

    def handler(session: Session) -> None:
        assert session["n"] == 1
        if meanwhile is None:
            customer.site.manager.delete(session.id)
        else:
            customer.site.visit(meanwhile, customer.cookie)
        for _ in range(2):
            with pytest.raises(SessionNotFound, match="another request"):
                act(session)

    answer = customer.site.visit(handler, customer.cookie)

    assert answer.set_cookies == []
    assert customer.site.told.count("gone") == 1


@pytest.mark.parametrize("act", ACTS.values(), ids=ACTS)
def test_an_update_with_the_token_of_an_ended_session_is_an_error(
    customer: Browser, act: Handler
) -> None:
    """An atomic verb with a past token raises an error, and stores nothing."""
    old = customer.cookie
    customer.visit(Session.regenerate)
    customer.site.store_calls().clear()

    def handler(session: Session) -> None:
        with pytest.raises(SessionNotFound):
            act(session)

    customer.site.visit(handler, old)
    assert customer.site.store.writes == []


@pytest.mark.parametrize("act", ACTS.values(), ids=ACTS)
def test_an_update_with_a_failing_store_is_a_503(
    customer: Browser, watched: WatchedStore, act: Handler
) -> None:
    """The answer is 503, and the value is as it was."""
    before = customer.holds()
    watched.broken = {"commit"}

    assert customer.visit(act).status == 503
    watched.broken = set()
    assert customer.holds() == before


def test_a_take_whose_reply_was_lost_is_503(customer: Browser, watched: WatchedStore) -> None:
    """The outcome is unknown, so the take is not repeated."""
    watched.loses_reply = {"commit"}

    answer = customer.visit(lambda session: session.take("once"))

    assert answer.status == 503
    assert watched.calls.count("commit") == 1


def test_retries_are_bounded(customer: Browser, watched: WatchedStore) -> None:
    """If other requests are always first, the verb raises a typed error."""
    attempts: list[int] = []

    def is_first() -> None:
        attempts.append(len(attempts))
        customer.site.visit(writes(n=100 + len(attempts)), customer.cookie)
        watched.before["commit"] = is_first

    def handler(session: Session) -> None:
        watched.before["commit"] = is_first
        with pytest.raises(StoreUnavailable, match=rf"{UPDATE_ATTEMPTS} times in a row"):
            session.increment("n")
        watched.before.clear()

    customer.visit(handler)

    assert len(attempts) == UPDATE_ATTEMPTS


# After a sign-in as another user


@pytest.mark.parametrize(
    ("verb", "answer"),
    [
        (lambda session: session.take("once"), None),
        (lambda session: session.increment("n"), 1),
        (lambda session: session.update_with("once", str), "None"),
    ],
)
def test_another_user_finds_nothing_of_the_one_before(
    customer: Browser, verb: Handler, answer: object
) -> None:
    """Atomic verbs do not see the values of the user before, either."""
    customer.visit(lambda session: session.set_user("ann"))

    def handler(session: Session) -> Any:
        session.set_user("bob")
        return verb(session)

    assert customer.visit(handler).value == answer
    assert "cart" not in customer.holds()
    assert customer.visit(lambda session: session.user_id).value == "bob"


def test_take_returns_this_requests_own_value_if_nothing_can_be_stored(site: Site) -> None:
    """Plain http under a Secure cookie: the value is in memory, and gone when it is taken."""

    def handler(session: Session) -> tuple[Any, bool]:
        session["once"] = "code"
        return session.take("once"), "once" in session

    secure = Site(site.store, site.container.clock, cookie=CookieSettings(secure=True))

    assert secure.visit(handler).value == ("code", False)
