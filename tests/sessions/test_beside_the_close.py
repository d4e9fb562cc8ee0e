"""A thread of the request changes the session while another thread closes it."""

import secrets
import threading
import time
from collections.abc import Callable

import pytest

from sessions import Session, SessionContainer, SessionEvent, SessionManager
from sessions.errors import SessionTooLarge
from sessions.record import Changes, Outcome
from tests.support.apps import KEY, session_of
from tests.support.dictionary_store import DictionaryStore


class SlowSecrets:
    """Make secrets; one thread gets its secret only after the store has applied a commit."""

    def __init__(self) -> None:
        self.slow: threading.Thread | None = None
        self.began, self.applied, self.ended = (threading.Event() for _ in range(3))

    def __call__(self) -> str:
        if threading.current_thread() is self.slow:
            self.began.set()
            self.applied.wait(5)
        return secrets.token_urlsafe(32)

    def begin(self, act: Callable[[], object]) -> None:
        """Begin to act in another thread, and wait until the act needs a secret."""

        def run() -> None:
            act()
            self.ended.set()

        self.slow = threading.Thread(target=run)
        self.slow.start()
        assert self.began.wait(5)

    def end(self) -> None:
        """Let the act end."""
        if self.slow is not None:
            self.applied.set()
            assert self.ended.wait(5)


class SlowStore(DictionaryStore):
    """Let the act of the other thread end before the answer to a commit is known."""

    def __init__(self, slow: SlowSecrets) -> None:
        super().__init__(time.time)
        self._slow = slow

    def commit(self, key: str, changes: Changes) -> Outcome:
        outcome = super().commit(key, changes)
        self._slow.end()
        return outcome


ACTS: dict[str, Callable[[Session], None]] = {
    "set_user": lambda session: session.set_user("ada"),
    "regenerate": Session.regenerate,
}


@pytest.mark.parametrize("late", ACTS)
@pytest.mark.parametrize("user_id", [None, "ada"])
def test_an_act_beside_the_close_does_not_count_as_stored(late: str, user_id: str | None) -> None:
    """The cookie has the id that the close has committed, and the events tell only this commit."""
    slow, events = SlowSecrets(), list[SessionEvent]()
    container = SessionContainer(
        keys=[KEY], store=SlowStore(slow), gen_id=slow, listeners=[events.append]
    )
    manager = SessionManager(container)
    first = session_of(manager)
    first["a"] = 1
    cookie = _cookie_in(manager.close(first))
    session = session_of(manager, cookie)
    session["a"] = 2
    if user_id is not None:
        session.set_user(user_id)
    events.clear()

    slow.begin(lambda: ACTS[late](session))
    sent = _cookie_in(manager.close(session)) or cookie

    found = session_of(manager, sent)
    assert (found.get("a"), found.user_id, found.is_past) == (2, user_id, False)
    kinds = [event.kind for event in events if event.kind != "loaded"]
    assert kinds == ([] if user_id is None else ["regenerated", "signed_in"])


def test_a_discarded_sign_in_is_not_taken_for_the_next_commit() -> None:
    """The close of the sign-in failed before the store was called."""
    manager = SessionManager(SessionContainer(keys=[KEY], store=DictionaryStore(time.time)))
    first = session_of(manager)
    first["a"] = 1
    cookie = _cookie_in(manager.close(first))
    session = session_of(manager, cookie)
    session["a"] = "x" * 70_000
    session.set_user("ada")
    with pytest.raises(SessionTooLarge):
        manager.close(session)

    manager.discard(session)
    session["a"] = 2
    sent = _cookie_in(manager.close(session))

    found = session_of(manager, cookie)
    assert (sent, found["a"], found.user_id) == ("", 2, None)


def _cookie_in(headers: list[tuple[str, str]]) -> str:
    cookies = [value.partition(";")[0] for name, value in headers if name == "Set-Cookie"]
    return cookies[0] if cookies else ""
