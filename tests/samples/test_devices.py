"""The sample `devices`: users see where they are logged in, and log out there."""

import importlib
import re
from collections.abc import Iterator
from contextlib import chdir
from pathlib import Path

import pytest
from werkzeug.test import TestResponse

from framework import Application
from framework.testing import Client, SessionClock, open_client, replace
from samples.devices import app as sample
from sessions.testing import ManualClock

OWN = {"Sec-Fetch-Site": "same-origin"}
LAPTOP, PHONE = "Laptop/1.0", "Phone/2.0"


@pytest.fixture
def clock() -> ManualClock:
    """Return the clock of the sessions."""
    return ManualClock()


@pytest.fixture
def app(clock: ManualClock) -> Iterator[Application]:
    """Return the application of the sample, with sessions in memory."""
    parts = (sample.WebConfiguration, sample.Login, sample.Devices)
    with open_client(parts, [replace(SessionClock).to(clock)]) as client:
        yield client.app


def _logged_in(app: Application, agent: str, name: str = "ada", at: str = "203.0.113.7") -> Client:
    client = Client(app)
    answer = client.post(
        "/login",
        data={"name": name, "password": sample.PASSWORDS[name]},
        headers={**OWN, "User-Agent": agent},
        environ_base={"REMOTE_ADDR": at},
    )
    assert answer.headers["Location"] == "/devices"
    return client


def _post(client: Client, path: str, **fields: str) -> TestResponse:
    return client.post(path, data=fields, headers=OWN)


def _agents(client: Client) -> list[str]:
    return re.findall(r"<b>(.*?)</b>", client.get("/devices").text)


def test_the_first_page_leads_to_the_login(app: Application) -> None:
    """Somebody who has just started the sample opens `/`."""
    answer = Client(app).get("/", follow_redirects=True)

    assert [one.request.path for one in answer.history] == ["/", "/devices"]
    assert (answer.status_code, answer.request.path) == (200, "/login")


def test_a_user_sees_the_own_devices(app: Application, clock: ManualClock) -> None:
    """The latest login first, with the network in place of the address."""
    laptop = _logged_in(app, LAPTOP)
    clock.advance(60)
    _logged_in(app, PHONE, at="198.51.100.23")
    _logged_in(app, "Other/1.0", "grace")
    page = laptop.get("/devices").text

    assert _agents(laptop) == [PHONE, LAPTOP]
    assert "198.51.100.0/24" in page
    assert "198.51.100.23" not in page
    assert page.count("(this device)") == 1


def test_a_device_is_logged_out(app: Application, clock: ManualClock) -> None:
    """It is a visitor at the next request, and is listed no more."""
    laptop = _logged_in(app, LAPTOP)
    clock.advance(60)
    phone = _logged_in(app, PHONE)
    (handle,) = re.findall(r'name="handle" value="(\w+)"', laptop.get("/devices").text)
    _post(laptop, "/devices/end", handle=handle)

    assert _agents(laptop) == [LAPTOP]
    assert phone.get("/devices").headers["Location"] == "/login"


def test_everywhere_else(app: Application, clock: ManualClock) -> None:
    """Only this device stays, and other users stay, too."""
    laptop, phone = _logged_in(app, LAPTOP), _logged_in(app, PHONE)
    grace = _logged_in(app, "Other/1.0", "grace")
    _post(laptop, "/devices/end-others")

    assert "Logged out on other devices: 1." in laptop.get("/devices").text
    assert phone.get("/devices").status_code == 303
    assert _agents(grace) == ["Other/1.0"]


@pytest.mark.parametrize("whose", ["grace", "nobody"])
def test_a_user_ends_no_device_of_another(app: Application, whose: str) -> None:
    """Whoever knows a handle can do nothing with it."""
    laptop, grace = _logged_in(app, LAPTOP), _logged_in(app, "Other/1.0", "grace")
    with grace.session() as session:
        handle = session.handle if whose == "grace" else "x'; DROP TABLE sessions"
    _post(laptop, "/devices/end", handle=handle)

    assert _agents(grace) == ["Other/1.0"]


@pytest.mark.parametrize("path", ["/devices/end", "/devices/end-others"])
def test_an_old_login_has_to_log_in_again(app: Application, clock: ManualClock, path: str) -> None:
    """A stolen session cannot lock its user out after five minutes."""
    laptop, phone = _logged_in(app, LAPTOP), _logged_in(app, PHONE)
    clock.advance(301)
    answer = _post(laptop, path, handle="any")

    assert answer.headers["Location"] == "/login"
    assert phone.get("/devices").status_code == 200


def test_the_sixth_login_ends_the_oldest(app: Application, clock: ManualClock) -> None:
    """A user has five devices at most."""
    clients = []
    for number in range(6):
        clock.advance(1)
        clients.append(_logged_in(app, f"Device/{number}"))

    assert _agents(clients[-1]) == [f"Device/{number}" for number in (5, 4, 3, 2, 1)]
    assert clients[0].get("/devices").status_code == 303


def test_wrong_passwords_and_forms_of_other_sites_are_refused(app: Application) -> None:
    """Neither logs anybody in."""
    client = Client(app)
    wrong = _post(client, "/login", name="ada", password="hopper")  # noqa: S106
    foreign = client.post("/devices/end-others", headers={"Sec-Fetch-Site": "cross-site"})

    assert (wrong.status_code, foreign.status_code) == (422, 403)


def test_the_sample_starts(tmp_path: Path) -> None:
    """As it is, with sessions in a file."""
    with chdir(tmp_path):
        assert isinstance(importlib.reload(sample).app, Application)
