"""Updates of one value, when the store compares sealed texts."""

from datetime import timedelta
from typing import Any

import pytest

from sessions import Session
from tests.support.apps import Browser, Handler, writes
from tests.support.encrypting import kept_for


def test_a_counter_beside_a_counter(customer: Browser) -> None:
    """A commit compares the sealed text that this request read with the stored one."""
    customer.visit(writes(first=0, second=0))

    def meanwhile() -> None:
        customer.visit(lambda session: (session.increment("first"), session.increment("second")))

    def handler(session: Session) -> tuple[Any, Any]:
        assert session["first"] == 0
        meanwhile()
        return session.increment("first"), session.increment("second")

    assert customer.visit(handler).value == (2, 2)


@pytest.mark.parametrize(
    "between",
    [
        writes(count=0, other=1),
        lambda session: session.increment("other"),
        Session.regenerate,
        Session.save,
        Session.reload,
        lambda session: session.set_user("ada"),
        lambda session: session.set_user("bob"),
        Session.clear_user,
    ],
    ids=["write", "increment", "new id", "save", "reload", "sign in", "another user", "sign out"],
)
def test_a_second_update_knows_the_result_of_the_first(customer: Browser, between: Handler) -> None:
    """The second update knows the result of the first one, and asks the store once."""

    def handler(session: Session) -> tuple[int, int]:
        session["count"] = 0
        first = session.increment("count")
        between(session)
        session.save()
        if "count" not in session:
            session["count"] = first
            session.save()
        customer.site.store.calls.clear()
        second: int = session.increment("count")
        return first, second

    assert customer.visit(handler).value in [(1, 2), (1, 1)]
    assert customer.site.store.calls[0] == "commit"
    assert "load" not in customer.site.store.calls


def test_the_same_value_again_is_another_text(customer: Browser) -> None:
    """A value that was changed and changed back has a new text, so it is loaded again."""

    def meanwhile() -> None:
        customer.visit(writes(count=1))
        customer.visit(writes(count=0))

    def handler(session: Session) -> Any:
        assert session["count"] == 0
        meanwhile()
        customer.site.store.calls.clear()
        return session.increment("count")

    assert customer.visit(handler).value == 1
    assert customer.site.store.calls == ["commit", "load", "commit"]


def test_a_taken_value_leaves_no_text(customer: Browser) -> None:
    """The value is removed from the store, and exactly one request gets it."""
    assert customer.visit(lambda session: session.take("cart")).value == ["tea"]
    assert customer.visit(lambda session: session.take("cart", "nothing")).value == "nothing"
    assert "cart" not in kept_for(customer).values


UPDATES: dict[str, Handler] = {
    "increment": lambda session: session.increment("count"),
    "take": lambda session: session.take("count"),
    "update_with": lambda session: session.update_with("count", lambda value: value + 1),
}


@pytest.mark.parametrize("update", UPDATES.values(), ids=UPDATES)
def test_an_update_beside_a_renewal_leaves_the_new_id_its_data_key(
    customer: Browser, update: Handler
) -> None:
    """The conflict tells the request with the earlier id of the later data key."""
    customer.visit(writes(count=0))

    def renew(session: Session) -> None:
        session.regenerate(grace=timedelta(seconds=30))
        session["count"] = 5

    def handler(session: Session) -> Any:
        assert session["count"] == 0
        customer.visit(renew)
        return update(session)

    updated = customer.visit(handler).value

    left = customer.holds()
    assert left.get("count", 5) == updated
    assert left["cart"] == ["tea"]
