"""Redirects: to a path of this site, unless the code allows another site."""

import pytest
from werkzeug.exceptions import BadRequest

from framework import Response, controller, get
from framework.redirects import is_local, redirect
from tests.support.small_applications import client_of

LOCAL = [
    "/",
    "/notes",
    "/notes/1?page=2#last",
    "/a//b",
    "/ż",
    "/?next=//x",
    "/../notes",
    # These look as if they led elsewhere; a browser takes them for paths.
    "/%09/evil.example",
    "/%2f/evil.example",
    "/%2f%2fevil.example",
    "/%5cevil.example",
    "/.//evil.example",
    "/a/..//evil.example",
    "/;@evil.example",
    "/@evil.example",
    "/:80/",
    "/https://evil.example",
    "/\uff0fevil.example",
    "/\u2028/evil.example",
]
ELSEWHERE = [
    "",
    "notes",
    "//evil.example",
    "///evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "/\t/evil.example",
    "/\n/evil.example",
    "/notes\r\nSet-Cookie: a=b",
    " /notes",
    " //evil.example",
    "/\x00",
    "/a b",
    "/\x85/evil.example",
    "\t//evil.example",
    "/\r/evil.example",
    "/\x0b/evil.example",
    "//evil.example/%2f..",
    "////evil.example",
    "/\\/evil.example",
    "\\/evil.example",
    "\xa0//evil.example",
    "\u3000//evil.example",
    "\ufeff//evil.example",
    "\uff0f\uff0fevil.example",
    "https://evil.example/",
    "https:evil.example",
    "https:/evil.example",
    "https:///evil.example",
    "HTTPS://evil.example",
    "https://localhost@evil.example",
    "http://localhost/",
    "javascript:alert(1)",
    "JavaScript://%0aalert(1)",
    "data:text/html,x",
    "@evil.example",
    ".evil.example",
    "..//evil.example",
    "?page=2",
    "#last",
]
NO_WEB_URLS = [
    "javascript:alert(1)",
    "ftp://a.example",
    "//a.example",
    "http://",
    "http://[a",
    "https://a.example/\r\nSet-Cookie: a=b",
    "https://a.example\\@evil.example",
]


@controller("/")
class Site:
    @get("/go")
    def go(self, target: str) -> Response:
        return redirect(target)

    @get("/login")
    def login(self, target: str) -> Response:
        return redirect(target, otherwise="/home")

    @get("/pay")
    def pay(self) -> Response:
        return redirect("https://pay.example/order?id=1", external=True)


@pytest.mark.parametrize("target", LOCAL)
def test_a_path_is_local(target: str) -> None:
    """A path with a single slash at its start stays on the site."""
    assert is_local(target)


@pytest.mark.parametrize("target", ELSEWHERE)
def test_any_other_target_is_not_local(target: str) -> None:
    """Browsers may read such texts as another site, or drop a part of them."""
    assert not is_local(target)


def test_a_lone_surrogate_is_not_local() -> None:
    """A surrogate cannot be sent."""
    assert not is_local("/\ud800")


def test_a_redirect_sends_the_client_to_a_path() -> None:
    """The answer is 303, without a body: the client asks for the path with GET."""
    with client_of(Site) as client:
        response = client.get("/go", query_string={"target": "/notes?page=2"})

    assert response.status_code == 303
    assert response.headers["Location"] == "/notes?page=2"
    assert response.data == b""


@pytest.mark.parametrize("target", ELSEWHERE)
def test_a_redirect_to_another_site_is_refused(target: str) -> None:
    """Such a target from the client is a bad request, with the reason."""
    with client_of(Site) as client:
        response = client.get("/go", query_string={"target": target})

    assert response.status_code == 400
    assert response.get_json()["detail"] == (
        f"The redirect to {target!r} is refused: it is not a path of this site,"
        " which begins with a single slash."
    )


@pytest.mark.parametrize(
    ("external", "remedy"),
    [(False, "write redirect(target, external=True)"), (True, "or an http(s) URL")],
)
def test_the_log_says_how_to_redirect_to_another_site(
    external: bool, remedy: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The visitor sees a 400, and the developer sees the line and the remedy."""
    with pytest.raises(BadRequest):
        redirect("ftp://pay.example/\r\nx", external=external)

    (record,) = caplog.records
    assert (record.name, record.levelname) == ("framework", "WARNING")
    assert f"{__file__}:" in record.getMessage()
    told = "redirect('ftp://pay.example/\\r\\nx') was answered with 400. Fix: "
    assert told in record.getMessage()
    assert remedy in record.getMessage()


def test_a_redirect_that_is_sent_logs_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """A redirect to `otherwise` also logs nothing."""
    redirect("/notes")
    redirect("//evil.example", otherwise="/")

    assert caplog.records == []


@pytest.mark.parametrize(("target", "location"), [("/a", "/a"), ("//evil.example", "/home")])
def test_otherwise_replaces_a_target_of_another_site(target: str, location: str) -> None:
    """With `otherwise`, a refused target is replaced by a page of the site."""
    with client_of(Site) as client:
        response = client.get("/login", query_string={"target": target})

    assert response.headers["Location"] == location


@pytest.mark.parametrize("otherwise", ["home", "//evil.example", "https://pay.example/"])
def test_otherwise_must_be_a_path_of_this_site(otherwise: str) -> None:
    """A wrong `otherwise` is an error of the code, also with a good target."""
    with pytest.raises(ValueError, match="give a path of this site, such as '/'"):
        redirect("/notes", otherwise=otherwise)


def test_external_allows_a_redirect_to_another_site() -> None:
    """With `external`, a URL of another site is allowed."""
    with client_of(Site) as client:
        response = client.get("/pay")

    assert response.headers["Location"] == "https://pay.example/order?id=1"


@pytest.mark.parametrize("target", NO_WEB_URLS)
def test_an_external_redirect_leads_to_the_web(target: str) -> None:
    """Even with `external`, only http and https are allowed."""
    with pytest.raises(Exception, match="neither a path nor an http"):
        redirect(target, external=True)


def test_a_status_that_is_not_a_redirect_is_refused() -> None:
    """For another status, the error lists the valid ones."""
    with pytest.raises(
        ValueError, match=r"200 is not a redirect. Fix: use one of 301, 302, 303, 307, 308"
    ):
        redirect("/", status=200)


def test_the_status_can_be_chosen() -> None:
    """A 308 is permanent, and keeps the method."""
    assert redirect("/", status=308).status_code == 308


def test_the_name_of_a_handler_as_target_is_explained(caplog: pytest.LogCaptureFixture) -> None:
    """In other frameworks, redirect takes the name of a view."""
    with pytest.raises(BadRequest):
        redirect("Notes.show")

    assert "write redirect(app.url_for('Notes.show'));" in caplog.text
