"""Cross-origin resource sharing: which scripts of other sites can read responses of this site.

Source: the Fetch standard, "CORS protocol".
"""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, ClassVar

from werkzeug.wrappers import Request, Response

from framework.advice.objects import OF_CORS
from framework.advice.other_frameworks import refusing
from framework.http.origins import read_origins
from framework.middleware import Next
from sessions.errors import ConfigurationError
from sessions.names import explains_settings

EVERY_ORIGIN = "*"
# The name of a method or a header (RFC 9110, 5.6.2).
_TOKEN = re.compile(r"[\w!#$%&'*+.^`|~-]+", re.ASCII)


@explains_settings(OF_CORS)
@dataclass(frozen=True, kw_only=True)
class CORS:
    """Middleware that lets only the scripts of the given origins read responses.

    `credentials` lets the scripts send cookies. `headers` are the headers that the scripts are
    allowed to send. `expose` are the headers that the scripts are allowed to read. `max_age` says
    how long a browser remembers the answer to a preflight. Raises ConfigurationError with every
    mistake in the settings.
    """

    origins: Collection[str]
    methods: Collection[str] = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
    headers: Collection[str] = ("Content-Type",)
    expose: Collection[str] = ()
    credentials: bool = False
    max_age: timedelta = timedelta(minutes=10)
    # This tells the framework that the middleware does not use the session.
    uses_session: ClassVar[bool] = False

    def __post_init__(self) -> None:
        origins, mistakes = self._read_origins()
        for name in ("methods", "headers", "expose"):
            names = getattr(self, name)
            mistakes += _name_mistakes(f"CORS.{name}", names, credentials=self.credentials)
        if not isinstance(self.max_age, timedelta) or self.max_age < timedelta():
            mistakes.append(
                f"CORS.max_age is {self.max_age!r}. Fix: give a timedelta that is not negative"
            )
        flag: object = self.credentials
        if not isinstance(flag, bool):
            mistakes.append(f"CORS.credentials is {flag!r}. Fix: give True or False")
        if mistakes:
            raise ConfigurationError(mistakes)
        object.__setattr__(self, "origins", origins)

    def __call__(self, request: Request, next: Next, /) -> Response:
        origin = request.headers.get("Origin")
        allowed = self._allowed(origin)
        if allowed and _is_preflight(request):
            response = Response(status=204)
            response.headers.update(self._preflight_headers())
        else:
            response = next(request)
        if allowed:
            response.headers.update(self._origin_headers(allowed))
        if EVERY_ORIGIN not in self.origins:
            response.vary.add("Origin")
        return response

    def _read_origins(self) -> tuple[Collection[str], list[str]]:
        """Return the origins as browsers write them, and the mistakes in them."""
        if not _is_every(self.origins):
            return read_origins("CORS.origins", self.origins)
        if self.credentials:
            return self.origins, [
                "CORS.origins is ['*'] with credentials=True: every site could act as the user."
                " Fix: list the origins, or leave credentials out"
            ]
        return self.origins, []

    def _allowed(self, origin: str | None) -> str | None:
        """Return the allowed origin that the response names; None if this origin is not allowed."""
        if origin is None:
            return None
        if EVERY_ORIGIN in self.origins:
            return EVERY_ORIGIN
        return origin if origin in self.origins else None

    def _origin_headers(self, allowed: str) -> dict[str, str]:
        """Return the headers of every response to an allowed origin."""
        headers = {"Access-Control-Allow-Origin": allowed}
        if self.credentials:
            headers["Access-Control-Allow-Credentials"] = "true"
        if self.expose:
            headers["Access-Control-Expose-Headers"] = ", ".join(self.expose)
        return headers

    def _preflight_headers(self) -> dict[str, str]:
        """Return the headers that answer a preflight."""
        headers = {
            "Access-Control-Allow-Methods": ", ".join(self.methods),
            "Access-Control-Max-Age": str(int(self.max_age.total_seconds())),
        }
        if self.headers:
            headers["Access-Control-Allow-Headers"] = ", ".join(self.headers)
        return headers


def _is_every(origins: object) -> bool:
    return isinstance(origins, Collection) and list(origins) == [EVERY_ORIGIN]


def _is_preflight(request: Request) -> bool:
    return request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers


def _name_mistakes(setting: str, names: object, *, credentials: bool) -> Iterator[str]:
    """Yield a text for each mistake in a list of names of methods or headers."""
    if isinstance(names, str):
        yield f"{setting} is the text {names!r}. Fix: give a list: [{names!r}]"
        return
    if not isinstance(names, Collection):
        yield f"{setting} is {names!r}. Fix: give a list"
        return
    for name in names:
        if not isinstance(name, str) or not _TOKEN.fullmatch(name):
            what = "method" if setting == "CORS.methods" else "header"
            yield (
                f"{setting} has {name!r}, which is not the name of a {what}. Fix: write one name in"
                " each item of the list"
            )
        elif setting == "CORS.methods" and name != name.upper():
            yield (
                f"{setting} has {name!r}. Fix: write {name.upper()!r}, because methods are"
                " case-sensitive"
            )
        elif name == "*" and credentials:
            yield (
                f"{setting} has '*' with credentials=True, where '*' does not stand for all names."
                " Fix: list the names"
            )


# Type checkers report unknown names themselves.
if not TYPE_CHECKING:
    __getattr__ = refusing(__name__)
