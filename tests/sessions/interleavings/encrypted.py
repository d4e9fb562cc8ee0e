"""The core of a container that encrypts, so that the store has only sealed values."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from hashlib import sha256
from itertools import count
from unittest.mock import patch

from sessions.core import sealing
from sessions.core.ids import Id
from sessions.core.sealed import SealedSessions
from sessions.core.sealing import USER, DataKey, Wrapping, wrapped_name
from sessions.core.standing import Standing
from sessions.core.values import SEALED
from sessions.errors import UnreadableValue
from sessions.record import ENCRYPTED_VERSION, FORMAT_VERSION, Ended, Record
from tests.sessions.interleavings.contents import Contents
from tests.sessions.interleavings.core import NAME, Core
from tests.support.encrypting import NEW, OLD


class KnownWrapping(Wrapping):
    """Remember each id for which a data key was wrapped, so that the test can open each record."""

    ids: dict[str, Id]

    def wrap(self, id: Id, data_key: DataKey) -> bytes:
        """Wrap a data key, and remember the id."""
        self.ids[id.secret] = id
        return super().wrap(id, data_key)


class EncryptedCore(Core):
    """Hold sessions that are encrypted; at the beginning, the newest key is not in use yet.

    What the core draws at random follows from the request that draws it, so that a request asks the
    same again if it is told the same.
    """

    def __init__(
        self,
        kind: type[SealedSessions] = SealedSessions,
        *,
        rolling: bool = False,
        closes_directly: bool = True,
    ) -> None:
        self._wrapping = KnownWrapping([NEW, OLD], NAME)
        self._older = KnownWrapping([OLD], NAME)
        self._wrapping.ids = self._older.ids = {}
        self._bytes = count()
        super().__init__(
            partial(kind, wrapping=self._wrapping),
            rolling=rolling,
            closes_directly=closes_directly,
        )

    @contextmanager
    def drawing(self) -> Iterator[None]:
        """Let `begin` determine the random keys and nonces, too."""
        with super().drawing(), patch.object(sealing, "urandom", self._random):
            yield

    def begin(self, name: str, now: float) -> None:
        """Use the random numbers of this request from now on."""
        super().begin(name, now)
        self._bytes = count()

    def stored(self, record: Record, id: Id, earlier: Id) -> Record:
        """Return a record as a store has it, its data key wrapped under the older key."""
        with self.drawing():
            data_key = self._older.new(id)
            values = {wrapped_name(id.secret): self._older.wrap(id, data_key)}
            if record.grace is not None:
                values[wrapped_name(earlier.secret)] = self._older.wrap(earlier, data_key)
            if record.user_id is not None:
                values[USER] = data_key.sealed_user(record.user_id)
            values.update(data_key.seal_all(record.values))
        return replace(record, values=values, version=ENCRYPTED_VERSION)

    def opened(self, entry: Record | Ended) -> Record | Ended:
        """Return an entry with plain values, or with a text that says what is wrong with its
        keys."""
        if isinstance(entry, Ended):
            return entry
        secrets = [entry.secret] if entry.grace is None else [entry.secret, entry.grace.secret]
        names = {name for name in entry.values if name.startswith(f"{SEALED}key.")}
        if not names <= {*map(wrapped_name, secrets)}:
            return replace(entry, values={"the data key for an id of nobody": b""})
        try:
            values = [self._open(entry, self._wrapping.ids[secret]) for secret in secrets]
        except UnreadableValue as error:
            return replace(entry, values={f"{error}": b""})
        return replace(entry, values=values[0], version=FORMAT_VERSION)

    def worth_of(self, id: Id, contents: Contents, now: float) -> Standing | None:
        """Return what the core lets a new request with an id do, if the id opens the data key."""
        return super().worth_of(self._wrapping.ids.get(id.secret, id), contents, now)

    def _open(self, record: Record, id: Id) -> dict[str, bytes]:
        data_key = self._wrapping.unwrap(id, record.values)
        if data_key.user_in(record.values) != record.user_id:
            raise UnreadableValue("the user is not the one that was sealed")
        return data_key.open_all(record.values)

    def _random(self, size: int) -> bytes:
        return sha256(f"{self._drawing}-{next(self._bytes)}".encode()).digest()[:size]
