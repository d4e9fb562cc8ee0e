"""Encrypted tokens: the record, encrypted with AES-256-GCM by the library `cryptography`.

Each token has 24 random bytes. The container's key and the first 12 bytes give a key for this token
only. The other 12 bytes are the nonce. AES-GCM allows a limited number of messages for one key.
No key reaches this limit, because each token has its own key. Source: NIST SP 800-38D, 8.3.
"""

import hashlib
import hmac
import os
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from sessions.core.ids import Id
from sessions.core.payloads import CarriedId, packed, unpacked
from sessions.core.signing import derived_key
from sessions.core.token_formats import Sealer, from_text, to_text
from sessions.record import Record

_SEAL_VERSION = b"\x01"
_KEY_SALT = 12
_RANDOM = 24
_TAG = 16


class EncryptedSealer(Sealer):
    """Encrypt and decrypt tokens; a token is valid only for the session name of its container."""

    def __init__(self, keys: Sequence[str | bytes], name: str) -> None:
        purpose = f"encrypted session token:{name}"
        self._keys = tuple(derived_key(key, purpose) for key in keys)
        self._authenticated = _SEAL_VERSION + purpose.encode()

    def seal(self, id: Id, record: Record) -> str:
        random = os.urandom(_RANDOM)
        cipher = _cipher(self._keys[0], random)
        sealed = cipher.encrypt(random[_KEY_SALT:], packed(id, record), self._authenticated)
        return to_text(_SEAL_VERSION + random + sealed)

    def open(self, token: str) -> CarriedId | None:
        data = from_text(token)
        if data is None or len(data) <= 1 + _RANDOM + _TAG or data[:1] != _SEAL_VERSION:
            return None
        random, sealed = data[1 : 1 + _RANDOM], data[1 + _RANDOM :]
        for key in self._keys:
            try:
                plain = _cipher(key, random).decrypt(
                    random[_KEY_SALT:], sealed, self._authenticated
                )
            except InvalidTag:
                continue
            return unpacked(plain)
        return None


def _cipher(key: bytes, random: bytes) -> AESGCM:
    return AESGCM(hmac.digest(key, random[:_KEY_SALT], hashlib.sha256))
