"""Whatever requests do, in whatever order they overlap: sessions behave as the model says."""

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
from sessions.signing import IdSigner
from sessions.testing import ManualClock
from sessions.transports.base import Headers
from sessions.wsgi import EnvironHead
from tests.sessions.apps import KEY
from tests.sessions.model import ABSOLUTE, IDLE, Visit, World

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
values = st.integers(0, 9) | st.lists(st.integers(0, 9), max_size=2)
acts = st.one_of(
    st.builds(_set, st.dictionaries(keys, values, min_size=1)),
    st.builds(_append, keys, st.integers(0, 9)),
    st.builds(_pop, keys) | st.builds(_delete, keys) | st.just(_clear),
)
lapses = st.sampled_from([59, 61, IDLE - 1, IDLE, ABSOLUTE])
timeouts = st.sampled_from([10.0, 2 * IDLE])


@dataclass
class Request:
    """One request: the session under test, and what the model says of it."""

    session: Session
    visit: Visit


class Sessions(RuleBasedStateMachine):
    """One browser sends requests that overlap; each is held against the model at every step."""

    requests = Bundle[Request]("requests")

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
            )
        )
        self.world = World(self.clock())
        self.held: str | None = None
        self.ids: set[str] = set()
        self.in_flight = 0

    def make_store(self) -> Store:
        """Return an empty store."""
        return MemoryStore(clock=self.clock)

    @initialize()
    def begin(self) -> None:
        """Begin with a session, for what matters happens to one that exists."""
        request = self.open()
        self.write(request, _set({"a": 1, "b": [1]}))
        self.close(request, failed=False)

    @rule(target=requests)
    @precondition(lambda self: self.in_flight < 3)
    def open(self) -> Request:
        """Begin a request with the cookie that the browser has now."""
        self.in_flight += 1
        cookie = "" if self.held is None else f"session={SIGNER.sign(self.held)}"
        head = EnvironHead({"HTTP_COOKIE": cookie, "wsgi.url_scheme": "http"})
        return Request(self.manager.open(head), Visit(self.world, self.held))

    @rule(request=requests)
    def read(self, request: Request) -> None:
        """See the model's values."""
        request.visit.load()

        assert dict(request.session) == request.visit.view

    @rule(request=requests, act=acts)
    def write(self, request: Request, act: Act) -> None:
        """Do to the session what is done to the model's dictionary; the same comes of it."""
        request.visit.load()

        assert _outcome(act, request.session) == _outcome(act, request.visit.view)

    @rule(request=requests, seconds=timeouts)
    def remember(self, request: Request, seconds: float) -> None:
        """Give the session a timeout of its own."""
        request.visit.load()
        request.visit.new_timeout = seconds
        request.session.timeout = timedelta(seconds=seconds)

    @rule(request=requests)
    def save(self, request: Request) -> None:
        """Commit in the middle of the request."""
        request.visit.load()
        request.session.save()
        request.visit.save(self._id_of(request))

    @rule(request=requests)
    def reload(self, request: Request) -> None:
        """See what other requests committed, or that the session ended."""
        request.visit.load()
        if request.visit.reload():
            request.session.reload()
        else:
            with pytest.raises(SessionNotFound):
                request.session.reload()

        assert dict(request.session) == request.visit.view

    @rule(request=requests)
    def regenerate(self, request: Request) -> None:
        """Log in."""
        request.visit.load()
        request.session.regenerate()
        request.visit.regenerate(self._id_of(request))

    @rule(request=requests)
    def destroy(self, request: Request) -> None:
        """Log out."""
        request.session.destroy()
        request.visit.destroy()

    @rule(lapse=lapses)
    def advance(self, lapse: float) -> None:
        """Let time pass, for the requests in flight too."""
        self.clock.advance(lapse)
        self.world.now = self.clock()

    @rule(request=consumes(requests), failed=st.sampled_from([False, False, False, True]))
    def close(self, request: Request, failed: bool) -> None:
        """Answer, with a 5xx now and then; the browser keeps the cookie that comes."""
        self.in_flight -= 1
        headers = self.manager.close(request.session, failed=failed)
        request.visit.close(request.session._id, failed=failed)

        assert ("Vary", "Cookie") in headers or not request.visit.loaded
        assert self._brought(headers) == request.visit.answer
        if request.visit.answer is not None:
            self.held = request.visit.answer or None

    @invariant()
    def the_store_has_what_the_model_has(self) -> None:
        """Every id that was ever live is found with its values, or is dead."""
        self.ids.update(self.world.kept)
        for known in self.ids:
            kept = self.world.find(known)
            if kept is None:
                with pytest.raises(SessionNotFound):
                    self.manager.get(known)
            else:
                assert dict(self.manager.get(known)) == kept.values

    def _id_of(self, request: Request) -> str:
        """Return the id that the session has now; ids are random, so the model must be told."""
        return request.session.id

    def _brought(self, headers: Headers) -> str | None:
        cookies = [value for name, value in headers if name == "Set-Cookie"]
        if not cookies:
            return None
        (cookie,) = cookies
        token = cookie.partition(";")[0].removeprefix("session=")
        return SIGNER.unsign(token) if token else ""


class SessionsInSQLite(Sessions):
    """The same on the other store."""

    def make_store(self) -> Store:
        """Return an empty store in a file of its own."""
        self.folder = TemporaryDirectory()
        return SQLiteStore(Path(self.folder.name) / "sessions.db", clock=self.clock)

    def teardown(self) -> None:
        """Remove the file."""
        if isinstance(self.store, SQLiteStore):
            self.store.close()
        self.folder.cleanup()


Sessions.TestCase.settings = settings(max_examples=100, stateful_step_count=40)
SessionsInSQLite.TestCase.settings = settings(max_examples=30, stateful_step_count=40)

TestSessions = Sessions.TestCase
TestSessionsInSQLite = SessionsInSQLite.TestCase
