"""Settings of cookies that browsers would refuse are errors at start-up."""

from datetime import timedelta
from typing import Any

import pytest

from sessions import CookieSettings
from tests.support.refusals import MAKE_SECURE, problems

PATH = (
    "is not a cookie path. Fix: begin with '/', and percent-encode ';', spaces, control"
    " characters and all characters that are not ASCII"
)
DOMAIN = "is not a domain name. Fix: give one such as 'shop.example'"
COOKIE: list[tuple[str, Any, str]] = [
    ("http_only", 1, "is not a bool. Fix: give True or False"),
    ("http_only", None, "is not a bool. Fix: give True or False"),
    ("partitioned", "", "is not a bool. Fix: give True or False"),
    ("secure", 1, 'is unknown. Fix: give True, False or "auto"'),
    ("secure", 0, 'is unknown. Fix: give True, False or "auto"'),
    ("secure", None, 'is unknown. Fix: give True, False or "auto"'),
    ("secure", "Auto", 'is unknown. Fix: give True, False or "auto"'),
    ("same_site", None, 'is unknown. Fix: give "Strict", "Lax" or "None"'),
    ("same_site", "lax", 'is unknown. Fix: give "Strict", "Lax" or "None"'),
    ("same_site", False, 'is unknown. Fix: give "Strict", "Lax" or "None"'),
    *[("path", path, PATH) for path in ("", "shop", "/a;b", "/a b", "/a\n", "/\x7f", "/ż", None)],
    *[
        ("domain", domain, DOMAIN)
        for domain in ("", ".shop.example", "shop example", "a..b", "a;b", "-a", "a.b\n", "ż.pl", 1)
    ],
    ("domain", "a" * 64, DOMAIN),
    ("domain", "a." * 127 + "a", DOMAIN),
    ("same_site", "None", f"with secure='auto' is refused by browsers. Fix: {MAKE_SECURE}"),
    ("partitioned", True, f"with secure='auto' is refused by browsers. Fix: {MAKE_SECURE}"),
]


@pytest.mark.parametrize(("name", "value", "wanted"), COOKIE)
def test_attributes_that_browsers_refuse_are_refused(name: str, value: Any, wanted: str) -> None:
    """The error shows the value and says what to give instead."""
    assert problems(CookieSettings, **{name: value}) == (
        f"CookieSettings: {name}={value!r} {wanted}",
    )


@pytest.mark.parametrize("value", ["/", "/shop", "/a/b/", "/caf%C3%A9", "/~a_(b)"])
def test_paths_are_accepted(value: str) -> None:
    """Every path that a URL can have is accepted."""
    assert CookieSettings(path=value).path == value


@pytest.mark.parametrize("value", ["shop.example", "a-b.c", "localhost", "127.0.0.1", "a" * 63])
def test_domains_are_accepted(value: str) -> None:
    """Domains with one label or several are accepted."""
    assert CookieSettings(domain=value).domain == value


def test_all_mistakes_of_a_cookie_are_reported_at_once() -> None:
    """The error names wrong attributes, and attributes that exclude each other."""
    found = problems(CookieSettings, path="", domain="", same_site="None", max_age=timedelta(0))

    names = [problem.split()[1].partition("=")[0] for problem in found]
    assert names == ["path", "domain", "same_site", "max_age"]


def test_browsers_keep_cookies_for_400_days() -> None:
    """A longer Max-Age is refused."""
    huge = timedelta(days=400, seconds=1)

    assert problems(CookieSettings, max_age=huge) == (
        f"CookieSettings: max_age={huge!r} is too long. Fix: give 400 days at most",
    )
