"""Find mistakes in the attributes of the session cookie."""

import re
from collections.abc import Iterator
from typing import get_args

from sessions.transports.base import CookieAttributes, SameSite

SECURE = "give CookieSettings(secure=True)"
_PATH = re.compile(r"/[\x21-\x3a\x3c-\x7e]*", re.ASCII)
_LABEL = r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_DOMAIN = re.compile(rf"{_LABEL}(\.{_LABEL})*", re.ASCII)


def flag_problems(cookie: CookieAttributes) -> Iterator[str]:
    for name in ("http_only", "partitioned"):
        value = getattr(cookie, name)
        if not isinstance(value, bool):
            yield f"{name}={value!r} is not a bool. Fix: give True or False"
    secure: object = cookie.secure
    if not isinstance(secure, bool) and secure != "auto":
        yield f'secure={secure!r} is unknown. Fix: give True, False or "auto"'
    if cookie.same_site not in get_args(SameSite):
        yield f'same_site={cookie.same_site!r} is unknown. Fix: give "Strict", "Lax" or "None"'


def scope_problems(cookie: CookieAttributes) -> Iterator[str]:
    if not isinstance(cookie.path, str) or not _PATH.fullmatch(cookie.path):
        yield (
            f"path={cookie.path!r} is not a cookie path. Fix: begin with '/', and percent-encode"
            " ';', spaces, control characters and all characters that are not ASCII"
        )
    if cookie.domain is not None and not _is_domain(cookie.domain):
        yield f"domain={cookie.domain!r} is not a domain name. Fix: give one such as 'shop.example'"


def _is_domain(domain: object) -> bool:
    return isinstance(domain, str) and len(domain) < 254 and bool(_DOMAIN.fullmatch(domain))


def cross_site_problems(cookie: CookieAttributes) -> Iterator[str]:
    if cookie.secure is True:
        return
    if cookie.same_site == "None":
        yield (
            f"same_site='None' with secure={cookie.secure!r} is refused by browsers. Fix: {SECURE}"
        )
    if cookie.partitioned:
        yield (
            f"partitioned=True with secure={cookie.secure!r} is refused by browsers. Fix: {SECURE}"
        )
