"""The two sides of a document: what requests can hold, and what answers hold.

A class that looks different on the two sides has a schema for each side. For example, a field with
a default in a pydantic model is optional in a request, but always there in an answer.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal

Schema = dict[str, Any]
Side = Literal["request", "answer"]

SIDES: tuple[Side, Side] = ("request", "answer")
# The ends of the names of schemas; pydantic has the same ends for its own models.
ENDS: Mapping[Side, str] = {"request": "-Input", "answer": "-Output"}


def join_sides(
    roots: Mapping[Side, Iterable[Schema]],
    described: Mapping[Side, Mapping[str, Schema]],
    shared: str,
) -> dict[str, Schema]:
    """Return a dict from names to schemas: all schemas to which `roots` refer.

    The two sides are requests and answers. `described` has the schemas of each side. `shared` is
    the text before a name in a reference. If a class has two different schemas, each schema gets a
    new name, and the references to the schema change in place, in `roots` too.
    """
    needed: dict[Side, dict[str, Schema]] = {
        side: _reached(roots[side], described[side], shared) for side in SIDES
    }
    split = _different(needed, shared)
    joined: dict[str, Schema] = {}
    for side in SIDES:
        ends = {shared + name: shared + name + ENDS[side] for name in split}
        for schema in (*roots[side], *needed[side].values()):
            _rename(schema, ends)
        joined |= {
            name + ENDS[side] if name in split else name: schema
            for name, schema in needed[side].items()
        }
    return joined


def without_end(name: str) -> str:
    """Return the name of a schema without `-Input` or `-Output` at its end."""
    for end in ENDS.values():
        name = name.removesuffix(end)
    return name


def _reached(
    roots: Iterable[Schema], described: Mapping[str, Schema], shared: str
) -> dict[str, Schema]:
    """Return all schemas to which `roots` refer, directly or through other schemas."""
    found: dict[str, Schema] = {}
    waiting = list(roots)
    while waiting:
        for reference in _references(waiting.pop()):
            name = reference.removeprefix(shared)
            # A model of pydantic is not among the described schemas.
            if name not in found and name in described:
                found[name] = described[name]
                waiting.append(described[name])
    return found


def _different(needed: Mapping[Side, Mapping[str, Schema]], shared: str) -> set[str]:
    """Return each name that needs two schemas: one for requests and one for answers.

    The two schemas of the name differ, or they refer to a name that needs two schemas.
    """
    request, answer = (needed[side] for side in SIDES)
    both = request.keys() & answer.keys()
    users: dict[str, set[str]] = {}
    for name in both:
        for reference in _references(request[name]):
            users.setdefault(reference.removeprefix(shared), set()).add(name)
    found: set[str] = set()
    waiting = [name for name in both if request[name] != answer[name]]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += users.get(name, ())
    return found


def _references(schema: Any) -> Iterator[str]:
    """Yield the references inside a schema."""
    for holder, key in _places(schema):
        yield holder[key]


def _rename(schema: Any, names: Mapping[str, str]) -> None:
    for holder, key in list(_places(schema)):
        holder[key] = names.get(holder[key], holder[key])


def _places(schema: Any) -> Iterator[tuple[dict[str, Any], str]]:
    """Yield the place of each reference in a schema: a dictionary, and a key of this dictionary.

    A reference is the value of `$ref`, or a value in the `mapping` of a discriminator.
    """
    waiting = [schema]
    while waiting:
        item = waiting.pop()
        if isinstance(item, list):
            waiting += item
        elif isinstance(item, dict):
            waiting += item.values()
            if isinstance(item.get("$ref"), str):
                yield item, "$ref"
            if isinstance(mapping := item.get("mapping"), dict) and "propertyName" in item:
                yield from ((mapping, key) for key, name in mapping.items() if type(name) is str)
