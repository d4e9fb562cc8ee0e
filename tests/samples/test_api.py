"""The sample `api` as a client without a browser uses it."""

import importlib
import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import chdir
from typing import Any

import pytest

from framework import Application
from framework.testing import Client
from tests.support.serving import served

USER = {"name": "ada", "password": "analytical engine"}


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Application:
    """Import the application in a folder where it may keep its files."""
    with chdir(tmp_path_factory.mktemp("site")):
        imported: Application = importlib.import_module("samples.api.app").app
        return imported


@pytest.fixture
def client(app: Application) -> Iterator[Client]:
    """Return a client of the API."""
    with app.test() as client:
        yield client


def _signed_in(client: Client) -> dict[str, str]:
    answer = client.post("/tokens", json=USER)
    assert answer.headers["Authorization"] == f"Bearer {answer.json['access_token']}"
    return {"Authorization": answer.headers["Authorization"]}


def test_a_client_signs_in_and_keeps_notes(client: Client) -> None:
    """The token of the answer opens the session, and no cookie is sent."""
    headers = _signed_in(client)
    added = client.post("/notes", json={"text": "tea"}, headers=headers)
    shown = client.get("/notes", headers=headers)

    assert (added.status_code, shown.json) == (201, ["tea"])
    assert shown.headers["Vary"] == "Authorization"
    assert "Set-Cookie" not in {**added.headers, **shown.headers}


def test_without_a_token_nothing_is_shown(client: Client) -> None:
    """The answer is 401, and has a challenge for a malformed token."""
    anonymous = client.get("/notes")
    malformed = client.get("/notes", headers={"Authorization": "Bearer x"})

    assert anonymous.status_code == malformed.status_code == 401
    assert malformed.headers["WWW-Authenticate"].startswith('Bearer error="invalid_token"')


def test_a_wrong_password_is_refused(client: Client) -> None:
    """An unknown name is refused with the same words."""
    answers = [
        client.post("/tokens", json=USER | wrong)
        for wrong in ({"password": "x"}, {"name": "eve"}, {"name": "eve", "password": ""})
    ]

    assert {answer.status_code for answer in answers} == {401}
    assert len({answer.json["detail"] for answer in answers}) == 1


def test_a_token_ends_with_the_session(client: Client) -> None:
    """After the sign-out, the token opens no session."""
    headers = _signed_in(client)
    client.delete("/tokens", headers=headers)

    assert client.get("/notes", headers=headers).status_code == 401


def test_curl_uses_the_api(app: Application) -> None:
    """A script uses curl over a socket."""
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed (.ci/run installs it on Debian)")
    with served(app) as url:
        token = _curl(f"{url}/tokens", USER)["access_token"]
        bearer = ("--header", f"Authorization: Bearer {token}")
        _curl(f"{url}/notes", {"text": "tea"}, *bearer)
        notes = _curl(f"{url}/notes", None, *bearer)

    assert notes == ["tea"]


def _curl(url: str, data: dict[str, str] | None, *options: str) -> Any:
    sent = [] if data is None else ["--json", json.dumps(data)]
    command = ["curl", "--silent", "--show-error", "--fail", *options, *sent, url]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
