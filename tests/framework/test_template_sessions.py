"""A template sees the values of the session, but neither its id nor its methods."""

from pathlib import Path
from typing import Any

import pytest
from jinja2 import UndefinedError

from framework import (
    Application,
    Request,
    Response,
    Session,
    component,
    configuration,
    controller,
    get,
    session,
)
from framework.templates import Templates
from framework.testing import Client
from tests.support.small_applications import client_of

# The ways in which a template reaches the session: its own name, and what a handler passes.
NAMES = ["session", "given", "box.inner", "box['inner']", "boxes[0].inner", "made()"]

USES = [
    "{{ NAME.id }}",
    "{{ NAME['id'] }}",
    "{{ NAME.id | upper }}",
    "{{ NAME | attr('id') }}",
    "{{ [NAME] | map(attribute='id') | first }}",
    "{{ [NAME] | join('', 'id') }}",
    "{% set x = NAME %}{{ x.id }}",
    "{% macro m(x) %}{{ x.id }}{% endmacro %}{{ m(NAME) }}",
    "{% for x in [NAME] %}{{ x.id }}{% endfor %}",
    "{{ NAME._state }}",
    "{{ NAME._open() }}",
    "{{ NAME['_open']() }}",
    "{{ NAME.__class__ }}",
    "{{ NAME.save() }}",
    "{{ NAME.destroy() }}",
    "{{ NAME.clear() }}",
    "{{ NAME.pop('cart') }}",
    "{{ NAME.update(a=1) }}",
    "{{ NAME.setdefault('a', 1) }}",
    "{{ NAME.regenerate() }}",
    "{{ NAME.set_user('eve') }}",
    "{{ NAME.flash('x') }}",
    "{{ NAME.take('cart') }}",
]


class Visit:
    """Send a template as the page of a visitor who is signed in."""

    def __init__(self, client: Client, folder: Path) -> None:
        self.client = client
        self._file = folder / "page.html"

    def page(self, template: str) -> str:
        """Return the page; an error of the template is raised."""
        self._file.write_text(template, encoding="utf-8")
        self.client.app.debug = True
        return self.client.get("/").text

    def secrets(self) -> tuple[str, ...]:
        """Return the id, and its secret half."""
        with self.client.session() as stored:
            return (stored.id, stored.id[22:], stored.id[:22])


@pytest.fixture
def visit(tmp_path: Path) -> Any:
    """Serve one template, whose handler passes the session itself."""

    @configuration
    class Pages:
        @component
        def templates(self, application: Application) -> Templates:
            templates = Templates(application, tmp_path)
            templates.environment.auto_reload = True
            templates.environment.cache = None
            return templates

    @controller("/")
    class Page:
        def __init__(self, templates: Templates) -> None:
            self._templates = templates

        @get("/")
        def show(self, request: Request, session: session) -> Response:
            box = {"inner": session}
            return self._templates.render(
                "page.html",
                request,
                given=session,
                box=box,
                boxes=[box],
                made=lambda: session,
            )

    with client_of(Page, Pages) as client:
        with client.session() as stored:
            stored.set_user("ada", name="Ada")
            stored.update(cart=["<tea>"], items=3)
        yield Visit(client, tmp_path)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("use", USES)
def test_a_template_cannot_use_the_id_and_the_methods(visit: Visit, use: str, name: str) -> None:
    """In every way, the page is an error or shows no secret, and the session does not change."""
    try:
        page = visit.page(use.replace("NAME", name))
    except (UndefinedError, AttributeError):
        page = ""

    assert not any(secret in page for secret in visit.secrets())
    assert visit.page("{{ session.user_id }} {{ session.cart | length }}") == "ada 1"


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("use", "shown"),
    [
        ("{{ NAME.cart[0] }} {{ NAME['cart'][0] }}", "&lt;tea&gt; &lt;tea&gt;"),
        ("{{ NAME.get('cart')[0] }} {{ NAME.get('no', 'none') }}", "&lt;tea&gt; none"),
        ("{{ NAME['items'] }}", "3"),
        ("{% if 'cart' in NAME %}yes{% endif %}", "yes"),
        ("{% for key in NAME | sort %}{{ key }} {% endfor %}", "cart items "),
        ("{% for key, value in NAME.items() %}{{ key }}:{{ value }} {% endfor %}",
         "cart:[&#39;&lt;tea&gt;&#39;] items:3 "),
        ("{{ NAME | length }}", "2"),
        ("{{ dict(NAME) | tojson }}", '{"cart": ["\\u003ctea\\u003e"], "items": 3}'),
        ("{{ NAME.user_id }} {{ NAME.user_data.name }} {{ NAME.is_new }}", "ada Ada False"),
        ("{{ NAME.timeout }} {{ NAME.created_at < NAME.expires_at }}", "1 day, 0:00:00 True"),
        ("{{ NAME.no is defined }} {{ NAME.id is defined }} {{ NAME.no | default('-') }}",
         "False False -"),
    ],
)  # fmt: skip
def test_a_template_can_use_values_and_properties(
    visit: Visit, use: str, name: str, shown: str
) -> None:
    """This holds for every way to pass a session to a template."""
    assert visit.page(use.replace("NAME", name)) == shown


@pytest.mark.parametrize("name", NAMES[:-1])
def test_a_format_string_in_a_template_finds_no_id(visit: Visit, name: str) -> None:
    """Jinja2 does not control Python functions that a template calls."""
    with pytest.raises(AttributeError, match="id"):
        visit.page(f"{{{{ '{{0.id}}'.format({name}) }}}}")


@pytest.mark.parametrize("name", NAMES[:2])
def test_a_template_has_the_handle_and_the_repr_shows_no_secret(visit: Visit, name: str) -> None:
    """The handle is public; the repr of a session shows no secret."""
    page = visit.page(f"{{{{ {name}.handle }}}} {{{{ {name} }}}}")

    handle, _, shown = page.partition(" ")
    assert len(handle) == 64
    assert shown == "&lt;Session: open, 3 values&gt;"


def test_a_session_value_may_have_the_name_of_a_hidden_attribute(visit: Visit) -> None:
    """`session.id` and `session["id"]` are then this value."""
    with visit.client.session() as stored:
        stored.update(id="mine", save="yours", _open="theirs")

    template = "{{ session.id }} {{ session['id'] }} {{ session.save }} {{ session._open }}"
    assert visit.page(template) == "mine mine yours theirs"


@pytest.mark.parametrize("key", ["id", "destroy", "save"])
def test_a_hidden_attribute_in_a_template_is_explained(visit: Visit, key: str) -> None:
    """The remedy is to use it in the handler."""
    with pytest.raises(UndefinedError, match=rf"cannot use session\.{key}: .*Fix: use"):
        visit.page(f"{{{{ session.{key} }}}}")


def test_a_missing_value_in_a_template_is_explained(visit: Visit) -> None:
    """Debugger and log show the remedy."""
    with pytest.raises(UndefinedError, match=r"has no 'user'\. Fix: write session\.get\('user'\)"):
        visit.page("{{ session.user }}")


def test_a_session_class_shows_its_own_properties(tmp_path: Path) -> None:
    """Its methods are hidden, because they may change the session."""
    from sessions import MemoryStore, SessionContainer

    class Shop(Session):
        @property
        def total(self) -> int:
            """Return the sum."""
            return sum(self.get("prices", []))

        def empty(self) -> None:
            """Remove the prices."""

    (tmp_path / "page.html").write_text("{{ session.total }} {{ session.empty is defined }}")

    @configuration
    class Pages:
        @component
        def templates(self, application: Application) -> Templates:
            return Templates(application, tmp_path)

        @component
        def container(self) -> SessionContainer:
            return SessionContainer(
                keys=["k" * 20 + "abcdefghijklm"], store=MemoryStore(), session_class=Shop
            )

    @controller("/")
    class Page:
        def __init__(self, templates: Templates) -> None:
            self._templates = templates

        @get("/")
        def show(self, request: Request, session: session) -> Response:
            session["prices"] = [1, 2]
            return self._templates.render("page.html", request)

    with client_of(Page, Pages) as client:
        assert client.get("/").text == "3 False"


@pytest.mark.parametrize("text", ["", "{{ 1 }}"])
def test_a_page_that_does_not_use_the_session_does_not_touch_it(tmp_path: Path, text: str) -> None:
    """The name alone costs nothing."""
    with client_of(*_plain(tmp_path, text)) as client:
        assert "Vary" not in client.get("/").headers


def test_a_page_that_uses_the_session_varies_by_cookie(tmp_path: Path) -> None:
    """The handler need not take the session."""
    with client_of(*_plain(tmp_path, "{{ session.get('user', 'nobody') }}")) as client:
        response = client.get("/")

    assert (response.text, response.headers.get("Vary")) == ("nobody", "Cookie")


def _plain(folder: Path, text: str) -> tuple[type, ...]:
    """Make a page whose handler takes no session, beside a handler that takes one."""
    (folder / "page.html").write_text(text)

    @configuration
    class Pages:
        @component
        def templates(self, application: Application) -> Templates:
            return Templates(application, folder)

    @controller("/")
    class Page:
        def __init__(self, templates: Templates) -> None:
            self._templates = templates

        @get("/")
        def show(self, request: Request) -> Response:
            return self._templates.render("page.html", request)

        @get("/other")
        def other(self, session: session) -> None: ...

    return Page, Pages


def test_an_application_without_sessions_shows_an_empty_one(tmp_path: Path) -> None:
    """A layout can be shared with an application that has sessions."""
    (tmp_path / "page.html").write_text(
        "{{ session.get('user', 'nobody') }} {{ session | length }}"
    )

    @configuration
    class Pages:
        @component
        def templates(self, application: Application) -> Templates:
            return Templates(application, tmp_path)

    @controller("/")
    class Page:
        def __init__(self, templates: Templates) -> None:
            self._templates = templates

        @get("/")
        def show(self, request: Request) -> Response:
            return self._templates.render("page.html", request)

    with client_of(Page, Pages) as client:
        assert client.app.sessions is None
        assert client.get("/").text == "nobody 0"
