"""Session tokens in the format JSON Web Token (JWT), which other programs can verify.

The header and the claims must have exactly the names below. So a token cannot choose how it is
verified: `none`, `jwk`, `jku`, `x5u`, `crit` and `zip` are refused. The settings choose the
algorithm, and `kid` names one of the keys of the settings. PyJWT makes and verifies the signature;
this module reads the header and the claims. Source: RFC 7515, RFC 7519, RFC 8725.
"""

from collections.abc import Mapping
from math import ceil, floor
from typing import Any, NamedTuple

import jwt
import msgspec

from sessions.core.ids import Id, is_id
from sessions.core.payloads import CarriedId, Payload, carried, generation_of, newer, not_unicode
from sessions.core.token_formats import Sealer, from_text, to_text
from sessions.record import Record

TYPE = "session+jwt"
CLAIMS_VERSION = 1


class Claimed(NamedTuple):
    """The claims that each token must have: issuer, audience and `session_prefix`."""

    issuer: str
    audience: str
    name: str


class _Header(msgspec.Struct, forbid_unknown_fields=True):
    alg: str
    kid: str
    typ: str


class _Session(msgspec.Struct, forbid_unknown_fields=True):
    version: int
    name: str
    created: float
    used: float
    updated: float
    expires: float
    values: str
    timeout: float | None = None
    generation: int = 0


class _Version(msgspec.Struct):
    version: int


class _Versioned(msgspec.Struct):
    session: _Version


class _Claims(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    iss: str
    aud: str
    iat: int
    exp: int
    jti: str
    session: _Session
    sub: str | msgspec.UnsetType = msgspec.UNSET


_json = msgspec.json.Encoder()
_read_header = msgspec.json.Decoder(_Header).decode
_read_version = msgspec.json.Decoder(_Versioned).decode
_read_claims = msgspec.json.Decoder(_Claims).decode
_pack_values = msgspec.msgpack.Encoder().encode
_read_values = msgspec.msgpack.Decoder(dict[str, bytes]).decode


class JWTSealer(Sealer):
    """Sign tokens with the first key, and open tokens that any of the keys signed."""

    def __init__(self, algorithm: str, keys: Mapping[str, Any], claimed: Claimed) -> None:
        self._name = algorithm
        self._algorithm = jwt.get_algorithm_by_name(algorithm)
        prepared = {kid: self._algorithm.prepare_key(key) for kid, key in keys.items()}
        kid, self._key = next(iter(prepared.items()))
        self._header = to_text(_json.encode(_Header(algorithm, kid, TYPE)))
        self._public = {kid: _public_half(key) for kid, key in prepared.items()}
        self._claimed = claimed

    def seal(self, id: Id, record: Record) -> str:
        try:
            claims = to_text(_json.encode(_claims(id, record, self._claimed)))
        except UnicodeEncodeError as error:
            raise not_unicode(record) from error
        text = f"{self._header}.{claims}"
        return f"{text}.{to_text(self._algorithm.sign(text.encode(), self._key))}"

    def open(self, token: str) -> CarriedId | None:
        try:
            data = self._verified(token)
            if data is None:
                return None
            version = _read_version(data).session.version
            if version > CLAIMS_VERSION:
                return newer(data, by=version - CLAIMS_VERSION)
            return _carried(_read_claims(data), self._claimed)
        # The text comes from outside. Every error of a decoder or a cipher means: no token.
        except Exception:  # noqa: BLE001
            return None

    def _verified(self, token: str) -> bytes | None:
        """Return the claims of a token as JSON, or None if no key signed it."""
        header, claims, signature = (from_text(part) for part in token.split("."))
        if header is None or claims is None or signature is None:
            return None
        found = _read_header(header)
        key = self._public.get(found.kid)
        if key is None or found.alg != self._name or found.typ != TYPE:
            return None
        signed = token.rpartition(".")[0].encode()
        return claims if self._algorithm.verify(signed, key, signature) else None


def key_problems(algorithm: str, keys: Mapping[str, Any]) -> list[str]:
    """Return a text for each key that does not fit the algorithm, without showing the key."""
    known = jwt.get_algorithm_by_name(algorithm)
    problems = []
    for position, (kid, key) in enumerate(keys.items()):
        try:
            prepared = known.prepare_key(key)
            weak = known.check_key_length(prepared)
            if weak:
                problems.append(f"keys[{kid!r}] is too short for {algorithm}: {weak}")
            elif position == 0:
                known.verify(b"trial", _public_half(prepared), known.sign(b"trial", prepared))
        # The key comes from the settings. Every error here would also happen in a request.
        except Exception as error:  # noqa: BLE001
            what = "a private key" if position == 0 else "a key"
            problems.append(f"keys[{kid!r}] is not {what} for {algorithm} ({type(error).__name__})")
    return problems


def _public_half(key: Any) -> Any:
    """Return the key that verifies: the public key of a key pair, else the key itself."""
    return key.public_key() if hasattr(key, "public_key") else key


def _claims(id: Id, record: Record, claimed: Claimed) -> _Claims:
    session = _Session(
        version=CLAIMS_VERSION,
        name=claimed.name,
        created=record.created_at,
        used=record.accessed_at,
        updated=record.updated_at,
        expires=record.expires_at,
        values=to_text(_pack_values(dict(record.values))),
        timeout=record.timeout,
        generation=generation_of(id),
    )
    return _Claims(
        iss=claimed.issuer,
        aud=claimed.audience,
        iat=floor(record.accessed_at),
        exp=ceil(record.expires_at),
        jti=id.text,
        session=session,
        sub=msgspec.UNSET if record.user_id is None else record.user_id,
    )


def _carried(claims: _Claims, claimed: Claimed) -> CarriedId | None:
    """Return the session in the claims, or None if a claim has a wrong value."""
    session, sub = claims.session, claims.sub
    known = Claimed(claims.iss, claims.aud, session.name)
    agree = claims.iat == floor(session.used) and claims.exp == ceil(session.expires)
    if known != claimed or not agree or sub == "" or not is_id(claims.jti):
        return None
    values = from_text(session.values)
    if values is None:
        return None
    payload = Payload(
        claims.jti,
        session.created,
        session.used,
        session.updated,
        session.expires,
        session.timeout,
        sub if isinstance(sub, str) else None,
        _read_values(values),
        session.generation,
    )
    return carried(payload)
