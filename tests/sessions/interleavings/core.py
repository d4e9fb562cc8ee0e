"""The real core with a clock and random numbers that a schedule controls."""

import secrets
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from itertools import count
from unittest.mock import patch

from sessions.container import CookieSettings
from sessions.core.driving import BlockingDriver
from sessions.core.face import face
from sessions.core.ids import Id, read_id
from sessions.core.lifetime import Lifetimes
from sessions.core.limits import LINEAGE_LENGTH
from sessions.core.signing import IdSigner
from sessions.core.standing import Standing
from sessions.core.state import State
from sessions.core.stored import StoredSessions
from sessions.core.tokens import SignedIds, Tokens
from sessions.core.verbs import Rules
from sessions.record import Ended, Record
from sessions.session import Session
from sessions.stores.memory import MemoryStore
from sessions.testing.clock import ManualClock
from sessions.transports.cookie import CookieTransport
from tests.sessions.interleavings.contents import Contents

IDLE, ABSOLUTE = 3600.0, 86_400.0
NAME = "session"


class Core:
    """Hold the sessions of one container, and what they draw and read the time from.

    A request is closed as the blocking driver does it if it `closes_directly`, else as the
    asynchronous one does.
    """

    def __init__(
        self,
        kind: Callable[[Rules, Tokens], StoredSessions] = StoredSessions,
        *,
        rolling: bool = False,
        closes_directly: bool = True,
        indexes_users: bool = False,
    ) -> None:
        self.rolling = rolling
        self.closes_directly = closes_directly
        self.clock = ManualClock()
        self._drawing, self._numbers = "", count()
        signer = IdSigner(["the key of the model of the core, 0123456789"], purpose="model")
        self.tokens = SignedIds(signer, [CookieTransport(NAME, CookieSettings())])
        rules = Rules(
            lifetimes=Lifetimes(IDLE, ABSOLUTE),
            gen_id=self._secret,
            clock=self.clock,
            rolling=rolling,
            indexes_users=indexes_users,
        )
        self.sessions = kind(rules, self.tokens)
        # What asks the store is a flow of the model's: this driver serves what happens in memory.
        self._driver = BlockingDriver(self.sessions, MemoryStore())
        self._moments: set[Hashable] = set()

    def face(self, state: State) -> Session:
        """Return the session that a handler has."""
        return face(Session, state, self._driver)

    @contextmanager
    def drawing(self) -> Iterator[None]:
        """Let `begin` determine the random lineages, too."""
        with patch.object(secrets, "token_urlsafe", self._lineage):
            yield

    def begin(self, name: str, now: float) -> None:
        """Use the random numbers of this request from now on."""
        self._drawing, self._numbers = name, count()
        self.clock.set(now)

    def stored(self, record: Record, id: Id, earlier: Id) -> Record:
        """Return a record as a store has it; `earlier` is the id that may have grace."""
        return record

    def opened(self, entry: Record | Ended) -> Record | Ended:
        """Return an entry of the store with plain values."""
        return entry

    def worth_of(self, id: Id, contents: Contents, now: float) -> Standing | None:
        """Return what the core lets a new request with an id do; None if nothing."""
        self.clock.set(now)
        state = State(None, now, None)
        state.ids = (id,)
        ask = self.sessions.load_ask(state)
        self.sessions.load_answer(state, contents.ask(ask or (), now)[0])
        return None if state.record is None else state.standing

    def is_new(self, moment: Hashable) -> bool:
        """Return whether this is the first question about the moment."""
        before = len(self._moments)
        # What asks the store is a flow of the model's: this driver serves what happens in memory.
        self._driver = BlockingDriver(self.sessions, MemoryStore())
        self._moments.add(moment)
        return len(self._moments) > before

    def _secret(self) -> str:
        return _padded(f"{self._drawing}-{next(self._numbers)}")

    def _lineage(self, size: int) -> str:
        return _padded(f"{self._drawing}-{next(self._numbers)}")


def made_id(lineage: str, secret: str) -> Id:
    """Return the id that has this lineage and this secret."""
    return read_id(_padded(lineage) + _padded(secret))


def _padded(text: str) -> str:
    return text.ljust(LINEAGE_LENGTH, "_")
