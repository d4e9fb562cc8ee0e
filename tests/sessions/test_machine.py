"""Random requests that overlap in any order: sessions do what a simple model says."""

from collections.abc import Callable, Mapping, MutableMapping
from copy import deepcopy
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    precondition,
    rule,
)

from sessions import (
    MemoryStore,
    Session,
    SessionContainer,
    SessionManager,
    SessionNotFound,
    SQLiteStore,
    Store,
)
from sessions.core.signing import IdSigner
from sessions.testing import ManualClock
from sessions.transports.base import Headers
from tests.support.apps import KEY
from tests.support.loops import a_head
from tests.support.model import ABSOLUTE, IDLE, World, lineage
from tests.support.model_requests import Visit
from tests.support.thoroughness import examples

SIGNER = IdSigner([KEY], purpose="session id:session")

Act = Callable[[MutableMapping[str, Any]], object]


def _set(values: Mapping[str, Any]) -> Act:
    # A copy for each side, for a list is changed in place later.
    return lambda mapping: mapping.update(deepcopy(values))


def _append(key: str, value: int) -> Act:
    return lambda mapping: mapping.setdefault(key, []).append(value)


def _pop(key: str) -> Act:
    return lambda mapping: mapping.pop(key, None)


def _delete(key: str) -> Act:
    return lambda mapping: mapping.__delitem__(key)


def _clear(mapping: MutableMapping[str, Any]) -> None:
    mapping.clear()


def _outcome(act: Act, mapping: MutableMapping[str, Any]) -> object:
    try:
        return act(mapping)
    except (KeyError, AttributeError) as error:
        return type(error)


keys = st.sampled_from("abc")
values = st.integers(0, 2) | st.lists(st.integers(0, 2), max_size=2)
acts = st.one_of(
    st.builds(_set, st.dictionaries(keys, values, min_size=1)),
    st.builds(_append, keys, st.integers(0, 2)),
    st.builds(_pop, keys) | st.builds(_delete, keys) | st.just(_clear),
)
GRACE = 30.0
lapses = st.sampled_from([1, 11, GRACE - 1, GRACE, 59, 61, IDLE - 1, IDLE, ABSOLUTE])
timeouts = st.sampled_from([10.0, 2 * IDLE, None])


@dataclass
class Request:
    """One open request: its real session, and the state that the model expects."""

    session: Session
    visit: Visit


class Sessions(RuleBasedStateMachine):
    """Send overlapping requests of one browser, and compare each step with the model."""

    requests = Bundle[Request]("requests")
    encryption_keys: tuple[str, ...] | None = None

    def __init__(self) -> None:
        super().__init__()
        self.clock = ManualClock()
        self.store = self.make_store()
        self.manager = SessionManager(
            SessionContainer(
                keys=[KEY],
                store=self.store,
                clock=self.clock,
                idle_timeout=timedelta(seconds=IDLE),
                absolute_timeout=timedelta(seconds=ABSOLUTE),
                encryption_keys=self.encryption_keys,
            )
        )
        self.world = World(self.clock())
        self.held: str | None = None
        self.ids: list[str] = []
        self.in_flight = 0

    def make_store(self) -> Store:
        """Return an empty store."""
        return MemoryStore(clock=self.clock)

    @initialize(kind=st.sampled_from(["plain", "remembered", "signed in", "renewed"]))
    def begin(self, kind: str) -> None:
        """Begin with a stored session."""
        request = self.open()
        self.write(request, _set({"a": 1, "b": [1]}))
        if kind == "remembered":
            self.remember(request, 2 * IDLE)
        if kind == "signed in":
            self.sign_in(request, "ada")
        self.close(request, failed=False)
        self.the_store_has_what_the_model_has()
        if kind == "renewed":
            request = self.open()
            self.regenerate(request, GRACE)
            self.close(request, failed=False)

    @rule(target=requests)
    @precondition(lambda self: self.in_flight < 3)
    def open(self) -> Request:
        """Begin a request with the cookie that the browser has now."""
        return self._open(self.held)

    @rule(target=requests, number=st.integers(0, 3))
    @precondition(lambda self: self.in_flight < 3)
    def open_late(self, number: int) -> Request:
        """Begin a request with any cookie that a browser ever had."""
        return self._open(self.ids[number] if number < len(self.ids) else None)

    @rule(request=requests)
    def read(self, request: Request) -> None:
        """Compare all values with the model."""
        session, visit = request.session, request.visit
        visit.load()

        assert dict(session) == visit.view
        assert (session.user_id, session.is_new) == (visit.user, visit.seen is None)
        assert (session.gone, session.ended, session.saved) == (
            visit.gone,
            visit.ended,
            visit.saved,
        )

    @rule(request=requests, act=acts)
    def write(self, request: Request, act: Act) -> None:
        """Do the same to the session and to the model's dictionary, and compare the results."""
        request.visit.load()

        assert _outcome(act, request.session) == _outcome(act, request.visit.view)

    @rule(request=requests, seconds=timeouts)
    def remember(self, request: Request, seconds: float | None) -> None:
        """Give the session a timeout of its own, or remove it."""
        request.visit.load()
        request.visit.set_timeout(seconds)
        request.session.timeout = None if seconds is None else timedelta(seconds=seconds)

    @rule(request=requests)
    def save(self, request: Request) -> None:
        """Commit during the request, or learn that the session has ended."""
        request.visit.load()
        is_there = _is_found(request.session.save)

        assert request.visit.save(request.session.id) == is_there

    @rule(request=requests, meanwhile=st.sampled_from([None, "renewed", "new id", "ada", "out"]))
    def reload(self, request: Request, meanwhile: str | None) -> None:
        """Read what other requests committed, or learn that the session has ended."""
        self.read(request)
        if meanwhile is not None:
            self.answer_another(meanwhile)

        assert _is_found(request.session.reload) == request.visit.reload()
        assert dict(request.session) == request.visit.view

    @rule(request=requests, grace=st.sampled_from([None, GRACE]))
    def regenerate(self, request: Request, grace: float | None) -> None:
        """Take a new id."""
        request.visit.load()
        request.session.regenerate(grace=None if grace is None else timedelta(seconds=grace))
        request.visit.regenerate(request.session.id, grace)

    @rule(request=requests, user=st.sampled_from(["ada", "bob"]))
    def sign_in(self, request: Request, user: str) -> None:
        """Log in."""
        request.visit.load()
        request.session.set_user(user)
        request.visit.set_user(user, request.session.id)

    @rule(request=requests, meanwhile=st.sampled_from([None, None, "renewed", "new id"]))
    def sign_out(self, request: Request, meanwhile: str | None) -> None:
        """Sign the user out and keep the session; another request may change it just then."""
        request.visit.load()
        request.session.clear_user()
        request.visit.clear_user()
        if meanwhile is not None:
            self.reload(request, meanwhile)

    @rule(request=requests)
    def destroy(self, request: Request) -> None:
        """Log out, and end the session."""
        request.session.destroy()
        request.visit.destroy()

    @rule(kind=st.sampled_from(["renewed", "new id", "ada", "bob", "remembered", "written", "out"]))
    def answer_another(self, kind: str) -> None:
        """Serve a complete request of the browser while others are open."""
        request = self.open()
        {
            "renewed": lambda: self.regenerate(request, GRACE),
            "new id": lambda: self.regenerate(request, None),
            "ada": lambda: self.sign_in(request, "ada"),
            "bob": lambda: self.sign_in(request, "bob"),
            "remembered": lambda: self.remember(request, 2 * IDLE),
            "written": lambda: self.write(request, _set({"a": 2})),
            "out": lambda: self.destroy(request),
        }[kind]()
        self.close(request, failed=False)

    @rule(number=st.integers(0, 7))
    def delete(self, number: int) -> None:
        """End a session by any id that it ever had, as an administrator does."""
        if number < len(self.ids):
            known = self.ids[number]

            assert self.manager.delete(known) == self.world.delete(lineage(known))

    @rule(lapse=lapses)
    def advance(self, lapse: float) -> None:
        """Let time pass, also for open requests."""
        self.clock.advance(lapse)
        self.world.now = self.clock()

    @rule(request=consumes(requests), failed=st.sampled_from([False, False, False, True]))
    def close(self, request: Request, failed: bool) -> None:
        """Answer the request, sometimes with a 5xx; the browser keeps a new cookie."""
        self.in_flight -= 1
        session, visit = request.session, request.visit
        headers = self.manager.close(session, failed=failed)
        if visit.loaded:
            visit.close(session.id, failed=failed)

        assert (("Vary", "Cookie") in headers) == visit.loaded
        assert self._brought(headers) == visit.answer
        if visit.answer is not None:
            self.held = visit.answer or None

    @invariant()
    def the_store_has_what_the_model_has(self) -> None:
        """Every earlier id either finds its values and its user, or has no session."""
        self.ids += [kept.id for kept in self.world.kept.values() if kept.id not in self.ids]
        for known in self.ids:
            kept = self.world.find(known)
            if kept is None:
                with pytest.raises(SessionNotFound):
                    self.manager.get(known)
            else:
                found = self.manager.get(known)
                assert (dict(found), found.user_id) == (kept.values, kept.user)

    def _open(self, held: str | None) -> Request:
        self.in_flight += 1
        cookie = "" if held is None else f"session={SIGNER.sign(held)}"
        visit = Visit(self.world, held, began=self.world.now)
        return Request(self.manager.open(a_head(cookie)), visit)

    def _brought(self, headers: Headers) -> str | None:
        cookies = [value for name, value in headers if name == "Set-Cookie"]
        if not cookies:
            return None
        (cookie,) = cookies
        found = SIGNER.unsign(cookie.partition(";")[0].removeprefix("session="))
        return "" if found is None else found.text


def _is_found(act: Callable[[], object]) -> bool:
    """Run the function; return whether the session still exists."""
    try:
        act()
    except SessionNotFound:
        return False
    return True


class EncryptedSessions(Sessions):
    """Run the same test with encrypted sessions."""

    encryption_keys = ("a key of the tests that encrypts, of 32 bytes",)


class SessionsInSQLite(Sessions):
    """Run the same test with SQLiteStore."""

    def make_store(self) -> Store:
        """Return an empty store in a file of its own."""
        self.folder = TemporaryDirectory()
        return SQLiteStore(Path(self.folder.name) / "sessions.db", clock=self.clock)

    def teardown(self) -> None:
        """Remove the file."""
        if isinstance(self.store, SQLiteStore):
            self.store.close()
        self.folder.cleanup()


Sessions.TestCase.settings = settings(max_examples=examples(300), stateful_step_count=40)
EncryptedSessions.TestCase.settings = settings(max_examples=examples(100), stateful_step_count=40)
SessionsInSQLite.TestCase.settings = settings(max_examples=examples(30), stateful_step_count=40)

TestSessions = Sessions.TestCase
TestEncryptedSessions = EncryptedSessions.TestCase
TestSessionsInSQLite = SessionsInSQLite.TestCase
