"""The session cookie in a real browser."""

from typing import Any

import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By


def _visit(browser: Chrome, url: str) -> str:
    browser.get(url)
    return browser.find_element(By.TAG_NAME, "body").text


def _cookies(browser: Chrome) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = browser.execute_cdp_cmd("Network.getAllCookies", {})["cookies"]
    return found


def test_the_cookie_is_set_with_its_attributes(browser: Chrome, http_site: str) -> None:
    """Over http the browser keeps a host-only, HttpOnly, Lax session cookie for the whole site."""
    _visit(browser, http_site)

    [cookie] = _cookies(browser)
    attributes = {name: cookie.get(name) for name in ("name", "path", "domain", "sameSite")}
    flags = {name: cookie[name] for name in ("httpOnly", "secure", "session")}
    assert attributes == {"name": "session", "path": "/", "domain": "127.0.0.1", "sameSite": "Lax"}
    assert flags == {"httpOnly": True, "secure": False, "session": True}


def test_the_session_survives_a_reload(browser: Chrome, http_site: str) -> None:
    """A reload sends the cookie back, and the count goes on without a new one."""
    _visit(browser, http_site)
    before = _cookies(browser)
    text = _visit(browser, http_site)

    assert text == "visits: 2"
    assert _cookies(browser) == before


def test_the_cookie_is_gone_after_logout(browser: Chrome, http_site: str) -> None:
    """Logout empties the jar, and the next visit begins a session of its own."""
    _visit(browser, http_site)
    kept = _cookies(browser)
    _visit(browser, f"{http_site}/logout")

    assert len(kept) == 1
    assert _cookies(browser) == []
    assert _visit(browser, http_site) == "visits: 1"


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_site_of_a_domain_works_on_this_machine(
    browser: Chrome, site_of_a_domain: str, host: str
) -> None:
    """A browser refuses a cookie for another domain, so here the cookie has none."""
    site = site_of_a_domain.replace("127.0.0.1", host)
    texts = [_visit(browser, site) for _ in range(2)]
    [cookie] = _cookies(browser)
    _visit(browser, f"{site}/logout")

    assert texts == ["visits: 1", "visits: 2"]
    assert cookie["domain"] == host
    assert _cookies(browser) == []


def test_over_https_the_cookie_has_the_host_prefix(browser: Chrome, https_site: str) -> None:
    """Over https the browser accepts `__Host-session`, Secure, and sends it back."""
    _visit(browser, https_site)
    text = _visit(browser, https_site)

    [cookie] = _cookies(browser)
    assert (cookie["name"], cookie["path"], cookie["secure"]) == ("__Host-session", "/", True)
    assert text == "visits: 2"


def test_the_deletion_of_the_host_prefixed_cookie_is_accepted(
    browser: Chrome, https_site: str
) -> None:
    """A browser that insists on Secure and Path for `__Host-` also obeys the deletion."""
    _visit(browser, https_site)
    kept = _cookies(browser)
    _visit(browser, f"{https_site}/logout")

    assert len(kept) == 1
    assert _cookies(browser) == []
