"""The device of a sign-in, as the list of a user's sessions shows it: user agent and address.

The address shows only the network of the client, because the list needs no exact address.
"""

from collections.abc import Iterator
from ipaddress import IPv6Address, ip_address
from typing import Any, NamedTuple

from sessions.core import codec
from sessions.errors import UnreadableValue
from sessions.stores.user_index import UserIndex

_LONGEST_AGENT = 256
# The number of bits that stay: of an IPv4 address, and of an IPv6 address.
_KEPT = {4: 24, 6: 48}


class Device(NamedTuple):
    """The user agent and the network of a sign-in; None if unknown."""

    user_agent: str | None = None
    address: str | None = None


UNKNOWN_DEVICE = Device()


def device_of(head: Any) -> Device:
    """Return the device that sent a request; `head` is its RequestHead, or None."""
    if head is None:
        return UNKNOWN_DEVICE
    agent = head.header("User-Agent") or ""
    # A browser chooses this text, and pages and logs show it.
    plain = "".join(one if one.isprintable() else "?" for one in agent[:_LONGEST_AGENT])
    return Device(plain or None, network_of(head.client))


def network_of(client: str | None) -> str | None:
    """Return the network of an address: 203.0.113.7 is in 203.0.113.0/24."""
    try:
        address = ip_address((client or "").partition("%")[0])
    except ValueError:
        # This is no IP address, but for example the path of a socket.
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    kept = _KEPT[address.version]
    dropped = address.max_prefixlen - kept
    return f"{type(address)(int(address) >> dropped << dropped)}/{kept}"


def packed_device(device: Device) -> bytes:
    """Return the bytes of a device."""
    return codec.encode([*device])


def read_device(data: bytes | None) -> Device:
    """Return the device in these bytes; damaged bytes give an unknown device."""
    try:
        agent, address = codec.decode(data or b"")
    except (UnreadableValue, ValueError, TypeError):
        return UNKNOWN_DEVICE
    return Device(
        agent if isinstance(agent, str) else None, address if isinstance(address, str) else None
    )


def device_problems(remembers: object, store: object) -> Iterator[str]:
    """Yield the mistakes of a container's setting `remember_devices`."""
    if not isinstance(remembers, bool):
        yield f"remember_devices={remembers!r} is not a bool. Fix: give True or False"
    elif remembers and not isinstance(store, UserIndex):
        yield (
            f"remember_devices=True needs a store that lists the sessions of a user, but"
            f" store={store!r} does not. Fix: give a store with an index of users, such as"
            " SQLiteStore"
        )
