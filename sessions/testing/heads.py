"""Heads of requests, to test transports with."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from sessions.transports.base import RequestHead


@dataclass(frozen=True, slots=True)
class Head:
    """The head of a request; the names of `headers` are in lower case."""

    scheme: str = "https"
    path: str = "/"
    query: str = ""
    client: str | None = "192.0.2.7"
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def cookies(self) -> str:
        """Return the Cookie header."""
        return self.headers.get("cookie", "")

    def header(self, name: str) -> str | None:
        """Return the value of a header."""
        return self.headers.get(name.lower())


def a_head(
    headers: Mapping[str, str] | None = None,
    *,
    scheme: str = "https",
    path: str = "/",
    query: str = "",
) -> RequestHead:
    """Return the head of a request with these headers, to the host `shop.example`."""
    given = {"host": "shop.example"}
    given |= {name.lower(): value for name, value in (headers or {}).items()}
    return Head(scheme, path, query, headers=given)
