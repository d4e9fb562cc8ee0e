"""The page of the OpenAPI document in a real browser."""

from collections.abc import Iterator

import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait
from werkzeug.exceptions import NotFound
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from framework import Application, HTTPSettings, component, configuration
from tests.support.openapi_shop import Configuration, Items, Pages
from tests.support.serving import served

pytestmark = pytest.mark.slow

SECONDS = 20


@configuration
class Strict:
    """Let browsers be strict."""

    @component
    def http(self) -> HTTPSettings:
        return HTTPSettings(security_headers=True)


@pytest.fixture(params=["", "/shop"], ids=["plain", "mounted"])
def page(browser: Chrome, request: pytest.FixtureRequest) -> Iterator[Chrome]:
    """Show the page, also of an application below a mount point, with every security header."""
    mount, settings = request.param, [Strict] if request.param else []
    with Application(Items, Pages, Configuration, *settings).test() as client:
        mounted = DispatcherMiddleware(NotFound(), {mount: client.app}) if mount else client.app
        with served(mounted) as url:
            browser.get(f"{url}{mount}/docs")
            WebDriverWait(browser, SECONDS).until(
                lambda found: _shown(found, "details[data-words]")
            )
            yield browser


def test_the_page_lists_every_operation(page: Chrome) -> None:
    """Each has its method, path and summary, and the browser reports no error."""
    listed = _shown(page, "details[data-words] summary")

    assert "POST /items Offer an item." in listed
    assert len(listed) == 11
    assert page.get_log("browser") == []  # type: ignore[no-untyped-call]


def test_the_filter_hides_what_it_does_not_name(page: Chrome) -> None:
    """All its words count, and the number of what is left is said."""
    page.find_element(By.ID, "filter").send_keys("get picture")

    assert _shown(page, "details[data-words] summary") == ["GET /items/{item_id}/picture"]
    assert _shown(page, "#count") == ["1 operation"]
    assert _shown(page, "main h2") == ["Items", "Schemas"]


def test_a_link_opens_an_operation_and_its_schema(page: Chrome) -> None:
    """Types are written so that people can read them."""
    page.find_element(By.LINK_TEXT, "POST /items").click()
    WebDriverWait(page, SECONDS).until(lambda found: _shown(found, "details[open] h4"))
    page.find_element(By.CSS_SELECTOR, "details[open] .content a").click()
    WebDriverWait(page, SECONDS).until(lambda found: _shown(found, "details[open] pre"))

    (text,) = _shown(page, "details[open] pre")
    assert text.splitlines() == [
        "{",
        "  name: string  (length ≥ 1, length ≤ 40)",
        "  price: integer",
        '  size?: Size  (default "small")',
        "  parts?: array of Item | null  (default null)",
        "}",
    ]


@pytest.mark.parametrize(
    ("operation", "written", "answered"),
    [
        (
            "GET /items",
            {"page": "7", "sizes": "small, large", "x-tenant": "ada"},
            ["200 OK", '"name": "cup"', '"price": 7', "sizes=small&sizes=large"],
        ),
        ("GET /items", {"page": "0"}, ["422 UNPROCESSABLE ENTITY", '"where": "query:page"']),
        ("GET /items/{item_id}", {"item_id": "8"}, ["200 OK", '"name": "8"', "/items/8"]),
        ("POST /items", {"body": '{"name": "tea", "price": 3}'}, ["201 CREATED", '"name": "tea"']),
        ("POST /items", {}, ["422 UNPROCESSABLE ENTITY", "length"]),
        ("GET /stream", {}, ["200 OK", "one"]),
    ],
)
def test_an_operation_can_be_tried(
    page: Chrome, operation: str, written: dict[str, str], answered: list[str]
) -> None:
    """The page sends what is written, and shows the status, the headers and the body."""
    page.find_element(By.LINK_TEXT, operation).click()
    WebDriverWait(page, SECONDS).until(lambda found: _shown(found, "details[open] .trial"))
    page.find_element(By.CSS_SELECTOR, "details[open] .trial > summary").click()
    for label in page.find_elements(By.CSS_SELECTOR, "details[open] .trial label"):
        name = label.find_element(By.TAG_NAME, "code").text
        if name in written:
            field = label.find_element(By.CSS_SELECTOR, "input, textarea")
            field.clear()
            field.send_keys(written[name])
    page.find_element(By.CSS_SELECTOR, "details[open] .trial button").click()
    WebDriverWait(page, SECONDS).until(lambda found: _shown(found, "details[open] .trial pre"))

    (answer,) = _shown(page, "details[open] .trial [role=status]")
    assert [text for text in answered if text not in answer] == []


def _shown(browser: Chrome, selector: str) -> list[str]:
    """Return the text of every element that can be seen."""
    found = browser.find_elements(By.CSS_SELECTOR, selector)
    return [each.text for each in found if each.is_displayed()]
