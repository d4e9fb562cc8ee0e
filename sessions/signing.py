"""Keys, newest first, and the tokens they sign.

The only place that knows itsdangerous. Its own list of keys is oldest first and its verification
decodes the signature, which accepts several spellings of one signature; so here each key has a
signer of its own, and signatures are compared as text.
"""

import hashlib
import hmac
import re
from collections.abc import Sequence

from itsdangerous.signer import Signer, SigningAlgorithm

from sessions.record import MAXIMUM_ID_LENGTH, MINIMUM_ID_LENGTH

MINIMUM_KEY_BYTES = 32
MINIMUM_KEY_VARIETY = 4

_SIGNATURE_LENGTH = 43
_TOKEN = re.compile(
    rf"([A-Za-z0-9_-]{{{MINIMUM_ID_LENGTH},{MAXIMUM_ID_LENGTH}}})"
    rf"\.([A-Za-z0-9_-]{{{_SIGNATURE_LENGTH}}})",
    re.ASCII,
)


class HMACSHA256(SigningAlgorithm):
    """Sign with HMAC-SHA256 in one call. Source: RFC 2104, FIPS 180-4."""

    def get_signature(self, key: bytes, value: bytes) -> bytes:
        """Return the signature of the value."""
        return hmac.digest(key, value, "sha256")


class IdSigner:
    """Sign ids and tell whether a token is one of ours.

    `purpose` keeps tokens of another name, use or application apart although the keys are the same.
    """

    def __init__(self, keys: Sequence[str | bytes], *, purpose: str) -> None:
        self._signers = tuple(_signer(key, purpose) for key in keys)
        self._newest = self._signers[0]

    def sign(self, id: str) -> str:
        """Return the token that carries the id, signed by the newest key."""
        return f"{id}.{self._newest.get_signature(id).decode()}"

    def unsign(self, token: str) -> str | None:
        """Return the id that the token carries, or None unless one of the keys signed it."""
        match = _TOKEN.fullmatch(token)
        if match is None:
            return None
        session_id, signature = match.groups()
        given = signature.encode()
        for signer in self._signers:
            if hmac.compare_digest(signer.get_signature(session_id), given):
                return session_id
        return None


def key_problem(key: object, position: int) -> str | None:
    """Say what makes the key unfit, without showing it."""
    where = f"keys[{position}]"
    remedy = "make one with `framework secret` or secrets.token_urlsafe(32)"
    if not isinstance(key, str | bytes):
        return f"{where} is a {type(key).__name__}, not str or bytes; {remedy}"
    try:
        size = len(key.encode() if isinstance(key, str) else key)
    except UnicodeEncodeError:
        return f"{where} is no Unicode text; {remedy}"
    if size < MINIMUM_KEY_BYTES:
        return f"{where} has {size} bytes, at least {MINIMUM_KEY_BYTES} are needed; {remedy}"
    if len(set(key)) < MINIMUM_KEY_VARIETY:
        return (
            f"{where} repeats {len(set(key))} different characters, anyone can guess it; {remedy}"
        )
    return None


def _signer(key: str | bytes, purpose: str) -> Signer:
    """Derive the key for the purpose once, so that no request has to."""
    derived = Signer(
        key, salt=purpose, key_derivation="hmac", digest_method=hashlib.sha256
    ).derive_key()
    return Signer(derived, key_derivation="none", algorithm=HMACSHA256())
