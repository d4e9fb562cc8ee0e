"""Refuse JSON in which very many keys have the same hash: a client can choose such keys.

Python computes the hashes of numbers and UUIDs without a secret. Thousands of keys with one hash
would slow each other down: Python compares each new key with all keys before it.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Mapping, Set
from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation
from enum import Enum
from typing import Any, Literal, get_args, get_origin

from framework.types.parts import Part, parts_of
from framework.types.signatures import bare

# This many keys with one hash still take very little time.
_MOST_OF_ONE_HASH = 100
# The hash of each of these has a secret, or there are only a few of them.
_SAFE = (str, bytes, bytearray, bool, date, datetime, time, Enum)
_UUID = re.compile(r"(?:urn:uuid:)?\{?([0-9a-f-]{32,36})\}?", re.IGNORECASE)


class HashFloodError(ValueError):
    """A value has too many keys or items with the same hash."""

    def __init__(self) -> None:
        super().__init__(f"more than {_MOST_OF_ONE_HASH} keys or items have the same hash")


def flood_check(annotation: Any) -> Callable[[object], None] | None:
    """Return the function that raises `HashFloodError` for a JSON value, before it is converted.

    The result is None for a type in which a client cannot choose the hashes of keys or items.
    """
    return _refuse_floods if any(map(_has_unsafe_keys, parts_of(annotation))) else None


def _has_unsafe_keys(part: Part) -> bool:
    origin = get_origin(part.kind) or part.kind
    if not isinstance(origin, type):
        return False
    if issubclass(origin, Set):
        return not _is_safe(*get_args(part.kind)[:1] or (Any,))
    # The keys of a dictionary without arguments are texts.
    return issubclass(origin, Mapping) and not _is_safe(*get_args(part.kind)[:1] or (str,))


def _is_safe(annotation: Any) -> bool:
    kind, _ = bare(annotation)
    kind = getattr(kind, "__supertype__", kind)
    return get_origin(kind) is Literal or (isinstance(kind, type) and issubclass(kind, _SAFE))


def _refuse_floods(value: object) -> None:
    waiting = [value]
    while waiting:
        container = waiting.pop()
        if isinstance(container, dict):
            waiting += container.values()
        elif isinstance(container, list):
            waiting += container
        else:
            continue
        if len(container) > _MOST_OF_ONE_HASH:
            _refuse_flood(container)


def _refuse_flood(keys: Collection[object]) -> None:
    hashes = [_hash_of(key) for key in keys]
    counts = Counter(hashes)
    if max(counts.values()) <= _MOST_OF_ONE_HASH:
        return
    # Equal items become one item of a set, so only different items count.
    alike: defaultdict[int, set[str]] = defaultdict(set)
    for key, hashed in zip(keys, hashes, strict=True):
        if counts[hashed] > _MOST_OF_ONE_HASH:
            alike[hashed].add(repr(key))
    if any(len(different) > _MOST_OF_ONE_HASH for different in alike.values()):
        raise HashFloodError


def _hash_of(key: object) -> int:
    """Return the hash that a key will have; a tuple or an object combines its items' hashes."""
    if isinstance(key, str):
        return _hash_of_text(key)
    if isinstance(key, dict):
        key = list(key.values())
    if isinstance(key, list):
        return hash(tuple(id(item) if _is_nested(item) else _hash_of(item) for item in key))
    return hash(key)


def _is_nested(value: object) -> bool:
    return isinstance(value, list | dict)


def _hash_of_text(text: str) -> int:
    found = _UUID.fullmatch(text)
    if found and len(digits := found[1].replace("-", "")) == 32:
        return hash(int(digits, 16))
    try:
        return hash(Decimal(text))
    # TypeError: the text is a signaling NaN, which has no hash.
    except (InvalidOperation, TypeError):
        return hash(text)
