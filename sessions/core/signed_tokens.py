"""Signed tokens: the record, which everybody can read, and its signature."""

import hmac
from collections.abc import Sequence

from sessions.core.ids import Id
from sessions.core.payloads import CarriedId, packed, unpacked
from sessions.core.signing import Signature, derived_key
from sessions.core.token_formats import Sealer, from_text, to_text
from sessions.record import Record


class SignedSealer(Sealer):
    """Sign tokens with HMAC-SHA256; each key depends on the container's `session_prefix`."""

    def __init__(self, keys: Sequence[str | bytes], name: str) -> None:
        purpose = f"signed session token:{name}"
        self._signatures = tuple(Signature(derived_key(key, purpose)) for key in keys)

    def seal(self, id: Id, record: Record) -> str:
        text = to_text(packed(id, record))
        return f"{text}.{self._signatures[0].of(text).decode()}"

    def open(self, token: str) -> CarriedId | None:
        text, _, signature = token.partition(".")
        if not token.isascii():
            return None
        given = signature.encode()
        for known in self._signatures:
            if hmac.compare_digest(known.of(text), given):
                data = from_text(text)
                return None if data is None else unpacked(data)
        return None
