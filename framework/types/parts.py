"""The types inside a type: members of unions, items of lists, and fields of classes."""

from collections.abc import Iterator
from typing import Any, Literal, NamedTuple, get_args, get_origin

import msgspec

from framework.types.fields import is_pydantic_model, members_of
from framework.types.limits import limits_alone
from framework.types.signatures import bare, describe


class Part(NamedTuple):
    """A type inside a type, with its metadata and its place."""

    kind: Any
    metadata: tuple[object, ...]
    # The field that holds the part, such as `Order.lines`; empty outside of classes.
    place: str
    # Whether the part is a field of a pydantic model, or inside such a field.
    in_model: bool

    @property
    def limits(self) -> list[msgspec.Meta]:
        """Return the limits in the metadata, without fields such as `title` and `description`."""
        stated = (
            limits_alone(element) for element in self.metadata if isinstance(element, msgspec.Meta)
        )
        return [limit for limit in stated if limit is not None]


def parts_of(annotation: Any) -> Iterator[Part]:
    """Yield the type and every type inside it; a type that contains itself is read once."""
    seen: list[tuple[Any, bool]] = []
    waiting: list[tuple[Any, str, bool]] = [(annotation, "", False)]
    while waiting:
        inner, place, in_model = waiting.pop()
        kind, metadata = bare(inner)
        yield Part(kind, metadata, place, in_model)
        members = members_of(kind)
        if get_origin(kind) is Literal or (kind, in_model) in seen:
            continue
        # Only a class or an alias can contain itself.
        if members or hasattr(inner, "__value__"):
            seen.append((kind, in_model))
        waiting += [(argument, place, in_model) for argument in get_args(kind)]
        within = in_model or is_pydantic_model(kind)
        waiting += [(member, f"{describe(kind)}.{name}", within) for name, member in members]
