"""Describe the security schemes and requirements of the document, from the guards.

A guard says in its attribute `openapi_security` what a client has to send: a dictionary from the
names of security schemes to the schemes. Source: OpenAPI 3.1, section 4.8.27.
"""

from collections.abc import Mapping
from typing import Any

from framework.around.guards import Guard
from framework.dispatch.handlers import Handler
from framework.openapi.sides import Schema
from framework.report import Mistake, location

_ATTRIBUTE = "openapi_security"
_EXAMPLE = '{"session": {"type": "apiKey", "in": "cookie", "name": "session"}}'


class Security:
    """Collect the security schemes of the guards."""

    def __init__(self) -> None:
        self.schemes: dict[str, Schema] = {}

    def of(self, handler: Handler) -> list[Schema]:
        """Return the security schemes of all guards of a handler; a request needs all of them."""
        needed: Schema = {}
        for guard in handler.guards:
            for name, scheme in _schemes_of(guard).items():
                self._add(name, scheme, guard)
                needed[name] = []
        return [needed] if needed else []

    def _add(self, name: str, scheme: Schema, guard: Guard) -> None:
        other = self.schemes.setdefault(name, scheme)
        if other != scheme:
            raise Mistake(
                f"{guard.name}.{_ATTRIBUTE} has a scheme {name!r} that differs from the scheme of"
                f" another guard: {scheme!r} and {other!r}",
                "Give the two schemes different names.",
            )


def _schemes_of(guard: Guard) -> Mapping[str, Schema]:
    listed: Any = guard.listed.guard
    schemes = getattr(listed, _ATTRIBUTE, {})
    if not isinstance(schemes, Mapping) or not all(map(_is_scheme, schemes.items())):
        kind = listed if isinstance(listed, type) else type(listed)
        raise Mistake(
            f"{_ATTRIBUTE} of {location(kind)} is {schemes!r}, which are not security schemes",
            f"Write a dictionary such as {_EXAMPLE}.",
        )
    return schemes


def _is_scheme(item: tuple[object, object]) -> bool:
    name, scheme = item
    return isinstance(name, str) and isinstance(scheme, Mapping) and "type" in scheme
