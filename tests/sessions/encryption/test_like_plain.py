"""Encrypted sessions answer, send events and call the store exactly as plain sessions do."""

from collections.abc import Callable
from contextlib import suppress
from copy import deepcopy
from datetime import timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from sessions import MemoryStore, Session, SessionError
from sessions.testing import ManualClock
from tests.support.any_values import alike, values
from tests.support.apps import Browser, Site
from tests.support.encrypting import NEW
from tests.support.thoroughness import examples
from tests.support.watched import WatchedStore

Act = Callable[[Session], object]

names = st.sampled_from(["a", "b", "c"]) | st.text(max_size=3).filter(lambda name: "\0" not in name)
numbers = st.integers(-2, 2)


def _set(name: str, value: object) -> Act:
    # A copy for each side, for a list is changed in place later.
    return lambda session: session.__setitem__(name, deepcopy(value))


def _append(name: str, value: object) -> Act:
    def append(session: Session) -> None:
        items = session.setdefault(name, [])
        if isinstance(items, list):
            items.append(value)

    return append


def _update(name: str, value: object) -> Act:
    return lambda session: session.update_with(name, lambda old: [old, deepcopy(value)])


def _increment(name: str, by: int) -> Act:
    return lambda session: session.increment(name, by)


def _set_timeout(seconds: int) -> Act:
    return lambda session: setattr(session, "timeout", timedelta(seconds=seconds))


acts = st.one_of(
    st.builds(_set, names, values),
    st.builds(_append, names, numbers),
    st.builds(_update, names, numbers),
    st.builds(_increment, names, numbers),
    st.builds(lambda name: lambda session: session.pop(name, "nothing"), names),
    st.builds(lambda name: lambda session: session.take(name, "nothing"), names),
    st.builds(lambda text: lambda session: session.flash(text), st.text(max_size=3)),
    st.just(lambda session: [*map(tuple, session.take_flashes())]),
    st.just(Session.clear),
    st.just(Session.save),
    st.just(Session.reload),
    st.just(Session.regenerate),
    st.just(lambda session: session.regenerate(grace=timedelta(seconds=30))),
    st.builds(
        lambda user, data: lambda session: session.set_user(user, role=data),
        st.sampled_from(["ada", "bob"]),
        numbers,
    ),
    st.just(Session.clear_user),
    st.just(Session.destroy),
    st.builds(_set_timeout, st.integers(1, 100)),
)
requests = st.tuples(
    st.lists(acts, max_size=5),
    st.sampled_from([200, 200, 200, 404, 500]),
    # How long ago the cookie was the present one, in requests; the time that passes before.
    st.sampled_from([0, 0, 0, 1, 2]),
    st.sampled_from([0, 0, 1, 40, 70]),
)


class Side:
    """Serve one of the two sites, with the cookies that its browser had."""

    def __init__(self, **more: Any) -> None:
        self.clock = ManualClock()
        store = WatchedStore(MemoryStore(clock=self.clock))
        self.site = Site(store, self.clock, **more)
        self.browser = Browser(self.site)
        self.cookies = [""]

    def send(self, request: tuple[list[Act], int, int, int]) -> tuple[list[Any], Any]:
        """Send a request; return the results of its acts, and everything else that can be seen."""
        todo, status, age, lapse = request
        self.clock.advance(lapse)
        self.browser.cookie = self.cookies[max(0, len(self.cookies) - 1 - age)]
        seen: list[Any] = []
        answer = self.browser.visit(lambda session: self._do(session, todo, seen), status=status)
        if self.browser.cookie != self.cookies[-1] and answer.set_cookies:
            self.cookies.append(self.browser.cookie)
        told = [(event.kind, event.detail) for event in self.site.events]
        has_cookie = [not answer.clears for _ in answer.set_cookies]
        return seen, (answer.status, has_cookie, told, self.site.store.calls)

    def _do(self, session: Session, todo: list[Act], seen: list[Any]) -> None:
        for act in todo:
            with suppress(SessionError, TypeError, AttributeError):
                seen.append(act(session))
        # The last part of a message's name is random.
        seen.append([(name[: len("_flash.000000")], value) for name, value in session.items()])
        seen.append((session.user_id, session.user_data, session.is_new, session.gone))


@settings(max_examples=examples(150))
@given(st.lists(requests, min_size=1, max_size=6))
def test_encrypted_sessions_are_like_plain_ones(sent: list[Any]) -> None:
    """Both have the same values in the same order, and the same cookies, events and store calls."""
    plain, encrypted = Side(), Side(encryption_keys=[NEW])
    for request in sent:
        expected, found = plain.send(request), encrypted.send(request)
        assert alike(found[0], expected[0])
        assert found[1] == expected[1]
