"""The sample `notes`: everybody keeps notes of one's own."""

import importlib
import re
from collections.abc import Iterator
from contextlib import chdir
from functools import partial
from pathlib import Path

import pytest
from werkzeug.security import generate_password_hash
from werkzeug.test import TestResponse

from framework import Application
from framework.testing import Client, replace
from samples.notes import repositories
from samples.notes.repositories import Database, NameTaken, Users

PASSWORD = "correct horse"  # noqa: S105
OWN = {"Sec-Fetch-Site": "same-origin"}


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Application:
    """Import the application in a folder where it may keep its files."""
    with chdir(tmp_path_factory.mktemp("site")):
        imported: Application = importlib.import_module("samples.notes.app").app
        return imported


@pytest.fixture(autouse=True)
def _cheap_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hash passwords with less work than on a server: most of the tests would be hashing."""
    cheap = partial(generate_password_hash, method="scrypt:1024:8:1")
    monkeypatch.setattr(repositories, "generate_password_hash", cheap)


@pytest.fixture
def database(tmp_path: Path) -> Database:
    """Return an empty database."""
    return Database(str(tmp_path / "notes.db"))


@pytest.fixture
def ada(app: Application, database: Database) -> Iterator[Client]:
    """Give the browser of somebody who has registered."""
    with app.test(replace(Database).to(database)) as client:
        _post(client, "/register", name="ada", password=PASSWORD)
        yield client


@pytest.fixture
def grace(ada: Client) -> Client:
    """Give the browser of somebody else."""
    client = Client(ada.app)
    _post(client, "/register", name="grace", password=PASSWORD)
    return client


def _post(client: Client, path: str, **fields: str) -> TestResponse:
    """Send a form as a browser does, and follow where it leads."""
    return client.post(path, data=fields, headers=OWN, follow_redirects=True)


def _note_ids(page: str) -> list[str]:
    return re.findall(r"/notes/(\d+)/delete", page)


def test_a_stranger_is_sent_to_the_login(ada: Client) -> None:
    """Nobody sees notes without having logged in."""
    stranger = Client(ada.app)
    responses = [stranger.get("/"), stranger.post("/notes", data={"text": "x"})]

    assert [(each.status_code, each.headers["Location"]) for each in responses] == [
        (303, "/login"),
        (303, "/login"),
    ]


def test_who_registers_is_logged_in(ada: Client) -> None:
    """The page of notes welcomes the new user, once."""
    stranger = Client(ada.app)
    first = _post(stranger, "/register", name="grace", password=PASSWORD).text
    second = stranger.get("/").text

    assert "Welcome, grace." in first
    assert "Nothing written down yet." in second
    assert "Welcome" not in second


def test_a_note_is_kept(ada: Client) -> None:
    """The next page has the note, and a message that it was saved."""
    page = _post(ada, "/notes", text="<b>buy</b> tea").text

    assert "The note is saved." in page
    assert "&lt;b&gt;buy&lt;/b&gt; tea" in page


def test_a_note_is_deleted(ada: Client) -> None:
    """The next page does not have the note any more."""
    [note] = _note_ids(_post(ada, "/notes", text="buy tea").text)
    page = _post(ada, f"/notes/{note}/delete").text

    assert "The note is deleted." in page
    assert "buy tea" not in page


def test_notes_belong_to_one_user(ada: Client, grace: Client) -> None:
    """Others neither see nor delete them."""
    [note] = _note_ids(_post(ada, "/notes", text="buy tea").text)
    deleted = _post(grace, f"/notes/{note}/delete")

    assert "buy tea" not in grace.get("/").text
    assert deleted.status_code == 404
    assert "buy tea" in ada.get("/").text


@pytest.mark.parametrize("text", ["", " \r\n ", "x" * 2001])
def test_a_note_has_a_text(ada: Client, text: str) -> None:
    """An empty one, or a book, is refused."""
    assert _post(ada, "/notes", text=text).status_code == 422


def test_logging_out_ends_it(ada: Client) -> None:
    """The page says so, and the notes are behind the login again."""
    page = _post(ada, "/logout").text

    assert "You are logged out." in page
    assert ada.get("/").headers["Location"] == "/login"


def test_logging_in_brings_the_notes_back(ada: Client) -> None:
    """The name counts in any case."""
    _post(ada, "/notes", text="buy tea")
    _post(ada, "/logout")
    page = _post(ada, "/login", name="Ada", password=PASSWORD).text

    assert "Welcome, ada." in page
    assert "buy tea" in page


@pytest.mark.parametrize(("name", "password"), [("ada", "wrong horse"), ("nobody", PASSWORD)])
def test_a_wrong_login_tells_nothing(ada: Client, name: str, password: str) -> None:
    """The same answer for a wrong password as for a wrong name; the form keeps the name."""
    response = _post(Client(ada.app), "/login", name=name, password=password)

    assert response.status_code == 422
    assert "There is no such name with this password." in response.text
    assert f'value="{name}"' in response.text


def test_a_name_is_taken_once(ada: Client) -> None:
    """Upper and lower case make no other name."""
    response = _post(Client(ada.app), "/register", name="ADA", password=PASSWORD)

    assert response.status_code == 422
    assert "The name ADA is taken." in response.text


@pytest.mark.parametrize(
    "fields",
    [
        {"name": "x", "password": PASSWORD},
        {"name": "a b", "password": PASSWORD},
        {"name": "bob", "password": "short"},
        {"name": "bob"},
        {},
    ],
)
def test_a_registration_is_checked(ada: Client, fields: dict[str, str]) -> None:
    """The server checks the fields, because a browser may not."""
    assert _post(Client(ada.app), "/register", **fields).status_code == 422


def test_a_login_changes_the_id(ada: Client) -> None:
    """The id from before a login is worth nothing after it."""
    with ada.session() as session:
        before = session.id
    _post(ada, "/login", name="ada", password=PASSWORD)
    with ada.session() as session:
        after = session.id

    assert before != after


@pytest.mark.parametrize("path", ["/notes", "/logout", "/login"])
def test_another_site_cannot_act_for_the_user(ada: Client, path: str) -> None:
    """A form of another site is refused; without the browser's word, one without a token is."""
    foreign = {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}

    assert ada.post(path, data={"text": "x"}, headers=foreign).status_code == 403
    assert ada.post(path, data={"text": "x"}).status_code == 403


def test_another_site_cannot_log_a_visitor_in(ada: Client) -> None:
    """Else somebody would write into the notes of an attacker."""
    fields = {"name": "ada", "password": PASSWORD}
    response = Client(ada.app).post("/login", data=fields, headers={"Sec-Fetch-Site": "cross-site"})

    assert response.status_code == 403


def test_every_form_has_a_token(ada: Client) -> None:
    """A browser that says nothing can use the pages."""
    [token, *_] = re.findall(r'name="csrf_token" value="([\w-]+)"', ada.get("/").text)
    response = ada.post("/notes", data={"text": "buy tea", "csrf_token": token})

    assert response.status_code == 303


def test_a_password_is_not_kept(database: Database, ada: Client) -> None:
    """The file has its hash, made with a salt."""
    with database.transaction() as connection:
        [(kept,)] = connection.execute("SELECT password FROM users")

    assert kept.startswith("scrypt:")
    assert PASSWORD not in kept


def test_the_style_sheet_is_there(ada: Client) -> None:
    """The pages look like something."""
    assert 'href="/static/notes.css"' in ada.get("/").text
    assert ada.get("/static/notes.css").content_type == "text/css; charset=utf-8"


def test_the_pages_work_below_a_mount_point(ada: Client) -> None:
    """Every link and form keeps the prefix."""
    page = ada.get("/login", base_url="http://localhost/app").text

    assert set(re.findall(r'(?:href|action)="(/\w+)', page)) == {"/app"}


def test_a_repository_needs_no_site(database: Database) -> None:
    """A repository is a plain class over a database."""
    users = Users(database)
    user = users.register("ada", PASSWORD)

    assert users.log_in("ada", PASSWORD) == user
    assert users.log_in("ada", "wrong horse") is None
    with pytest.raises(NameTaken, match="ada"):
        users.register("ada", PASSWORD)
