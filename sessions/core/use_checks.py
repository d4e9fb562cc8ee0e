"""Check the settings about time: how long sessions live, and when their ids change."""

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Protocol

from sessions.core.token_formats import TokenFormat

_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", re.ASCII)


class UseSettings(Protocol):
    """The settings of a container that are checked here."""

    @property
    def store(self) -> object: ...
    @property
    def absolute_timeout(self) -> timedelta: ...
    @property
    def longest_timeout(self) -> timedelta | None: ...
    @property
    def renew_every(self) -> timedelta | None: ...
    @property
    def background_header(self) -> str | None: ...


def use_problems(settings: UseSettings) -> Iterator[str]:
    """Yield the mistakes of the settings."""
    longest, absolute = settings.longest_timeout, settings.absolute_timeout
    are_spans = isinstance(longest, timedelta) and isinstance(absolute, timedelta)
    if are_spans and longest is not None and longest <= absolute:
        yield (
            f"longest_timeout={longest!r} is not longer than absolute_timeout={absolute!r}, so it"
            " changes nothing. Fix: give a longer time, or leave longest_timeout out"
        )
    if settings.renew_every is not None and isinstance(settings.store, TokenFormat):
        yield (
            f"renew_every={settings.renew_every!r} has no effect for stateless sessions, because"
            " an earlier token stays valid. Fix: leave renew_every out, or give a store"
        )
    name: object = settings.background_header
    if name is not None and not (isinstance(name, str) and _NAME.fullmatch(name)):
        yield (
            f"background_header={name!r} is not the name of a header. Fix: give a name such as"
            ' "X-Background"'
        )
