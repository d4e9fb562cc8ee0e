"""Encode one value as bytes, and decode the bytes to an equal value of the same type.

The format is MessagePack, with extension types for the Python types that MessagePack lacks. A value
of any other type is refused, even if its class is a subclass of one of these types. Source: the
MessagePack specification.
"""

import math
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
from msgspec.msgpack import Decoder, Encoder, Ext

from sessions.errors import UnencodableValue, UnreadableValue

MAXIMUM_DEPTH = 64

IMMUTABLE = frozenset(
    {type(None), bool, int, float, str, bytes, datetime, date, time, timedelta, UUID, Decimal}
)
"""The types whose values cannot change in place."""

_WITHOUT_VALUES = (UnreadableValue, msgspec.DecodeError, ZoneInfoNotFoundError)
"""The errors whose texts are shown: the only part of a value in them is an unknown time zone."""

_INT, _TUPLE, _SET, _FROZENSET, _PAIRS = 1, 2, 3, 4, 5
_DATETIME, _DATE, _TIME, _TIMEDELTA, _UUID, _DECIMAL = 6, 7, 8, 9, 10, 11

pack = Encoder().encode


def encode(value: object) -> bytes:
    """Return the value as bytes.

    Raises UnencodableValue, which names the type that cannot be encoded.
    """
    try:
        return pack(_plain(value, 0))
    except RecursionError as error:
        raise _too_deep() from error
    except UnicodeEncodeError as error:
        raise UnencodableValue(
            "it holds text with a lone surrogate, which is not Unicode text. Fix: remove the"
            " surrogate"
        ) from error


def decode(data: bytes) -> Any:
    """Return the value of bytes that `encode` made.

    Raises UnreadableValue for any other bytes.
    """
    try:
        return unpack(data)
    # The bytes come from outside. Every error of the decoder or of a constructor (an unknown zone,
    # a date out of range, an unhashable key) means that the bytes are unreadable.
    except Exception as error:
        raise unreadable(data, error) from error


def unreadable(data: object, error: Exception) -> UnreadableValue:
    """Return the error for stored bytes that cannot be decoded; its message hides the value."""
    size = f"{len(data)} stored bytes" if isinstance(data, bytes) else type(data).__name__
    reason = f"{error}" if isinstance(error, _WITHOUT_VALUES) else type(error).__name__
    return UnreadableValue(f"{size} cannot be decoded to a value: {reason}")


def _plain(value: object, depth: int) -> object:
    """Convert a value to types that MessagePack has, or to extension types of this module."""
    kind = type(value)
    if kind is str or kind is bool or value is None or kind is bytes:
        return value
    if type(value) is int:
        return value if -(2**63) <= value < 2**64 else _big_int(value)
    plain = _PLAIN.get(kind) or _PLAIN.get(_stands_in_for(kind))
    if plain is None:
        raise UnencodableValue(_refusal(value))
    if depth >= MAXIMUM_DEPTH:
        raise _too_deep()
    return plain(value, depth + 1)


def _stands_in_for(kind: type) -> type:
    """Return the real class for a replacement of `datetime` or `date`, else the class itself.

    Tools that freeze time in tests replace `datetime` and `date` by subclasses. Such a
    replacement is recognized, because its `isinstance` check accepts ordinary values too.
    """
    for real, example in _EXAMPLES.items():
        if real in kind.__mro__:
            return real if isinstance(example, kind) else kind
    return kind


def _too_deep() -> UnencodableValue:
    return UnencodableValue(
        f"it is nested more than {MAXIMUM_DEPTH} levels deep, or contains itself. Fix: store the"
        " data with fewer levels"
    )


def _refusal(value: object) -> str:
    kind = type(value)
    name = (
        kind.__qualname__
        if kind.__module__ == "builtins"
        else f"{kind.__module__}.{kind.__qualname__}"
    )
    article = "an" if name[0] in "aeiouAEIOU" else "a"
    return (
        f"it holds {article} {name}, which a session cannot store and read back unchanged."
        f" Fix: {_remedy(kind)}"
    )


def _remedy(kind: type) -> str:
    base = next((base for base in kind.__mro__[1:] if base in IMMUTABLE or base in _PLAIN), None)
    if issubclass(kind, Enum):
        return "store its .value"
    if base is not None and base is not type(None):
        return f"store a plain {base.__name__}"
    if hasattr(kind, "__dataclass_fields__") or hasattr(kind, "__struct_fields__"):
        return "store a dict of its fields (dataclasses.asdict, msgspec.structs.asdict)"
    return "store its parts as text, numbers, lists or dicts"


def _big_int(value: int) -> Ext:
    return Ext(_INT, value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True))


def _float(value: float, depth: int) -> float:
    if math.isnan(value):
        raise UnencodableValue("it holds a NaN, which is not equal to itself. Fix: store None")
    return value


def _list(value: list[object], depth: int) -> list[object]:
    return [_plain(item, depth) for item in value]


def _dict(value: dict[object, object], depth: int) -> object:
    for key in value:
        if type(key) is not str:
            flat = [_plain(part, depth) for pair in value.items() for part in pair]
            return Ext(_PAIRS, pack(flat))
    return {key: _plain(item, depth) for key, item in value.items()}


def _tuple(value: tuple[object, ...], depth: int) -> Ext:
    return Ext(_TUPLE, pack([_plain(item, depth) for item in value]))


def _elements(value: set[object] | frozenset[object], depth: int) -> bytes:
    # The elements are sorted, because a set has no order and equal sets must have equal encodings.
    return pack([msgspec.Raw(item) for item in sorted(pack(_plain(item, depth)) for item in value)])


def _zone(zone: tzinfo | None) -> object:
    if zone is None:
        return None
    if type(zone) is timezone:
        offset = zone.utcoffset(None)
        micros = offset // timedelta(microseconds=1)
        name = zone.tzname(None)
        return [micros] if name == timezone(offset).tzname(None) else [micros, name]
    if type(zone) is ZoneInfo and _is_found_by_name(zone):
        return zone.key
    raise UnencodableValue(
        f"it holds a time in the zone {zone!r}, which cannot be restored from its name. Fix: "
        "use datetime.timezone or zoneinfo.ZoneInfo(name)"
    )


def _is_found_by_name(zone: ZoneInfo) -> bool:
    """Return whether ZoneInfo(name) returns this same zone object."""
    try:
        return zone.key is not None and ZoneInfo(zone.key) is zone
    except (ZoneInfoNotFoundError, ValueError):
        return False


def _datetime(value: datetime, depth: int) -> Ext:
    text = value.replace(tzinfo=None, fold=0).isoformat()
    return Ext(_DATETIME, pack([text, value.fold, _zone(value.tzinfo)]))


def _time(value: time, depth: int) -> Ext:
    text = value.replace(tzinfo=None, fold=0).isoformat()
    return Ext(_TIME, pack([text, value.fold, _zone(value.tzinfo)]))


def _decimal(value: Decimal, depth: int) -> Ext:
    if value.is_nan():
        raise UnencodableValue("it holds a NaN, which is not equal to itself. Fix: store None")
    return Ext(_DECIMAL, str(value).encode())


_PLAIN: dict[type, Callable[[Any, int], object]] = {
    float: _float,
    list: _list,
    dict: _dict,
    tuple: _tuple,
    set: lambda value, depth: Ext(_SET, _elements(value, depth)),
    frozenset: lambda value, depth: Ext(_FROZENSET, _elements(value, depth)),
    datetime: _datetime,
    date: lambda value, depth: Ext(_DATE, value.isoformat().encode()),
    time: _time,
    timedelta: lambda value, depth: Ext(
        _TIMEDELTA, pack([value.days, value.seconds, value.microseconds])
    ),
    UUID: lambda value, depth: Ext(_UUID, value.bytes),
    Decimal: _decimal,
}


_EXAMPLES: dict[type, object] = {datetime: datetime.min, date: date.min}


def _restore(code: int, data: memoryview) -> object:
    restore = _RESTORE.get(code)
    if restore is None:
        raise UnreadableValue(f"the extension type {code} is unknown")
    return restore(bytes(data))


def _restore_zone(zone: object) -> tzinfo | None:
    if zone is None:
        return None
    if isinstance(zone, str):
        return ZoneInfo(zone)
    micros, *name = msgspec.convert(zone, list[Any])
    offset = timedelta(microseconds=micros)
    return timezone(offset, *name) if name or offset else UTC


def _restore_datetime(data: bytes) -> datetime:
    text, fold, zone = unpack(data)
    return datetime.fromisoformat(text).replace(fold=fold, tzinfo=_restore_zone(zone))


def _restore_time(data: bytes) -> time:
    text, fold, zone = unpack(data)
    return time.fromisoformat(text).replace(fold=fold, tzinfo=_restore_zone(zone))


def _restore_pairs(data: bytes) -> dict[object, object]:
    flat = unpack(data)
    return dict(zip(flat[::2], flat[1::2], strict=True))


_RESTORE: dict[int, Callable[[bytes], object]] = {
    _INT: lambda data: int.from_bytes(data, "big", signed=True),
    _TUPLE: lambda data: tuple(unpack(data)),
    _SET: lambda data: set(unpack(data)),
    _FROZENSET: lambda data: frozenset(unpack(data)),
    _PAIRS: _restore_pairs,
    _DATETIME: _restore_datetime,
    _DATE: lambda data: date.fromisoformat(data.decode()),
    _TIME: _restore_time,
    _TIMEDELTA: lambda data: timedelta(*unpack(data)),
    _UUID: lambda data: UUID(bytes=data),
    _DECIMAL: lambda data: Decimal(data.decode()),
}

unpack: Callable[[bytes], Any] = Decoder(ext_hook=_restore).decode
"""Decode bytes, and raise the decoder's own errors; `decode` raises UnreadableValue instead."""
