"""Sign ids of sessions, and verify the tokens; check and derive the keys.

Only this module uses itsdangerous. A token equals the output of `Signer` with an HMAC-derived key
and SHA-256. This module uses `Signer` only to derive each key once. For each token, `Signer` would
derive its key again, and it accepts several texts for one signature. So this module makes the
signatures itself, and compares them as text. In a list of keys, the newest key is the first.
"""

import hashlib
import hmac
import re
from binascii import b2a_base64
from collections.abc import Callable, Sequence
from functools import lru_cache

from itsdangerous.signer import Signer

from sessions.core.ids import LONGEST_ID, SHORTEST_ID, Id, read_id
from sessions.core.limits import REMEMBERED_TOKENS

_SIGNATURE_LENGTH = 43
_URL_SAFE = bytes.maketrans(b"+/", b"-_")
LONGEST_TOKEN = LONGEST_ID + 1 + _SIGNATURE_LENGTH
_TOKEN = re.compile(
    rf"([A-Za-z0-9_-]{{{SHORTEST_ID},{LONGEST_ID}}})"
    rf"\.([A-Za-z0-9_-]{{{_SIGNATURE_LENGTH}}})",
    re.ASCII,
)


class Signature:
    """Sign texts with HMAC-SHA256, and hash the key only once. Source: RFC 2104, 4."""

    def __init__(self, key: bytes) -> None:
        block = key.ljust(hashlib.sha256().block_size, b"\0")
        self._inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in block))
        self._outer = hashlib.sha256(bytes(byte ^ 0x5C for byte in block))

    def of(self, id: str) -> bytes:
        """Return the signature of an id or of another text.

        The signature is base64url without padding (RFC 4648).
        """
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(id.encode())
        outer.update(inner.digest())
        return b2a_base64(outer.digest(), newline=False).translate(_URL_SAFE, b"=")


class IdSigner:
    """Sign ids, and verify the signatures of tokens.

    Tokens for another `purpose` are refused, even if they were signed with the same keys.
    """

    def __init__(self, keys: Sequence[str | bytes], *, purpose: str) -> None:
        self._signatures = tuple(Signature(derived_key(key, purpose)) for key in keys)
        self._newest = self._signatures[0]
        # A browser sends the same token in each request, so the last results are kept in a cache.
        self.unsign: Callable[[str], Id | None] = lru_cache(REMEMBERED_TOKENS)(self._unsign)
        """Return the id of a token, or None if no key signed it.

        A token is at most LONGEST_TOKEN characters long.
        """

    def sign(self, id: str) -> str:
        """Return the token of the id, signed with the newest key."""
        return f"{id}.{self._newest.of(id).decode()}"

    def _unsign(self, token: str) -> Id | None:
        match = _TOKEN.fullmatch(token)
        if match is None:
            return None
        session_id, text = match.groups()
        given = text.encode()
        for signature in self._signatures:
            if hmac.compare_digest(signature.of(session_id), given):
                return read_id(session_id)
        return None


def is_well_formed(token: str) -> bool:
    """Return whether a text has the form of a token; the signature is not verified."""
    return len(token) <= LONGEST_TOKEN and _TOKEN.fullmatch(token) is not None


def derived_key(key: str | bytes, purpose: str) -> bytes:
    """Return a key that is derived from this key for one purpose."""
    signer = Signer(key, salt=purpose, key_derivation="hmac", digest_method=hashlib.sha256)
    return signer.derive_key()
