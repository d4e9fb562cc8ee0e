"""What a token without a server holds: the whole record, as bytes with a format version.

The first byte is the version of the format. The rest is one MessagePack array. Each value is
encoded as in a store. The seal around these bytes keeps out who would change them.
"""

import msgspec

from sessions.core.ids import Id, hash_of, is_id, read_id
from sessions.errors import UnencodableValue
from sessions.record import FORMAT_VERSION, Record

PAYLOAD_VERSION = 1


class CarriedId(Id):
    """Be an id whose record came with it, and the generation of the token.

    A new id and a sign-out raise the generation, so that earlier tokens can be told from later.
    """

    record: Record
    generation: int = 0


class Payload(msgspec.Struct, array_like=True, gc=False):
    """Hold what a token says of its session; times are epoch seconds."""

    id: str
    created_at: float
    accessed_at: float
    updated_at: float
    expires_at: float
    timeout: float | None
    user_id: str | None
    values: dict[str, bytes]
    generation: int = 0


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Payload)


def generation_of(id: Id) -> int:
    """Return the generation of the token that carries an id; the first one has none."""
    return id.generation if isinstance(id, CarriedId) else 0


def packed(id: Id, record: Record) -> bytes:
    """Return the bytes of a record; raise UnencodableValue for a user's id that is no Unicode."""
    payload = Payload(
        id.text,
        record.created_at,
        record.accessed_at,
        record.updated_at,
        record.expires_at,
        record.timeout,
        record.user_id,
        dict(record.values),
        generation_of(id),
    )
    try:
        return bytes((PAYLOAD_VERSION,)) + _encoder.encode(payload)
    except UnicodeEncodeError as error:
        raise not_unicode(record) from error


def unpacked(data: bytes) -> CarriedId | None:
    """Return the id with its record, None for bytes that are no payload.

    A payload of a newer format has a record of a newer version, which nobody can read.
    """
    if not data:
        return None
    if data[0] > PAYLOAD_VERSION:
        return newer(data, by=data[0] - PAYLOAD_VERSION)
    try:
        payload = _decoder.decode(memoryview(data)[1:])
    except (msgspec.DecodeError, RecursionError):
        return None
    return carried(payload) if is_id(payload.id) else None


def carried(payload: Payload) -> CarriedId:
    """Return an id with the record of its payload."""
    id = CarriedId(*read_id(payload.id))
    id.record = Record(
        values=payload.values,
        secret=id.secret,
        secret_since=payload.created_at,
        created_at=payload.created_at,
        accessed_at=payload.accessed_at,
        updated_at=payload.updated_at,
        expires_at=payload.expires_at,
        timeout=payload.timeout,
        user_id=payload.user_id,
    )
    id.generation = payload.generation
    return id


def newer(data: bytes, *, by: int) -> CarriedId:
    """Return what stands for a session of a format that is newer by so many versions."""
    text = hash_of(data.hex())
    id = CarriedId(text, text, text)
    id.record = Record(
        values={},
        secret=text,
        secret_since=0.0,
        created_at=0.0,
        accessed_at=0.0,
        updated_at=0.0,
        expires_at=0.0,
        version=FORMAT_VERSION + by,
    )
    return id


def not_unicode(record: Record) -> UnencodableValue:
    """Return the error for the id of a user that no token can hold."""
    return UnencodableValue(
        f"set_user({record.user_id!r}) cannot be saved, for the id is not Unicode text. Fix: give"
        " an id without lone surrogates"
    )
