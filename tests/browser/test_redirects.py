"""What counts as a local path, a real browser takes for one."""

from itertools import product

from selenium.webdriver import Chrome

from framework.redirects import is_local
from tests.framework.test_redirects import LOCAL

OWN = "https://shop.example"
# All that has a meaning in a URL, and what browsers drop or read as something else.
MEANINGFUL = ["/", "\\", ".", "..", ":", "@", "?", "#", "%2f", "\t", "\n", " ", "e.example"]

ORIGINS = """
    return arguments[0].map(target => new URL(target, "https://shop.example/notes/1").origin)
"""


def _origins(browser: Chrome, targets: list[str]) -> set[str]:
    return set(browser.execute_script(ORIGINS, targets))


def test_a_local_path_stays_on_the_site(browser: Chrome) -> None:
    """The browser stays on the site for every path that counts as local."""
    assert _origins(browser, LOCAL) == {OWN}


def test_no_mixture_of_signs_leaves_the_site(browser: Chrome) -> None:
    """Every short text of signs with a meaning that is local."""
    texts = (f"/{''.join(signs)}" for signs in product(MEANINGFUL, repeat=4))
    targets = [text for text in texts if is_local(text)]

    assert _origins(browser, targets) == {OWN}
