"""`framework sessions show`: one session, and what it holds."""

from collections.abc import Mapping
from typing import Any

import click

from framework.commands.finding import json_option
from framework.commands.other_names import Command
from framework.commands.sessions.naming import store_argument, store_named
from framework.commands.sessions.rows import (
    echo_json,
    echo_pairs,
    facts_of,
    in_units,
    in_words,
    moment,
    printable,
    size_of,
    user_of,
)
from sessions.core.codec import decode
from sessions.core.values import (
    DEVICE,
    MOVED,
    MOVED_BY,
    OTHER_SIGN_IN,
    SEALED,
    SEALED_BYTE,
    USER_DATA,
)
from sessions.errors import UnreadableValue
from sessions.record import Record

_UNREADABLE = "(cannot be read)"
_ENCRYPTED = "(encrypted)"
_RESERVED = {
    USER_DATA: "(data of the user)",
    DEVICE: "(device of the sign-in)",
    OTHER_SIGN_IN: "(sign-in in another system)",
    MOVED: "(came from another system)",
    MOVED_BY: "(request that moved it here)",
    f"{SEALED}user": "(encrypted user)",
    f"{SEALED}device": "(encrypted device)",
}


@click.command(cls=Command)
@click.argument("handle")
@store_argument
@click.option("--values", "with_values", is_flag=True, help="Show the values, which may be secret.")
@json_option
def show(handle: str, app: str | None, *, with_values: bool, as_json: bool) -> None:
    """Show the times, the user, and the names and sizes of the values of one session."""
    with store_named(app, is_source=True) as store:
        key, record = store.named(handle)
    if as_json:
        echo_json({**facts_of(key, record), "values": _values_as_facts(record, with_values)})
        return
    echo_pairs(
        [
            ("handle", key),
            ("user", user_of(record)),
            ("created", moment(record.created_at)),
            ("last used", moment(record.accessed_at)),
            ("last changed", moment(record.updated_at)),
            ("expires", moment(record.expires_at)),
            ("timeout", _timeout(record)),
            ("size", f"{in_units(size_of(record))} in {_count(record.values)}"),
        ]
    )
    if record.values:
        click.echo()
        echo_pairs(_values(record, with_values))


def _timeout(record: Record) -> str:
    return (
        "the container's"
        if record.timeout is None
        else f"{in_words(record.timeout)}, set for this session"
    )


def _count(values: Mapping[str, bytes]) -> str:
    return f"{len(values)} value" if len(values) == 1 else f"{len(values)} values"


def _values(record: Record, with_values: bool) -> list[tuple[str, str]]:
    return [
        (_name(name), _shown(value) if with_values else in_units(len(value)))
        for name, value in record.values.items()
    ]


def _values_as_facts(record: Record, with_values: bool) -> list[dict[str, Any]]:
    return [
        {
            "name": _name(name),
            "size": len(value),
            **({"value": _shown(value)} if with_values else {}),
        }
        for name, value in record.values.items()
    ]


def _name(name: str) -> str:
    if name.startswith(SEALED):
        # The rest of the name is a hash of the id.
        return _RESERVED.get(name, "(encrypted key)")
    return _RESERVED.get(name) or printable(name)


def _shown(value: bytes) -> str:
    if value.startswith(SEALED_BYTE):
        return _ENCRYPTED
    try:
        return repr(decode(value))
    except UnreadableValue:
        return _UNREADABLE
