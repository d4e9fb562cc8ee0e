"""A counter for a browser that refuses cookies, and for curl without a cookie jar."""

import html
import importlib
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import chdir
from pathlib import Path
from urllib.parse import urlencode, urljoin

import pytest
from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.support.expected_conditions import staleness_of
from selenium.webdriver.support.wait import WebDriverWait

from framework import Application
from tests.support.serving import SECONDS, served

pytestmark = pytest.mark.slow

LINK = re.compile(r'href="([^"]+)"')
COUNT = re.compile(r'id="visits">(\d+)<')
FIELD = re.compile(r'type="hidden" name="(\w+)" value="([^"]+)"')


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve the sample, in a folder where it may keep its files."""
    with chdir(tmp_path_factory.mktemp("site")):
        app: Application = importlib.import_module("samples.cookieless.app").app
        with app.test() as client, served(client.app) as url:
            yield url


@pytest.fixture(scope="module")
def refusing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    """Start Chromium with cookies switched off, as a user does in its settings."""
    for program in ("chromium", "chromedriver"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed (.ci/run installs it on Debian)")
    options = ChromeOptions()
    options.binary_location = shutil.which("chromium") or ""
    # 2 is "block".
    blocked = {"profile.default_content_setting_values.cookies": 2}
    options.add_experimental_option("prefs", blocked)
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"):
        options.add_argument(argument)
    options.add_argument(f"--user-data-dir={tmp_path_factory.mktemp('chromium')}")
    driver = Chrome(options=options, service=Service(shutil.which("chromedriver")))
    yield driver
    driver.quit()


def _count(browser: Chrome) -> int:
    return int(browser.find_element(By.ID, "visits").text)


def _click(browser: Chrome, text: str) -> int:
    """Follow the link, wait for the next page, and return its count."""
    link = browser.find_element(By.LINK_TEXT, text)
    browser.get(link.get_attribute("href") or "")
    return _count(browser)


def _send(browser: Chrome, button: str) -> None:
    """Send the form of a button, and wait for the next page."""
    pressed = browser.find_element(By.ID, button)
    pressed.click()
    WebDriverWait(browser, SECONDS).until(staleness_of(pressed))


def test_a_browser_that_refuses_cookies_keeps_its_count(refusing: Chrome, site: str) -> None:
    """The links and forms of the pages carry the session, and a reload does, too."""
    refusing.get(site)
    counts = [_count(refusing), _click(refusing, "Again"), _click(refusing, "Again")]
    refusing.refresh()
    counts.append(_count(refusing))
    refusing.find_element(By.NAME, "name").send_keys("Ada")
    _send(refusing, "save")
    counts.append(_count(refusing))
    greeting = refusing.find_element(By.TAG_NAME, "h1").text

    assert counts == [1, 2, 3, 4, 5]
    assert greeting == "Hello, Ada"
    assert refusing.execute_cdp_cmd("Network.getAllCookies", {})["cookies"] == []
    assert "wSession=" in refusing.current_url


def test_a_logout_ends_the_session_of_the_links(refusing: Chrome, site: str) -> None:
    """The page after it counts from one, and the old address does, too."""
    refusing.get(site)
    _click(refusing, "Again")
    old = refusing.current_url
    _send(refusing, "leave")
    after = _count(refusing)
    refusing.get(old)

    assert "wSession=" in old
    assert (after, _count(refusing)) == (1, 1)


def test_a_page_tells_no_other_page_its_address(refusing: Chrome, site: str) -> None:
    """The browser sends no Referer from a page with an id in its address."""
    refusing.get(site)
    _click(refusing, "Again")
    _click(refusing, "Again")

    assert refusing.execute_script("return document.referrer") == ""


def test_a_browser_with_cookies_gets_plain_links(browser: Chrome, site: str) -> None:
    """From the second page on, the links have no token; the first page sent both."""
    browser.get(site)
    first = _click(browser, "Again")
    address = browser.find_element(By.LINK_TEXT, "Again").get_attribute("href") or ""
    fields = browser.find_elements(By.NAME, "wSession")
    browser.get(site)

    assert (first, _count(browser)) == (2, 3)
    assert "wSession" not in address
    assert fields == []


def _curl(url: str, *options: str) -> str:
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed (.ci/run installs it on Debian)")
    command = ["curl", "--silent", "--show-error", "--fail", *options, url]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def test_curl_without_a_jar_keeps_its_count(site: str) -> None:
    """It follows the links of the pages, and sends a form with its hidden fields."""
    pages = [_curl(site)]
    for _ in range(2):
        (link,) = LINK.findall(pages[-1])
        pages.append(_curl(urljoin(site, html.unescape(link))))
    fields = {name: html.unescape(value) for name, value in FIELD.findall(pages[-1])}
    data = ["--data", urlencode(fields | {"name": "Ada"})]
    pages.append(_curl(f"{site}/name", "--location", *data))

    assert [COUNT.findall(page) for page in pages] == [["1"], ["2"], ["3"], ["4"]]
    assert "Hello, Ada" in pages[-1]


def test_curl_without_its_link_begins_anew(site: str, tmp_path: Path) -> None:
    """Without a link or a cookie jar, nothing carries the session."""
    jar = ("--cookie", str(tmp_path / "jar"), "--cookie-jar", str(tmp_path / "jar"))
    alone = [_curl(site), _curl(site)]
    with_jar = [_curl(site, *jar), _curl(site, *jar)]

    assert [COUNT.findall(page) for page in alone] == [["1"], ["1"]]
    assert [COUNT.findall(page) for page in with_jar] == [["1"], ["2"]]
    assert "wSession" not in with_jar[-1]
