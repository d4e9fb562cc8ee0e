"""The sample `notes` in a real browser, as `framework run` serves it."""

from collections.abc import Iterator

import pytest
from selenium.common.exceptions import WebDriverException
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

from framework import Application, Response, controller, get
from tests.support.serving import FRAMEWORK, SECONDS, Program, served

pytestmark = pytest.mark.slow

PASSWORD = "correct horse"  # noqa: S105


@pytest.fixture(scope="module")
def notes_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve the sample from an empty folder."""
    command = (FRAMEWORK, "run", "samples.notes.app:app", "--port", "0", "--no-reload")
    with Program(*command, folder=tmp_path_factory.mktemp("notes")) as program:
        yield program.url()


def _submit(browser: Chrome, label: str, **fields: str) -> str:
    """Fill a form in, press the button with the label, and read the page that follows."""
    for name, text in fields.items():
        field = browser.find_element(By.NAME, name)
        field.clear()
        field.send_keys(text)
    browser.execute_script("window.isOld = true")
    browser.find_element(By.XPATH, f"//button[normalize-space()='{label}']").click()
    # Between two pages there may be none to ask.
    waiting = WebDriverWait(browser, SECONDS, 0.02, ignored_exceptions=[WebDriverException])
    waiting.until(_has_new_page)
    return browser.find_element(By.TAG_NAME, "body").text


def _has_new_page(browser: Chrome) -> bool:
    script = "return !window.isOld && document.readyState === 'complete'"
    return browser.execute_script(script) is True


def _register(browser: Chrome, site: str, name: str) -> str:
    browser.get(f"{site}/register")
    return _submit(browser, "Register", name=name, password=PASSWORD)


def test_a_note_from_the_registration_to_the_logout(browser: Chrome, notes_site: str) -> None:
    """Register, write, log out, log in, delete: each page says what happened."""
    pages = [
        _register(browser, notes_site, "ada"),
        _submit(browser, "Save", text="buy tea"),
        _submit(browser, "Log out"),
        _submit(browser, "Log in", name="ada", password=PASSWORD),
        _submit(browser, "Delete"),
    ]
    told = [page.splitlines() for page in pages]

    assert "Welcome, ada." in told[0]
    assert {"The note is saved.", "buy tea"} <= set(told[1])
    assert "You are logged out." in told[2]
    assert {"Welcome, ada.", "buy tea"} <= set(told[3])
    assert "The note is deleted." in told[4]
    assert "buy tea" not in told[4]


def test_the_browser_gets_another_cookie_at_the_login(browser: Chrome, notes_site: str) -> None:
    """What the browser held before the login is worth nothing after it."""
    _register(browser, notes_site, "grace")
    before = browser.get_cookie("session")
    browser.get(f"{notes_site}/login")
    _submit(browser, "Log in", name="grace", password=PASSWORD)
    after = browser.get_cookie("session")

    assert before
    assert after
    assert before["value"] != after["value"]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"], ids=["same-site", "cross-site"])
def test_a_form_of_another_site_is_refused(browser: Chrome, notes_site: str, host: str) -> None:
    """The browser itself tells that the form is not ours; another port is another origin."""
    _register(browser, notes_site, f"user-of-{host}")
    with served(_page_with_form(f"{notes_site}/notes")) as url:
        browser.get(url.replace("127.0.0.1", host))
        page = _submit(browser, "Win a prize")
    browser.get(notes_site)

    assert "403 Forbidden" in page
    assert f"This request was made by another site ({url.replace('127.0.0.1', host)})." in page
    assert "written by an attacker" not in browser.page_source


def test_the_style_sheet_is_used(browser: Chrome, notes_site: str) -> None:
    """The pages look like something."""
    browser.get(f"{notes_site}/login")
    button = browser.find_element(By.TAG_NAME, "button")

    assert button.value_of_css_property("border-radius") == "8px"


def _page_with_form(target: str) -> Application:
    """Make the site of an attacker."""

    @controller("/")
    class Attacker:
        @get("/")
        def page(self) -> Response:
            return Response(
                f'<form method="post" action="{target}"><button>Win a prize</button>'
                '<input type="hidden" name="text" value="written by an attacker"></form>',
                content_type="text/html",
            )

    return Application(Attacker)
