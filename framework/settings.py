"""`HTTPSettings`: trusted hosts and proxies, limits of bodies and forms, security headers."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from werkzeug.sansio.utils import host_is_trusted

from framework.advice.objects import OF_HTTP
from framework.advice.other_frameworks import refusing
from sessions.errors import ConfigurationError
from sessions.names import explains_settings

_PROXY_HEADERS = ("for", "proto", "host", "port", "prefix")


@explains_settings(OF_HTTP)
@dataclass(frozen=True, kw_only=True)
class HTTPSettings:
    """The settings of HTTP; a configuration provides them as a component.

    Raises ConfigurationError with every mistake in the settings.
    """

    trusted_hosts: Sequence[str] = ()
    """The allowed hosts; `.example.com` allows its subdomains, an empty list allows every host."""
    trusted_proxies: int | Mapping[str, int] = 0
    """The number of proxies in front, which all set X-Forwarded-For and X-Forwarded-Proto.

    Or the number of proxies for each header: `{"for": 1, "proto": 1, "host": 1}`.
    """
    body_limit: int = 1024 * 1024
    """The largest body, in bytes."""
    form_memory_limit: int = 500_000
    """The largest field of a multipart form, in bytes; a file can be larger."""
    form_parts_limit: int = 1000
    """The largest number of fields and files in a form."""
    security_headers: bool = False
    """Whether each response has headers that make browsers stricter."""

    def __post_init__(self) -> None:
        mistakes = [*self._limit_mistakes(), *self._host_mistakes(), *self._proxy_mistakes()]
        if mistakes:
            raise ConfigurationError(mistakes)

    @property
    def proxies(self) -> dict[str, int]:
        """Return the number of proxies for each header, as arguments of ProxyFix."""
        counts = self.trusted_proxies
        if isinstance(counts, int):
            counts = {"for": counts, "proto": counts}
        return {f"x_{name}": counts.get(name, 0) for name in _PROXY_HEADERS}

    def _limit_mistakes(self) -> Iterator[str]:
        for name in (field.name for field in fields(self) if field.name.endswith("_limit")):
            value = getattr(self, name)
            if not _is_count(value) or value == 0:
                yield (
                    f"{name} is {value!r}, which is not a positive whole number. Fix: give a"
                    f" positive number, as in {name}=1000"
                )

    def _host_mistakes(self) -> Iterator[str]:
        hosts: object = self.trusted_hosts
        if isinstance(hosts, str):
            yield (
                f"trusted_hosts is {hosts!r}, which is a text and not a list. Fix: give a list,"
                f" [{hosts!r}]"
            )
            return
        if not isinstance(hosts, Collection):
            yield f"trusted_hosts is {hosts!r}. Fix: give a list, as in ['example.com']"
            return
        for host in hosts:
            if not _is_host(host):
                yield (
                    f"trusted_hosts has {host!r}, which is not a host. Fix: write 'example.com', or"
                    " '.example.com' for all hosts below it, too"
                )

    def _proxy_mistakes(self) -> Iterator[str]:
        counts = self.trusted_proxies
        if not isinstance(counts, Mapping):
            if not _is_count(counts):
                yield (
                    f"trusted_proxies is {counts!r}, which is not a number. Fix: give the number of"
                    " proxies in front, as in trusted_proxies=1"
                )
            return
        for name, count in counts.items():
            if name not in _PROXY_HEADERS:
                yield (
                    f"trusted_proxies has the unknown header {name!r}. Fix: use"
                    f" {', '.join(_PROXY_HEADERS)}"
                )
            elif not _is_count(count):
                yield (
                    f"trusted_proxies[{name!r}] is {count!r}, which is not a number. Fix: give the"
                    " number of proxies"
                )


def _is_host(host: object) -> bool:
    """Return whether the host of a request can match this setting."""
    if not isinstance(host, str):
        return False
    try:
        name = host.lower().removeprefix(".").encode("idna").decode()
    # The host has a label that is empty or too long.
    except UnicodeError:
        return False
    return host_is_trusted(name, [host.lower()])


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


# Type checkers report unknown names themselves.
if not TYPE_CHECKING:
    __getattr__ = refusing(__name__)
