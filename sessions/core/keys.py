"""Check the keys of a container; no message shows a key."""

from collections.abc import Iterator, Sequence
from typing import TypeGuard

MINIMUM_KEY_BYTES = 32
MINIMUM_KEY_VARIETY = 4

Setting = tuple[str, object]
"""The name of a setting, and its value."""


def list_problems(name: str, keys: object) -> Iterator[str]:
    """Yield a text for each mistake in a list of keys."""
    if not _is_list(keys):
        yield f"{name} is of type {type(keys).__name__}. Fix: give a list, the newest key first"
    elif not keys:
        yield (
            f"{name} is empty. Fix: make a key with `framework secret` or secrets.token_urlsafe(32)"
        )
    else:
        problems = (_problem(f"{name}[{position}]", key) for position, key in enumerate(keys))
        yield from (problem for problem in problems if problem)
        octets = _octets(keys)
        for position, key in enumerate(octets):
            first = octets.index(key)
            if isinstance(key, bytes) and first < position:
                both = f"{name}[{position}] is the same as {name}[{first}]"
                yield f"{both}. Fix: remove one of the two"


def shared_problems(setting: Setting, other: Setting) -> Iterator[str]:
    """Yield a text for each key that two settings share."""
    (name, keys), (other_name, others) = setting, other
    if not (_is_list(keys) and _is_list(others)):
        return
    known = _octets(others)
    for position, key in enumerate(_octets(keys)):
        if isinstance(key, bytes) and key in known:
            yield (
                f"{name}[{position}] is the same as {other_name}[{known.index(key)}]. Fix: make"
                " another one with `framework secret` or secrets.token_urlsafe(32)"
            )


def _is_list(keys: object) -> TypeGuard[Sequence[object]]:
    return isinstance(keys, Sequence) and not isinstance(keys, str | bytes)


def _octets(keys: Sequence[object]) -> list[object]:
    return [key.encode(errors="replace") if isinstance(key, str) else key for key in keys]


def _problem(where: str, key: object) -> str | None:
    """Return what is wrong with the key, or None; the returned text never contains the key."""
    remedy = "make a key with `framework secret` or secrets.token_urlsafe(32)"
    if not isinstance(key, str | bytes):
        return f"{where} is of type {type(key).__name__}, not str or bytes. Fix: {remedy}"
    try:
        size = len(key.encode() if isinstance(key, str) else key)
    except UnicodeEncodeError:
        return f"{where} is not Unicode text. Fix: {remedy}"
    if size < MINIMUM_KEY_BYTES:
        unit = "byte" if size == 1 else "bytes"
        return (
            f"{where} has {size} {unit}, but a key needs at least {MINIMUM_KEY_BYTES}. Fix:"
            f" {remedy}"
        )
    variety = len(set(key))
    if variety < MINIMUM_KEY_VARIETY:
        repeated = "one character" if variety == 1 else f"{variety} different characters"
        return f"{where} repeats {repeated}, so anybody can guess the key. Fix: {remedy}"
    return None
