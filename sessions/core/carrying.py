"""Which session a request brings in its token, where no server keeps the sessions."""

from collections.abc import Sequence

from sessions.core.ids import Id
from sessions.core.payloads import CarriedId
from sessions.core.state import State
from sessions.core.token_formats import Sealer
from sessions.core.tokens import Tokens
from sessions.record import Record
from sessions.transports.base import Transport

LONGEST_CARRIED_TOKEN = 128 * 1024


class CarryingTokens(Tokens):
    """Find the sessions that a request brings, and answer over the transport that brought them."""

    def __init__(self, sealer: Sealer, transports: Sequence[Transport]) -> None:
        super().__init__(transports)
        self._sealer = sealer

    def token(self, id: Id) -> str:
        """Return the token of an id that came with its record, sealed by the newest key."""
        if not isinstance(id, CarriedId):
            raise TypeError(f"{id!r} came with no record, so no token can be made of it")
        return self._sealer.seal(id, id.record)

    def read(self, token: str) -> Id | None:
        """Return the id that a token carries, with its record; None unless we have sealed it."""
        return self._sealer.open(token) if len(token) <= LONGEST_CARRIED_TOKEN else None

    def seal(self, id: Id, record: Record) -> str:
        """Return the token of the record, sealed by the newest key."""
        return self._sealer.seal(id, record)

    def excess(self, state: State, token: str, max_age: int | None) -> tuple[int, int] | None:
        """Return the bytes of the header with the token, and the limit, if it is too long."""
        transport = state.transport or self._first
        limit = transport.longest_header
        if limit is None or state.head is None:
            return None
        sent = transport.send(state.head, token, max_age)
        size = max((len(value) for _, value in sent), default=0)
        return (size, limit) if size > limit else None

    def _signed(self, tokens: list[str]) -> tuple[Id, ...]:
        """Return each session once, as its latest token has it."""
        sessions: dict[str, CarriedId] = {}
        for token in tokens:
            id = self.read(token)
            if not isinstance(id, CarriedId):
                continue
            known = sessions.get(id.key)
            if known is None or known.record.accessed_at < id.record.accessed_at:
                sessions[id.key] = id
        return tuple(sessions.values())
