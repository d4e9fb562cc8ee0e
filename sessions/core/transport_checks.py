"""Check the transports of a container."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

from sessions.core.token_formats import TokenFormat
from sessions.core.wrong_values import instance_instead, single_instead
from sessions.events import logger
from sessions.transports.base import Transport
from sessions.transports.cookie import CookieTransport
from sessions.transports.header import HeaderTransport
from sessions.transports.url import URLTransport

_is_quiet = ContextVar("is_quiet", default=False)

_IN_URLS = (
    "SessionContainer: %r puts the ids of sessions into URLs. Browsers and servers keep URLs in"
    " histories and logs, and people share URLs. Fix: use a URLTransport only for clients without"
    " cookies; add sessions.logs.HideIds to the access log; if all users who sign in have cookies,"
    " give URLTransport(refuse_users=True): then a URL never opens the session of a signed-in user"
)


def transport_problems(transports: object, store: object) -> Iterator[str]:
    """Yield a text for each mistake in the list of transports."""
    if not isinstance(transports, Sequence):
        remedy = single_instead("transports", transports, Transport)
        yield f"transports={transports!r} is not a list. Fix: {remedy}"
        return
    for item in transports:
        if not isinstance(item, Transport):
            usual = "give Transports, such as a CookieTransport() or a HeaderTransport()"
            remedy = instance_instead(item, Transport, usual)
            yield f"transports has the item {item!r}. Fix: {remedy}"
    yield from _doubles(transports)
    urls = [item for item in transports if isinstance(item, URLTransport)]
    if len(urls) > 1:
        yield f"transports has {len(urls)} URLTransports. Fix: give only one"
    if urls and isinstance(store, TokenFormat):
        yield (
            f"transports has {urls[0]!r}, but store={store!r} keeps the sessions in their tokens,"
            " which are too long and too private for a URL. Fix: give the container a store"
        )
    if urls and urls[0].always_cookie and not _has_cookie_before(transports, urls[0]):
        yield (
            f"transports has {urls[0]!r} with always_cookie=True, but no CookieTransport before"
            " it. Fix: write transports=[CookieTransport(), URLTransport(always_cookie=True)]"
        )


def _doubles(transports: Sequence[object]) -> Iterator[str]:
    """Yield a text for each cookie or header transport that is listed more than once."""
    named = (item for item in transports if isinstance(item, CookieTransport | HeaderTransport))
    shown = [repr(item) for item in named]
    for text in dict.fromkeys(text for text in shown if shown.count(text) > 1):
        yield f"transports has {text} {shown.count(text)} times. Fix: give it once"


def warn_of_urls(transports: Sequence[Transport]) -> None:
    """Log a warning, once for each container, if ids can be in URLs."""
    for transport in transports:
        if isinstance(transport, URLTransport) and not _is_quiet.get():
            logger.warning(_IN_URLS, transport)


@contextmanager
def without_warnings() -> Iterator[None]:
    """Log no warning about ids in URLs while the block makes a container.

    Commands and tests use this, because their containers do not serve the users of a site.
    """
    token = _is_quiet.set(True)
    try:
        yield
    finally:
        _is_quiet.reset(token)


def _has_cookie_before(transports: Sequence[object], url: URLTransport) -> bool:
    before = transports[: transports.index(url)]
    return any(isinstance(item, CookieTransport) for item in before)
