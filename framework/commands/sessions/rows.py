"""How the commands of sessions write a table, a time, a size and a name."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from math import log
from typing import Any

import click

from sessions.record import Record

SHOWN_HANDLE = 12
"""The number of characters of a handle that a table shows."""

_SPANS = ((24 * 3600, "day"), (3600, "hour"), (60, "minute"), (1, "second"))
_UNITS = ("KiB", "MiB", "GiB")


def echo_json(facts: object) -> None:
    """Print JSON for other programs."""
    click.echo(json.dumps(facts, indent=2))


def echo_pairs(pairs: Iterable[tuple[str, str]]) -> None:
    """Print a name and its value in each line."""
    rows = list(pairs)
    width = max(len(name) for name, _ in rows)
    for name, value in rows:
        click.echo(f"{name:<{width}}  {value}".rstrip())


def echo_table(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print aligned columns under their titles."""
    widths = [max(map(len, column)) for column in zip(titles, *rows, strict=True)]
    for row in (titles, *rows):
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        click.echo("  ".join(cells).rstrip())


def moment(seconds: float) -> str:
    """Return the text of a time, such as 2030-01-31T12:00:00Z."""
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (ValueError, OverflowError, OSError):
        return repr(seconds)


def size_of(record: Record) -> int:
    """Return the size of a record's values in bytes, including the names of the values."""
    return sum(len(name.encode()) + len(value) for name, value in record.values.items())


def in_units(size: float) -> str:
    """Return the text of a number of bytes, such as 1.5 KiB."""
    if size < 1024:
        return f"{size:.0f} {'byte' if round(size) == 1 else 'bytes'}"
    power = min(int(log(size, 1024)), len(_UNITS))
    return f"{size / 1024**power:.1f} {_UNITS[power - 1]}"


def in_words(seconds: float) -> str:
    """Return the text of a time span in days, hours, minutes and seconds, as in 1 day 12 hours."""
    parts, rest = [], seconds
    for size, name in _SPANS:
        count = int(rest // size)
        rest -= count * size
        if count:
            parts.append(f"{count} {name}{'' if count == 1 else 's'}")
    return " ".join(parts) or f"{seconds:g} seconds"


def printable(text: str) -> str:
    """Return a user's text with escapes, so that a terminal does not read it as a command."""
    return text if text.isprintable() and text.strip() == text != "" else repr(text)


def user_of(record: Record) -> str:
    """Return the text for the user of a record."""
    return "-" if record.user_id is None else printable(record.user_id)


def facts_of(key: str, record: Record) -> Mapping[str, Any]:
    """Return the facts of a session for JSON output, without its id and its values."""
    return {
        "handle": key,
        "user_id": record.user_id,
        "created_at": moment(record.created_at),
        "last_access": moment(record.accessed_at),
        "last_update": moment(record.updated_at),
        "expires_at": moment(record.expires_at),
        "timeout": record.timeout,
        "values": len(record.values),
        "size": size_of(record),
    }
