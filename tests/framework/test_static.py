"""Static files: the files of a folder are sent, and no other files."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from framework import Application, Session, component, configuration, controller, get, replace
from framework.static import StaticFiles
from framework.testing import Client
from sessions import SessionContainer
from tests.support.apps import KEY
from tests.support.small_applications import client_of, only_problem_of

CSS = "body { color: teal }"


@controller("/")
class Page:
    @get("/")
    def show(self, session: Session) -> str:
        session["visited"] = True
        return "page"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Make a folder of files beside a private folder."""
    folder = tmp_path / "static"
    (folder / "icons").mkdir(parents=True)
    (folder / "notes.css").write_text(CSS, encoding="ascii")
    (folder / "icons" / "ż.svg").write_text("<svg/>", encoding="ascii")
    (tmp_path / "secret.txt").write_text("secret", encoding="ascii")
    (tmp_path / "static-secret").mkdir()
    (tmp_path / "static-secret" / "secret.txt").write_text("secret", encoding="ascii")
    return folder


@pytest.fixture
def client(folder: Path) -> Iterator[Client]:
    """Serve the folder, and a page with a session."""
    with client_of(Page, _serving(folder)) as client:
        yield client


def _serving(served: Path, kept: timedelta | None = None) -> type:
    @controller("/static")
    class Assets(StaticFiles):
        folder = served
        max_age = kept

    return Assets


def test_a_file_is_sent_as_it_is(client: Client) -> None:
    """The content type comes from the name."""
    response = client.get("/static/notes.css")

    assert response.text == CSS
    assert response.content_type == "text/css; charset=utf-8"
    assert response.headers["Content-Length"] == str(len(CSS))


def test_a_file_of_a_folder_inside_is_sent(client: Client) -> None:
    """The file may be at any depth, and have any letters in its name."""
    assert client.get("/static/icons/%C5%BC.svg").text == "<svg/>"


def test_an_unchanged_file_is_not_sent_again(client: Client) -> None:
    """A browser asks with the ETag that it got."""
    first = client.get("/static/notes.css")
    second = client.get("/static/notes.css", headers={"If-None-Match": first.headers["ETag"]})

    assert first.headers["Cache-Control"] == "no-cache"
    assert (second.status_code, second.data) == (304, b"")


def test_a_changed_file_is_sent_again(client: Client, folder: Path) -> None:
    """A new content has a new ETag."""
    etag = client.get("/static/notes.css").headers["ETag"]
    (folder / "notes.css").write_text("body { color: navy; margin: 0 }", encoding="ascii")
    response = client.get("/static/notes.css", headers={"If-None-Match": etag})

    assert response.text == "body { color: navy; margin: 0 }"


def test_a_file_is_kept_for_as_long_as_configured(folder: Path) -> None:
    """With `max_age`, a browser does not ask again."""
    with client_of(_serving(folder, timedelta(hours=1))) as client:
        response = client.get("/static/notes.css")

    assert response.headers["Cache-Control"] == "public, max-age=3600"


@pytest.mark.parametrize(
    ("kept", "cookies", "cache_control"),
    [(None, 1, "no-store"), (timedelta(hours=1), 0, "public, max-age=3600")],
)
def test_rolling_sends_no_cookie_with_a_public_file(
    folder: Path, kept: timedelta | None, cookies: int, cache_control: str
) -> None:
    """A file without `max_age` renews the session of the visitor."""
    rolling = replace(SessionContainer).to(SessionContainer(keys=[KEY], rolling=True))
    with Application(Page, _serving(folder, kept)).test(rolling) as client:
        client.get("/")
        response = client.get("/static/notes.css")

    assert len(response.headers.getlist("Set-Cookie")) == cookies
    assert response.headers["Cache-Control"] == cache_control


def test_a_part_of_a_file_is_sent(client: Client) -> None:
    """A video player asks for a range."""
    response = client.get("/static/notes.css", headers={"Range": "bytes=0-3"})

    assert (response.status_code, response.text) == (206, "body")


def test_head_sends_the_headers_only(client: Client) -> None:
    """HEAD has the Content-Length of the file, and no body."""
    response = client.head("/static/notes.css")

    assert response.headers["Content-Length"] == str(len(CSS))
    assert response.data == b""


@pytest.mark.parametrize(
    "path",
    [
        "/static/../secret.txt",
        "/static/icons/../../secret.txt",
        "/static/%2e%2e/secret.txt",
        "/static/..%2fsecret.txt",
        "/static/..%5csecret.txt",
        "/static//etc/hostname",
        "/static/%2fetc/hostname",
        "/static/../static-secret/secret.txt",
        "/static/notes.css%00.txt",
        "/static/notes.css/",
        "/static/./notes.css",
        "/static/icons/../notes.css",
        "/static/icons//%C5%BC.svg",
        "/static/nothing.css",
        "/static/icons",
        "/static/",
        "/static",
    ],
)
def test_a_path_outside_of_the_folder_is_a_404(client: Client, path: str) -> None:
    """Any other path is a 404."""
    response = client.get(path)

    assert response.status_code == 404
    assert "secret" not in response.text


@pytest.mark.parametrize("hidden", [".env", ".git/config", "icons/.DS_Store", "..x/secret.txt"])
def test_a_hidden_file_is_not_sent(client: Client, folder: Path, hidden: str) -> None:
    """Published folders often contain private files of programs."""
    (folder / hidden).parent.mkdir(exist_ok=True)
    (folder / hidden).write_text("secret", encoding="ascii")

    assert client.get(f"/static/{hidden}").status_code == 404


def test_a_well_known_file_is_sent(client: Client, folder: Path) -> None:
    """`.well-known` is public; hidden files inside it are not."""
    known = folder / ".well-known"
    known.mkdir()
    (known / "security.txt").write_text("Contact: us", encoding="ascii")
    (known / ".secret").write_text("secret", encoding="ascii")

    assert client.get("/static/.well-known/security.txt").text == "Contact: us"
    assert client.get("/static/.well-known/.secret").status_code == 404


def test_a_symbolic_link_is_followed(client: Client, folder: Path) -> None:
    """A person who can write a link into the folder could also copy the file."""
    (folder / "linked.css").symlink_to(folder / "notes.css")

    assert client.get("/static/linked.css").text == CSS


def test_a_file_is_sent_below_a_mount_point(client: Client) -> None:
    """The path of the application does not matter."""
    assert client.get("/static/notes.css", base_url="http://localhost/shop").text == CSS


def test_an_unchanged_file_is_not_sent_again_by_date(client: Client) -> None:
    """Some clients do not use the ETag."""
    date = client.get("/static/notes.css").headers["Last-Modified"]
    response = client.get("/static/notes.css", headers={"If-Modified-Since": date})

    assert response.status_code == 304


def test_a_file_cannot_be_written(client: Client) -> None:
    """The path of a file has only GET and HEAD."""
    assert client.post("/static/notes.css").status_code == 405


def test_a_file_costs_no_session(client: Client) -> None:
    """A visitor with a session gets a file that any cache may keep."""
    client.get("/")
    response = client.get("/static/notes.css")

    assert "Vary" not in response.headers
    assert "Set-Cookie" not in response.headers


def test_the_url_of_a_file_can_be_built(client: Client) -> None:
    """The URL has the path of the controller and of the file."""
    assert client.app.url_for("Assets.file", name="icons/ż.svg") == "/static/icons/%C5%BC.svg"


def test_two_folders_have_two_controllers(folder: Path) -> None:
    """Each serves its own folder."""

    icons = folder / "icons"

    @controller("/icons")
    class Icons(StaticFiles):
        folder = icons

    with client_of(_serving(folder), Icons) as client:
        assert client.get("/icons/%C5%BC.svg").text == "<svg/>"
        assert client.get("/static/notes.css").text == CSS


def test_a_folder_stays_where_it_is(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files are found after a change of the working directory."""
    monkeypatch.chdir(folder.parent)
    with client_of(_serving(Path("static"))) as client:
        monkeypatch.chdir("/")

        assert client.get("/static/notes.css").text == CSS


def test_a_folder_that_is_missing_is_a_startup_problem(tmp_path: Path) -> None:
    """Otherwise a misspelt folder would only answer 404."""
    problem = only_problem_of(_serving(tmp_path / "statik"))

    assert (
        f"Assets.folder is {tmp_path / 'statik'!r}, which is not an existing folder" in problem.what
    )


def test_a_folder_that_is_not_named_is_a_startup_problem() -> None:
    """A controller of files needs a folder."""

    @controller("/static")
    class Assets(StaticFiles): ...

    assert "Assets.folder is None" in only_problem_of(Assets).what


@dataclass
class Settings:
    uploads: Path


def _serving_uploads(uploads: Path) -> tuple[type, type]:
    @configuration
    class Web:
        @component
        def settings(self) -> Settings:
            return Settings(uploads)

    @controller("/uploads")
    class Uploads(StaticFiles):
        def __init__(self, settings: Settings) -> None:
            self.folder = settings.uploads

    return Uploads, Web


def test_a_constructor_names_the_folder(folder: Path) -> None:
    """The folder may be a setting; super().__init__() is not needed."""
    with client_of(*_serving_uploads(folder)) as client:
        assert client.get("/uploads/notes.css").text == CSS


def test_a_folder_of_a_constructor_that_is_missing_is_a_startup_problem(tmp_path: Path) -> None:
    """The folder is checked after the constructor."""
    problem = only_problem_of(*_serving_uploads(tmp_path / "uploads"))

    assert f"Uploads.folder is {tmp_path / 'uploads'!r}, which is not an" in problem.what


def test_a_constructor_that_names_no_folder_is_a_startup_problem() -> None:
    """Otherwise every request would fail."""

    @controller("/uploads")
    class Uploads(StaticFiles):
        def __init__(self, page: Page) -> None:
            self.page = page

    assert "Uploads.folder is None" in only_problem_of(Page, Uploads).what


@pytest.mark.parametrize("age", [3600, timedelta(-1)])
def test_an_invalid_max_age_is_a_startup_problem(folder: Path, age: Any) -> None:
    """Otherwise every request would fail."""
    problem = only_problem_of(_serving(folder, age))

    assert f"Assets.max_age is {age!r}" in problem.what
