"""Pages from templates: their URLs, CSRF tokens and messages."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from traceback import extract_tb

import pytest
from jinja2 import TemplateNotFound, TemplateSyntaxError, UndefinedError
from werkzeug.routing import BuildError

from framework import (
    Application,
    Middleware,
    Request,
    Response,
    Session,
    component,
    configuration,
    controller,
    get,
    post,
)
from framework.csrf import CSRF
from framework.results import HTML
from framework.templates import Templates
from framework.testing import Client
from tests.support.small_applications import client_of, only_problem_of

PAGES = {
    "plain.html": "<p>{{ text }}</p>",
    "links.html": (
        "{{ url_for('Pages.page', name='ż') }} {{ url_for('Pages.page', name='a', q='b c') }}"
        " {{ url_for('Pages.page', name='a', _external=True) }}"
    ),
    "form.html": "{{ csrf_token() }}",
    "flashes.html": (
        "{% for category, message in get_flashes() %}<p class={{ category }}>{{ message }}</p>"
        "{% endfor %}"
    ),
    "layout.html": "<title>{% block title %}{% endblock %}</title>{{ request.path }}",
    "inner.html": "{% extends 'layout.html' %}{% block title %}Inner{% endblock %}",
    "filtered.html": "{{ text | shout }}",
}


@controller("/")
class Pages:
    def __init__(self, templates: Templates) -> None:
        self._templates = templates

    @get("/pages/<name>")
    def page(self, name: str, request: Request, text: str = "") -> Response:
        return self._templates.render(f"{name}.html", request, text=text)

    @get("/missing")
    def missing(self, request: Request) -> Response:
        return self._templates.render("plain.html", request, _status=404, text="nothing here")

    @get("/gone", status=410)
    def gone(self, request: Request) -> HTML:
        return self._templates.render("plain.html", request, text="gone")

    @post("/flash")
    def flash(self, text: str, session: Session) -> None:
        session.flash(text, "success")

    @post("/post")
    def send(self) -> str:
        return "sent"


@configuration
class Configuration:
    def __init__(self, application: Application) -> None:
        self._application = application

    @component
    def templates(self) -> Templates:
        return Templates(self._application, Path("templates"))

    @component
    def middleware(self) -> list[Middleware]:
        return [CSRF()]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Write the templates into a folder of the working directory."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "templates"
    folder.mkdir()
    for name, text in PAGES.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


@pytest.fixture
def client(folder: Path) -> Iterator[Client]:
    """Serve the templates."""
    with client_of(Pages, Configuration) as client:
        yield client


def test_a_page_is_html(client: Client) -> None:
    """The values of the handler fill the template."""
    response = client.get("/pages/plain?text=hello")

    assert response.content_type == "text/html; charset=utf-8"
    assert response.text == "<p>hello</p>"


def test_values_are_escaped(client: Client) -> None:
    """What a user wrote never becomes markup."""
    response = client.get("/pages/plain", query_string={"text": "<script>&'\""})

    assert response.text == "<p>&lt;script&gt;&amp;&#39;&#34;</p>"


def test_a_page_may_have_another_status(client: Client) -> None:
    """An example is the page of an error."""
    response = client.get("/missing")

    assert (response.status_code, response.text) == (404, "<p>nothing here</p>")


def test_a_page_has_the_status_of_its_decorator(client: Client) -> None:
    """`_status` gives another one."""
    response = client.get("/gone")

    assert (response.status_code, response.text) == (410, "<p>gone</p>")


def test_a_template_extends_another(client: Client) -> None:
    """Both templates know the request."""
    assert client.get("/pages/inner").text == "<title>Inner</title>/pages/inner"


def test_a_template_builds_urls(client: Client) -> None:
    """The URLs begin with the mount point of the request."""
    response = client.get("/pages/links", base_url="https://shop.example/app")

    assert response.text.split() == [
        "/app/pages/%C5%BC",
        "/app/pages/a?q=b+c",
        "https://shop.example/app/pages/a",
    ]


def test_a_template_gives_its_forms_a_token(client: Client) -> None:
    """The CSRF middleware accepts the token."""
    client.post("/flash?text=x")
    token = client.get("/pages/form").text

    assert client.post("/post", data={"csrf_token": token}).text == "sent"
    assert client.post("/post").status_code == 403


def test_a_template_shows_messages_once(client: Client) -> None:
    """The next page does not show them."""
    client.post("/flash", query_string={"text": "<Saved>"})
    shown, again = client.get("/pages/flashes").text, client.get("/pages/flashes").text

    assert shown == "<p class=success>&lt;Saved&gt;</p>"
    assert again == ""


def test_a_page_without_token_and_messages_costs_no_session(client: Client) -> None:
    """The session is opened only when a template uses it."""
    client.post("/flash?text=x")
    response = client.get("/pages/plain")

    assert "Vary" not in response.headers


def test_a_misspelt_name_is_an_error(folder: Path) -> None:
    """Otherwise a part of the page would silently be empty."""
    (folder / "plain.html").write_text("{{ txet }}", encoding="utf-8")
    with client_of(Pages, Configuration) as client:
        client.app.debug = True

        with pytest.raises(UndefinedError, match="'txet' is undefined"):
            client.get("/pages/plain")


def test_a_layout_asks_for_messages_where_there_are_no_sessions(folder: Path) -> None:
    """Without sessions, there are no messages."""

    @configuration
    class Plain:
        @component
        def templates(self, application: Application) -> Templates:
            return Templates(application, folder)

    @controller("/")
    class Sessionless:
        def __init__(self, templates: Templates) -> None:
            self._templates = templates

        @get("/")
        def show(self, request: Request) -> Response:
            return self._templates.render("flashes.html", request)

    with client_of(Sessionless, Plain) as client:
        assert client.app.sessions is None
        assert (client.get("/").status_code, client.get("/").text) == (200, "")


def test_a_folder_stays_where_it_is(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """Templates are found after a change of the working directory."""
    monkeypatch.chdir("/")

    assert client.get("/pages/plain?text=hello").text == "<p>hello</p>"


@pytest.mark.parametrize(
    ("template", "error", "message", "line"),
    [
        ("a\n{% if %}", TemplateSyntaxError, "Expected an expression", 2),
        ("{% include 'layuot.html' %}", TemplateNotFound, "'layuot.html' not found", 1),
        ("\n\n{{ url_for('Pages.pgae') }}", BuildError, "Did you mean 'Pages.page' instead", 3),
        ("{{ url_for('Pages.page') }}", BuildError, r"forget to specify values \['name'\]", 1),
    ],
)
def test_a_mistake_in_a_template_is_found_at_its_line(
    folder: Path, template: str, error: type[Exception], message: str, line: int
) -> None:
    """Its file and its line are in the traceback, and so in the log."""
    (folder / "plain.html").write_text(template, encoding="utf-8")
    with client_of(Pages, Configuration) as client:
        client.app.debug = True
        with pytest.raises(error, match=message) as caught:
            client.get("/pages/plain")

    places = [(Path(each.filename).name, each.lineno) for each in extract_tb(caught.tb)]
    assert ("plain.html", line) in places


def test_the_environment_takes_filters(folder: Path) -> None:
    """`environment` is Jinja2's own object."""

    @configuration
    class Loud:
        @component
        def templates(self, application: Application) -> Templates:
            templates = Templates(application, folder)
            templates.environment.filters["shout"] = str.upper
            return templates

    with client_of(Pages, Loud) as client:
        assert client.get("/pages/filtered?text=hello").text == "HELLO"


def test_a_folder_that_is_missing_is_a_startup_problem(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A misspelt folder is found before the first page is asked for."""
    monkeypatch.chdir(tmp_path)

    assert "there is no folder 'templates'" in only_problem_of(Pages, Configuration).what


def test_a_missing_jinja2_is_explained() -> None:
    """The error names the extra to install."""
    code = "import sys; sys.modules['jinja2'] = None; import framework.templates"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)

    assert "pip install 'satsuma[templates]'" in done.stderr
