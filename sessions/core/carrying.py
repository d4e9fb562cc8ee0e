"""Read and write the tokens of stateless sessions: each token contains a whole session."""

import re
from collections.abc import Iterable, Sequence

from sessions.core.ids import Id
from sessions.core.payloads import CarriedId
from sessions.core.state import State
from sessions.core.token_formats import Sealer
from sessions.core.tokens import Tokens
from sessions.record import Record
from sessions.transports.base import Transport

LONGEST_CARRIED_TOKEN = 128 * 1024

# The alphabet of all token formats. The shortest token has an id and a signature.
_TOKEN = re.compile(r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+){0,2}", re.ASCII)


class CarryingTokens(Tokens):
    """Find the sessions in the tokens of a request, and make the token for the response."""

    def __init__(self, sealer: Sealer, transports: Sequence[Transport]) -> None:
        super().__init__(transports)
        self._sealer = sealer

    def token(self, id: Id) -> str:
        """Return the token with the id and its record, made with the newest key."""
        if not isinstance(id, CarriedId):
            raise TypeError(f"{id!r} has no record, so no token can be made from the id")
        return self._sealer.seal(id, id.record)

    def read(self, token: str) -> Id | None:
        """Return the id and the record in a token; None if no key of the container made it."""
        return self._sealer.open(token) if len(token) <= LONGEST_CARRIED_TOKEN else None

    def seal(self, id: Id, record: Record) -> str:
        """Return the token with the id and the record, made with the newest key."""
        return self._sealer.seal(id, record)

    def excess(self, state: State, token: str, max_age: int | None) -> tuple[int, int] | None:
        """If the token's header is too long, return its size and its limit in bytes, else None."""
        if state.head is None:
            return None
        for transport in self.sending_transports(state):
            limit = transport.longest_header
            sent = transport.send(state.head, token, max_age)
            size = max((len(value) for _, value in sent), default=0)
            if limit is not None and size > limit:
                return size, limit
        return None

    def _is_well_formed(self, token: str) -> bool:
        return len(token) <= LONGEST_CARRIED_TOKEN and _TOKEN.fullmatch(token) is not None

    def _distinct(self, ids: Iterable[Id]) -> tuple[Id, ...]:
        """Return one id for each session: the id from the token that was used last."""
        sessions: dict[str, CarriedId] = {}
        for id in ids:
            if not isinstance(id, CarriedId):
                continue
            known = sessions.get(id.key)
            if known is None or known.record.accessed_at < id.record.accessed_at:
                sessions[id.key] = id
        return tuple(sessions.values())
