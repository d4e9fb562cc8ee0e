"""A site over http and https, and a real browser to visit it with."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service

from tests.browser.application import build
from tests.support.serving import served


def _require(*programs: str) -> None:
    for program in programs:
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed (.ci/run installs it on Debian)")


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """Make a certificate for 127.0.0.1 that nobody has signed but itself."""
    _require("openssl")
    folder = tmp_path_factory.mktemp("certificate")
    certificate, key = str(folder / "certificate.pem"), str(folder / "key.pem")
    command = (
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1"
        " -subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1"
    )
    where = ["-out", certificate, "-keyout", key]
    subprocess.run([*command.split(), *where], check=True, capture_output=True)
    return certificate, key


@pytest.fixture
def http_site() -> Iterator[str]:
    """Serve the application over http."""
    with served(build()) as url:
        yield url


@pytest.fixture
def site_of_a_domain() -> Iterator[str]:
    """Serve the application over http, with a cookie for a domain."""
    with served(build("shop.example")) as url:
        yield url


@pytest.fixture
def https_site(certificate: tuple[str, str]) -> Iterator[str]:
    """Serve the application over https."""
    with served(build(), certificate=certificate) as url:
        yield url


@pytest.fixture(scope="session")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    """Start Chromium without a window; it accepts the certificate that only we know."""
    _require("chromium", "chromedriver")
    options = ChromeOptions()
    options.binary_location = shutil.which("chromium") or ""
    options.accept_insecure_certs = True
    # No sandbox and little shared memory, as in the containers where tests run.
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"):
        options.add_argument(argument)
    options.add_argument(f"--user-data-dir={tmp_path_factory.mktemp('chromium')}")
    driver = Chrome(options=options, service=Service(shutil.which("chromedriver")))
    yield driver
    driver.quit()


@pytest.fixture
def browser(chromium: Chrome) -> Chrome:
    """Return the browser with an empty cookie jar and log: ports do not keep cookies apart."""
    chromium.get_log("browser")  # type: ignore[no-untyped-call]
    chromium.execute_cdp_cmd("Network.clearBrowserCookies", {})
    return chromium


@pytest.fixture
def jar(tmp_path: Path) -> Path:
    """Name the file where curl keeps cookies."""
    _require("curl")
    return tmp_path / "cookies.txt"
