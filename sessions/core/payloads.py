"""Encode a whole record as the bytes in a token, for stateless sessions.

The first byte is the version of the format. The rest is one MessagePack array. Each value is
encoded as in a store. The token formats sign or encrypt these bytes, so that nobody can change
them.
"""

import msgspec

from sessions.core.ids import Id, hash_of, is_id, read_id
from sessions.errors import UnencodableValue
from sessions.record import FORMAT_VERSION, Record

PAYLOAD_VERSION = 1


class CarriedId(Id):
    """An id together with its record and its generation, as one token carries them.

    The generation is a number that grows with each new id and each sign-out. So a list of
    revocations can refuse earlier tokens.
    """

    record: Record
    generation: int = 0


class Payload(msgspec.Struct, array_like=True, gc=False):
    """The fields of a session in a token; times are epoch seconds."""

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
    """Return the generation of the token that carried the id, 0 for a new id."""
    return id.generation if isinstance(id, CarriedId) else 0


def packed(id: Id, record: Record) -> bytes:
    """Return the bytes of a record; raise UnencodableValue if the user id is not Unicode text."""
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
    """Return the id with its record, or None for bytes that `packed` did not make.

    Bytes in a newer format give a record with a newer version, so the session counts as unreadable.
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
    """Return the id and the record that a payload describes."""
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
    """Return a placeholder for a session in a newer format, which this release cannot read.

    `by` is the difference between the version of this format and the version of this release.
    """
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
    """Return the error for a user id that is not Unicode text."""
    return UnencodableValue(
        f"set_user({record.user_id!r}) cannot be saved, because the id is not Unicode text. Fix:"
        " give an id without lone surrogates"
    )
