"""The sample `devices` in a real browser, as `framework run` serves it."""

from collections.abc import Iterator

import pytest
from selenium.common.exceptions import WebDriverException
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

from tests.support.serving import FRAMEWORK, SECONDS, Program

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve the sample from an empty folder."""
    command = (FRAMEWORK, "run", "samples.devices.app:app", "--port", "0", "--no-reload")
    with Program(*command, folder=tmp_path_factory.mktemp("devices")) as program:
        yield program.url()


def _press(browser: Chrome, label: str, **fields: str) -> str:
    """Fill a form in, press the button with the label, and read the page that follows."""
    for name, text in fields.items():
        browser.find_element(By.NAME, name).send_keys(text)
    browser.execute_script("window.isOld = true")
    browser.find_element(By.XPATH, f"//button[normalize-space()='{label}']").click()
    # Between two pages there may be none to ask.
    waiting = WebDriverWait(browser, SECONDS, 0.02, ignored_exceptions=[WebDriverException])
    waiting.until(_has_new_page)
    return browser.find_element(By.TAG_NAME, "body").text


def _has_new_page(browser: Chrome) -> bool:
    script = "return !window.isOld && document.readyState === 'complete'"
    return browser.execute_script(script) is True


def _log_in(browser: Chrome, site: str) -> tuple[str, str]:
    """Log in as on another device; return the page and the cookie of the session."""
    browser.get(f"{site}/login")
    browser.delete_all_cookies()
    browser.get(f"{site}/login")
    page = _press(browser, "Log in", name="ada", password="lovelace")  # noqa: S106
    cookie = browser.get_cookie("session")
    assert cookie
    return page, cookie["value"]


def _page_with(browser: Chrome, site: str, cookie: str) -> str:
    """Open the list of devices with the cookie of another login."""
    browser.delete_all_cookies()
    browser.add_cookie({"name": "session", "value": cookie, "path": "/"})
    browser.get(f"{site}/devices")
    return browser.find_element(By.TAG_NAME, "body").text


def test_a_user_logs_other_devices_out(browser: Chrome, site: str) -> None:
    """One device, then all others; the browser that asks stays logged in."""
    logins = [_log_in(browser, site) for _ in range(3)]
    page, present = logins[-1]
    ended_one = _press(browser, "Log this device out")
    ended_all = _press(browser, "Log out everywhere else")
    others = [_page_with(browser, site, cookie) for _, cookie in logins[:-1]]
    mine = _page_with(browser, site, present)

    assert [text.count("from 127.") for text, _ in logins] == [1, 2, 3]
    assert "Chrome" in page
    assert page.count("(this device)") == 1
    assert "127.0.0.0/24" in page
    assert "The device is logged out." in ended_one
    assert "Logged out on other devices: 1." in ended_all
    assert all("Password" in other and "Your devices" not in other for other in others)
    assert "Your devices" in mine
