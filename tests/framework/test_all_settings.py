"""Wrong settings: every class of settings reports all of its mistakes in one error."""

from collections.abc import Callable
from datetime import timedelta
from itertools import combinations
from typing import Any

import pytest

from framework import Middleware, component, configuration
from framework.cors import CORS
from framework.csrf import CSRF
from framework.openapi import OpenAPI
from framework.settings import HTTPSettings
from sessions import ConfigurationError, CookieSettings, SessionContainer
from sessions.transports.cookie import CookieTransport
from sessions.transports.header import HeaderTransport
from sessions.transports.url import URLTransport
from sessions.users import SessionLimit
from tests.support.small_applications import problems_of

KEY = "a key for the tests of the settings"
# For each class: the settings that it needs, and a wrong value of each setting.
WRONG: dict[Callable[..., object], tuple[dict[str, Any], dict[str, Any]]] = {
    CookieSettings: (
        {},
        {
            "http_only": "yes",
            "same_site": "lax",
            "path": "shop",
            "domain": ".shop.example",
            "partitioned": "yes",
            "secure": "yes",
            "max_age": 3600,
        },
    ),
    SessionContainer: (
        {"keys": [KEY]},
        {
            "keys": ["short"],
            "store": "sessions.db",
            "cookie": {"secure": True},
            "session_prefix": "a b",
            "resave": "no",
            "idle_timeout": 1800,
            "absolute_timeout": timedelta(0),
            "transports": "cookie",
            "listeners": print,
            "cookie_header_limit": 0,
        },
    ),
    CSRF: ({}, {"trusted_origins": ["shop.example"], "visitors": "yes"}),
    CORS: (
        {"origins": ["https://shop.example"]},
        {
            "origins": ["shop.example"],
            "methods": ["get"],
            "headers": "Content-Type",
            "expose": ["a b"],
            "credentials": "yes",
            "max_age": 600,
        },
    ),
    HTTPSettings: (
        {},
        {
            "trusted_hosts": None,
            "trusted_proxies": "one",
            "body_limit": 0,
            "form_memory_limit": "1 MB",
            "form_parts_limit": -1,
        },
    ),
    OpenAPI: (
        {"title": "Shop"},
        {"title": 3, "version": 1.0, "servers": 5, "include": "all", "amend": 3},
    ),
    SessionLimit: ({"most": 5}, {"most": 0, "beyond": "end_newest"}),
    CookieTransport: (
        {},
        {"name": "a b", "attributes": {"secure": True}, "header_limit": 0, "pairs_limit": "many"},
    ),
    URLTransport: (
        {},
        {"parameter": "a b", "always_cookie": 1, "refuse_users": 1, "form_limit": -1},
    ),
}
PAIRS = [
    pytest.param(kind, pair, id=f"{kind.__name__}-{'-'.join(pair)}")
    for kind, (_, wrong) in WRONG.items()
    for pair in combinations(wrong, 2)
]
# The classes that explain a setting that does not exist, and can be made without side effects.
EXPLAINING = (CookieSettings, SessionContainer, CORS, HTTPSettings, OpenAPI)


def _told(kind: Callable[..., object], **settings: Any) -> tuple[str, ...]:
    with pytest.raises(ConfigurationError) as caught:
        kind(**settings)
    return tuple(caught.value.problems)


@pytest.mark.parametrize(("kind", "pair"), PAIRS)
def test_two_wrong_settings_are_reported_in_one_error(
    kind: Callable[..., object], pair: tuple[str, str]
) -> None:
    """The error has the texts that each of the two wrong settings has alone."""
    needed, wrong = WRONG[kind]

    alone = [_told(kind, **(needed | {name: wrong[name]})) for name in pair]

    both = _told(kind, **(needed | {name: wrong[name] for name in pair}))
    assert {texts[0] for texts in alone} <= set(both)
    assert len(both) >= 2


@pytest.mark.parametrize("kind", [CSRF, CORS])
def test_each_wrong_origin_of_a_list_is_reported(kind: Callable[..., object]) -> None:
    """The error names every text of the list that is not an origin."""
    name = "origins" if kind is CORS else "trusted_origins"
    told = _told(kind, **{name: ["shop.example", "https://shop.example", None, "ftp://a"]})

    assert [text.partition(",")[0] for text in told] == [
        f"{kind.__name__}.{name} has {origin!r}" for origin in ("shop.example", None, "ftp://a")
    ]


@pytest.mark.parametrize("kind", EXPLAINING)
@pytest.mark.parametrize("is_complete", [True, False])
def test_unknown_settings_are_reported_beside_wrong_values(
    kind: Callable[..., object], is_complete: bool
) -> None:
    """The error has unknown names and wrong values, also if a needed setting is missing."""
    needed, wrong = WRONG[kind]
    others = {name: value for name, value in wrong.items() if name not in needed}

    values = _told(kind, **(needed | others))
    told = _told(kind, unknown=1, **(needed if is_complete else {}), **others)

    assert f"{kind.__name__} has no setting 'unknown'" in told[0]
    assert told[1:] == values


def test_a_missing_setting_is_reported_beside_wrong_values() -> None:
    """The missing keys are reported once, with the wrong timeout."""
    missing, timeout = _told(SessionContainer, idle_timeout=3)

    assert missing.startswith("SessionContainer needs 'keys'")
    assert timeout.startswith("SessionContainer: idle_timeout=3 is not a timedelta")


def test_values_by_position_of_a_class_with_few_settings_are_explained() -> None:
    """A transport whose settings may all be given by position says how many it takes."""
    make: Callable[..., object] = HeaderTransport
    with pytest.raises(ConfigurationError, match="HeaderTransport got 2 values by position") as got:
        make("X-Session", 3)

    assert "Fix: give 1 at most. HeaderTransport takes name" in str(got.value)


def test_start_up_reports_each_wrong_setting_of_a_middleware() -> None:
    """Each mistake has a number of its own, and the place of the component."""

    @configuration
    class Configuration:
        @component
        def middleware(self) -> list[Middleware]:
            wrong: Any = {"trusted_origins": ["a", "b"], "visitors": "yes"}
            return [CSRF(**wrong)]

    told = problems_of(Configuration)

    assert [problem.what.partition(",")[0] for problem in told] == [
        "CSRF.trusted_origins has 'a'",
        "CSRF.trusted_origins has 'b'",
        "CSRF.visitors is 'yes'",
    ]
    assert all("Configuration.middleware" in problem.where for problem in told)
