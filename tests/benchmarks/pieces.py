"""The pieces of a request that reads or writes a session in memory, as functions to be timed."""

import secrets
from collections.abc import Callable, Iterator
from wsgiref.types import WSGIEnvironment

from werkzeug.test import create_environ

from sessions import MemoryStore, Session, SessionContainer, SessionManager
from sessions.core.commits import changes_of
from sessions.core.face import state_of
from sessions.core.lifetime import Lifetimes
from sessions.core.signing import IdSigner
from sessions.core.state import ENCODED, Ask, State, check_size
from sessions.core.stored import StoredSessions
from sessions.core.tokens import SignedIds
from sessions.core.verbs import Rules
from sessions.edges import merge_headers
from sessions.record import Outcome, Record
from sessions.transports.cookie import CookieTransport
from sessions.wsgi import EnvironHead
from tests.benchmarks.floor import Floor
from tests.benchmarks.measuring import Piece
from tests.benchmarks.visitor import counted

READING, WRITING = "pieces of a read", "pieces of a write"
NOTHING = "nothing"
PREPARE = "prepare "
"""Before the name of a piece: what it does only to be able to run again."""

Pieces = dict[str, Callable[[], object]]


def pieces() -> Iterator[Piece]:
    """Yield every piece, and a function that does nothing, for what a call costs."""
    for group, is_write in ((READING, False), (WRITING, True)):
        calls: Pieces = {NOTHING: _nothing, **_of_the_floor(is_write=is_write)}
        parts = _Parts()
        calls |= parts.loading() | parts.using(is_write=is_write) | parts.saving(is_write=is_write)
        for name, call in calls.items():
            yield Piece(group=group, name=name, call=call)


def _nothing() -> None:
    """Do nothing, which costs a call."""


class _Parts:
    """The parts of a manager, and the request of a visitor with a stored session."""

    def __init__(self) -> None:
        self.store = MemoryStore()
        container = SessionContainer(keys=[secrets.token_hex(32)], store=self.store)
        self.manager = SessionManager(container)
        self.clock = container.clock
        self.lifetimes = Lifetimes(
            container.idle_timeout.total_seconds(), container.absolute_timeout.total_seconds()
        )
        rules = Rules(lifetimes=self.lifetimes, gen_id=container.gen_id, clock=container.clock)
        signer = IdSigner(container.keys, purpose=f"session id:{container.session_prefix}")
        cookie = CookieTransport(container.session_prefix, container.cookie)
        self.tokens = SignedIds(signer, (cookie,))
        self.sessions = StoredSessions(rules, self.tokens)
        self.environ = _with_a_session(self.manager)

    def loading(self) -> Pieces:
        """Return the pieces that come before the values can be used."""
        _, identified, _ = self._loaded()
        _, answered, record = self._loaded()
        opened, loaded, _ = self._loaded()
        (id,) = self.tokens.identify(identified)

        def forget_ids() -> None:
            identified.ids = None

        def identify() -> None:
            identified.ids = None
            self.tokens.identify(identified)

        def forget_answer() -> None:
            answered.found, answered.values = (), None

        def answer() -> None:
            answered.found, answered.values = (), None
            self.sessions.load_answer(answered, record)

        def forget_all() -> None:
            loaded.ids, loaded.found, loaded.values = None, (), None

        def load() -> None:
            loaded.ids, loaded.found, loaded.values = None, (), None
            opened.load()

        return {
            "open": lambda: self.manager.open(EnvironHead(self.environ)),
            "identify": identify,
            PREPARE + "identify": forget_ids,
            "store load": lambda: self.store.load(id.key),
            "answer": answer,
            PREPARE + "answer": forget_answer,
            "load": load,
            PREPARE + "load": forget_all,
        }

    def using(self, *, is_write: bool) -> Pieces:
        """Return the pieces of the handler."""
        session, state, _ = self._loaded()

        def forget() -> None:
            state.values, state.assigned = {"count": ENCODED}, None

        def read() -> None:
            state.values, state.assigned = {"count": ENCODED}, None
            session["count"]

        def write() -> None:
            state.values, state.assigned = {"count": ENCODED}, None
            session["count"] = session.get("count", 0) + 1
            session["count"]

        return {"use": write if is_write else read, PREPARE + "use": forget}

    def saving(self, *, is_write: bool) -> Pieces:
        """Return the pieces that come after the handler."""
        session, state, _ = self._used(is_write=is_write)
        base = state.base

        def forget() -> None:
            state.headers, state.closed, state.base, state.applied = None, False, base, ()
            state.saved = state.written = state.is_unfinished = False

        def close() -> None:
            state.headers, state.closed, state.base, state.applied = None, False, base, ()
            state.saved = state.written = state.is_unfinished = False
            self.manager.close(session)

        response = [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", "1")]
        headers = self.manager.close(session)
        return {
            "difference": self._used(is_write=is_write)[1].changes,
            **(self._committing() if is_write else self._touching()),
            "close": close,
            PREPARE + "close": forget,
            "headers": lambda: self.sessions.headers(state),
            "merge": lambda: merge_headers([*response], headers),
            PREPARE + "merge": lambda: [*response],
        }

    def _touching(self) -> Pieces:
        _, _, record = self._loaded()
        return {"touch": lambda: self.lifetimes.touch_is_due(record, self.clock())}

    def _committing(self) -> Pieces:
        _, state, record = self._used(is_write=True)
        base, difference = state.base, state.changes()
        (id,) = self.tokens.identify(state)
        changes = changes_of(record, state.pending, difference, self.lifetimes, self.clock())
        ask: Ask = ("commit", id.key, changes)

        def forget() -> None:
            state.base, state.applied = base, ()

        def learn() -> None:
            state.base, state.applied = base, ()
            self.sessions.close_answer(state, ask, Outcome.APPLIED)

        return {
            "size": lambda: check_size(base, *difference),
            "carry": lambda: changes_of(
                record, state.pending, difference, self.lifetimes, self.clock()
            ),
            "store commit": lambda: self.store.commit(id.key, changes),
            "learn": learn,
            PREPARE + "learn": forget,
        }

    def _used(self, *, is_write: bool) -> tuple[Session, State, Record]:
        session, state, record = self._loaded()
        count = session["count"]
        if is_write:
            session["count"] = count + 1
        return session, state, record

    def _loaded(self) -> tuple[Session, State, Record]:
        session = self.manager.open(EnvironHead(self.environ))
        session.load()
        state = state_of(session)
        if state.record is None:
            raise LookupError("there is no stored session to take apart")
        return session, state, state.record


def _with_a_session(manager: SessionManager) -> WSGIEnvironment:
    """Return the request of a visitor whose session is stored."""
    environ = create_environ("/read", headers={"User-Agent": "Mozilla/5.0", "Accept": "*/*"})
    session = manager.open(EnvironHead(environ))
    session["count"] = 2
    cookie = dict(manager.close(session))["Set-Cookie"].partition(";")[0]
    return {**environ, "HTTP_COOKIE": cookie}


def _of_the_floor(*, is_write: bool) -> Pieces:
    floor = Floor()
    environ = [*counted(floor)][1 if is_write else 0]
    session = floor.open(environ)
    key = f"{session.key}"

    def read() -> None:
        session.values = {}
        session.get("count")

    def write() -> None:
        session.values = {}
        session.values["count"] = session.get("count", 0) + 1
        session.get("count")

    def forget() -> None:
        session.values = {}

    use = write if is_write else read
    use()
    used = floor.open(environ)
    used.values = {**session.values}
    calls: Pieces = {
        "floor identify": lambda: floor.identify(environ),
        "floor open": lambda: floor.open(environ),
        "floor use": use,
        PREPARE + "floor use": forget,
        "floor difference": lambda: floor.difference(used),
    }
    changed = floor.difference(used)
    return calls | ({"floor merge": lambda: floor.merge(key, changed)} if is_write else {})
