"""Sessions of another system that cannot move as they are."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from sessions import MemoryStore, Session
from sessions.edges import RequestHead
from sessions.errors import UnencodableValue
from sessions.migration import HexSignatureCookie, LegacySession, SignedPayloadCookie
from sessions.stateless import SignedToken
from sessions.testing import ManualClock
from tests.sessions.migration.cookies import HEADERS, OldSystem, SiteOf, payload_cookie
from tests.support.apps import Site, everything

UNFIT: dict[str, object] = {
    "half a character": {"name": "\ud800"},
    "half a character in a key": {"\ud800": 1},
    "many levels": {"a": json.loads("[" * 100 + "]" * 100)},
    "the user data": {"\0user_data": {"role": "admin"}},
    "the device": {"\0device": ["a", "b"]},
    "the time of the sign-in": {"\0other_sign_in": 1e12},
    "a key of encryption": {"\0sealed.user": "ada"},
    "a list of sign-ins": {"\0waiting": []},
}
STORES: dict[str, Callable[[ManualClock], Any]] = {
    "store": lambda clock: MemoryStore(clock=clock),
    "token": lambda _: SignedToken(),
}


@pytest.mark.parametrize("store", STORES)
@pytest.mark.parametrize("value", UNFIT.values(), ids=UNFIT)
def test_values_of_another_system_that_cannot_be_stored(
    clock: ManualClock, store: str, value: object
) -> None:
    """The visitor gets pages without the session, not an error in each request."""
    site = Site(
        STORES[store](clock), clock, legacy_cookies=[SignedPayloadCookie("data", keys=["key"])]
    )

    answer = site.visit(everything, payload_cookie(value, b"key"))

    assert (answer.status, answer.value) == (200, {})
    assert [(event.kind, event.reason) for event in site.events] == [("rejected", "malformed")]


@pytest.mark.parametrize("user_id", ["\ud800", "a" * 10_001])
def test_a_user_of_another_system_that_cannot_be_stored(site_of: SiteOf, user_id: str) -> None:
    """The error names the cookie; nothing is stored."""
    session = LegacySession({"a": 1}, user_id=user_id)
    site = site_of([HexSignatureCookie("sid", keys=["secret"], load=lambda _: session)])

    with pytest.raises(
        UnencodableValue, match=r"load\(\) of <HexSignatureCookie 'sid'> got .* Fix: "
    ):
        site.visit(everything, HEADERS["hex"])
    assert "create" not in site.store_calls()


def test_an_error_of_resume_loses_nothing(clock: ManualClock, old: OldSystem) -> None:
    """The next use in the same request asks again, also where the session has just moved."""
    answers: list[Any] = [LookupError("a bug of resume"), True]

    class Failing(Session):
        def resume(self, request: RequestHead) -> bool:
            answer = answers.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return bool(answer)

    def use_twice(session: Session) -> object:
        with pytest.raises(LookupError):
            session.get("items")
        return session.user_id, dict(session)

    site = Site(
        MemoryStore(clock=clock),  # type: ignore[arg-type]
        clock,
        legacy_cookies=old.cookies(end=old.end),
        session_class=Failing,
    )

    assert site.visit(use_twice, HEADERS["hex"]).value == ("ada", {"items": "Dog"})
    assert (old.loaded, old.ended) == (["abc123"], ["abc123"])
