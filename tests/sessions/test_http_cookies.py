"""Names that begin with `__Http-`, which browsers keep out of the reach of scripts."""

from functools import partial

import pytest

from sessions import CookieSettings, SessionContainer
from tests.support.apps import KEY
from tests.support.refusals import MAKE_SECURE, problems

container = partial(SessionContainer, keys=[KEY])

SECURE = CookieSettings(secure=True, path="/shop")
SCRIPTED = CookieSettings(secure=True, path="/shop", http_only=False)


@pytest.mark.parametrize("prefix", ["__Http-s", "__HTTP-s"])
def test_an_http_cookie_is_secure_and_out_of_reach_of_scripts(prefix: str) -> None:
    """Browsers ignore other cookies whose names begin with `__Http-`, in upper or lower case."""
    assert problems(container, session_prefix=prefix) == (
        f"SessionContainer: session_prefix={prefix!r} with secure='auto' is refused."
        f" Fix: {MAKE_SECURE}",
    )
    assert problems(container, session_prefix=prefix, cookie=SCRIPTED) == (
        f"SessionContainer: session_prefix={prefix!r} with http_only=False makes a cookie"
        f" {prefix!r}, which browsers refuse. Fix: give http_only=True, or another prefix",
    )
    assert container(session_prefix=prefix, cookie=SECURE).cookie is SECURE


@pytest.mark.parametrize("prefix", ["__Host-Http-s", "Http-s", "HTTP-s"])
def test_a_host_cookie_may_be_an_http_cookie_too(prefix: str) -> None:
    """The rules of `__Http-` also hold for the name with `__Host-` in front of it."""
    scripted = CookieSettings(secure=True, http_only=False)
    name = prefix if prefix.startswith("__Host-") else f"__Host-{prefix}"

    (problem,) = problems(container, session_prefix=prefix, cookie=scripted)

    assert f"http_only=False makes a cookie {name!r}" in problem
    assert container(session_prefix=prefix, cookie=CookieSettings(secure=True))
