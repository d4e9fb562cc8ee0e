"""Which hosts the development server answers, because its pages show code."""

import pytest
from werkzeug.test import Client

from framework import Application, HTTPSettings, component, configuration, controller, get
from framework.serving.debugging import debugged, for_this_machine
from framework.serving.failures import report_page

SHOWN = "the combination is 12345"


@controller("/")
class Pages:
    @get("/")
    def show(self) -> str:
        raise LookupError(SHOWN)


@configuration
class Named:
    @component
    def http(self) -> HTTPSettings:
        return HTTPSettings(trusted_hosts=["shop.test", ".tunnel.test"])


THIS_MACHINE = [
    "localhost",
    "localhost:8000",
    "LOCALHOST:8000",
    "localhost.:8000",
    "shop.localhost",
    "127.0.0.1",
    "127.0.0.1:8000",
    "127.8.8.8:8000",
    "[::1]",
    "[::1]:8000",
]
OTHERS = [
    "evil.test",
    "evil.test:8000",
    "localhost.evil.test",
    "notlocalhost",
    "127.0.0.1.evil.test",
    "evil.test@localhost.evil.test",
    "192.168.1.5:8000",
    "0.0.0.0",  # noqa: S104
    "[::1",
    "[fe80::1]:8000",
    "shop.test.evil.test",
    "x" * 5000,
]


@pytest.mark.parametrize("host", THIS_MACHINE)
def test_the_debugger_is_shown_on_this_machine(host: str) -> None:
    """Every name and address of the machine itself is answered."""
    served, _ = debugged(Application(Pages), "127.0.0.1")
    answer = Client(served).get("/", headers={"Host": host})

    assert answer.status_code == 500
    assert SHOWN in answer.text


@pytest.mark.parametrize("host", OTHERS)
def test_another_host_sees_nothing_of_the_program(host: str) -> None:
    """The name may point to 127.0.0.1, but the page belongs to another site."""
    served, _ = debugged(Application(Pages), "127.0.0.1")
    answer = Client(served).get("/", headers={"Host": host})

    assert answer.status_code == 400
    assert SHOWN not in answer.text
    assert "trusted_hosts of HTTPSettings" in answer.text
    assert len(answer.data) < 1000


@pytest.mark.parametrize("host", OTHERS)
def test_another_host_sees_no_mistake_of_start_up(host: str) -> None:
    """The report of a failed start contains places and values of the program."""
    page = Client(for_this_machine(report_page(SHOWN), "127.0.0.1"))

    assert page.get("/", headers={"Host": host}).status_code == 400
    assert SHOWN in page.get("/", headers={"Host": "localhost"}).text


@pytest.mark.parametrize("host", ["shop.test", "SHOP.test:8000", "a.tunnel.test"])
def test_a_trusted_host_is_answered(host: str) -> None:
    """The application names its own hosts, such as one of /etc/hosts or of a tunnel."""
    served, _ = debugged(Application(Pages, Named), "127.0.0.1")

    assert Client(served).get("/", headers={"Host": host}).status_code == 500


def test_the_served_address_is_answered() -> None:
    """The address is the one of the command line."""
    page = Client(for_this_machine(report_page(SHOWN), "Box.test"))

    assert page.get("/", headers={"Host": "box.test:8000"}).status_code == 500


def test_a_request_without_a_host_is_answered() -> None:
    """HTTP/1.0 has no Host header, and every browser sends one."""
    answers: list[str] = []
    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/", "SERVER_NAME": "127.0.0.1"}
    page = for_this_machine(report_page(SHOWN), "127.0.0.1")
    body = page(environ, lambda status, *_: answers.append(status))  # type: ignore[arg-type]

    assert answers == ["500 Internal Server Error"]
    assert SHOWN in b"".join(body).decode()
