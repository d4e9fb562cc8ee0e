"""The headers of the session in the response."""

from wsgiref.types import StartResponse, WSGIEnvironment

import pytest

from sessions import MemoryStore, SessionContainer
from sessions.edges import merge_headers
from sessions.wsgi import EnvironHead, SessionMiddleware
from tests.support.apps import KEY, Site, untouched, writes
from tests.support.gateway import Headers, serve
from tests.support.watched import WatchedStore

SESSION: Headers = [("Vary", "Cookie"), ("Set-Cookie", "s=1"), ("Cache-Control", "no-store")]


def merged(*headers: tuple[str, str], added: Headers = SESSION) -> Headers:
    """Return the headers after merging."""
    present = [*headers]
    merge_headers(present, added)
    return present


VARY: dict[str, tuple[list[str], list[str]]] = {
    "none": ([], ["Cookie"]),
    "another": (["Accept"], ["Accept, Cookie"]),
    "several": (["Accept, Origin"], ["Accept, Origin, Cookie"]),
    "several lines": (["Accept", "Origin"], ["Accept, Origin, Cookie"]),
    "there already": (["Cookie"], ["Cookie"]),
    "there in another case": (["cOOKIE"], ["cOOKIE"]),
    "there among others": (["Accept,cookie , Origin"], ["Accept,cookie , Origin"]),
    "there on a second line": (["Accept", "Cookie"], ["Accept", "Cookie"]),
    "a longer name": (["X-Cookie, Cookie2"], ["X-Cookie, Cookie2, Cookie"]),
    "everything": (["*"], ["*"]),
    "everything, on a second line": (["Accept", " * "], ["Accept", " * "]),
    "nothing": ([""], ["Cookie"]),
    "empty elements": ([" , Accept,, "], ["Accept, Cookie"]),
}


@pytest.mark.parametrize(("present", "wanted"), VARY.values(), ids=VARY)
def test_vary_is_merged_once(present: list[str], wanted: list[str]) -> None:
    """`Cookie` is there exactly once, in whatever form the application wrote it."""
    headers = merged(*[("vary", value) for value in present], added=[("Vary", "Cookie")])

    assert [value for name, value in headers if name.lower() == "vary"] == wanted


@pytest.mark.parametrize("times", [1, 2, 3])
def test_merging_again_adds_no_vary(times: int) -> None:
    """Two middleware that both depend on the cookie add it once."""
    headers = merged(("Content-Type", "text/plain"))
    for _ in range(times):
        merge_headers(headers, [("Vary", "Cookie")])

    assert headers.count(("Vary", "Cookie")) == 1


CACHE: dict[str, tuple[list[str], list[str]]] = {
    "none": ([], ["no-store"]),
    "public": (["public, max-age=3600"], ["no-store"]),
    "private": (["private"], ["no-store"]),
    "no-cache is not enough": (["no-cache"], ["no-store"]),
    "several lines": (["public", "max-age=3600"], ["no-store"]),
    "no-store": (["no-store"], ["no-store"]),
    "a stricter one": (["no-store, max-age=0, private"], ["no-store, max-age=0, private"]),
    "another case": (["max-age=0,NO-STORE"], ["max-age=0,NO-STORE"]),
    "on a second line": (["private", "no-store"], ["private", "no-store"]),
    "a longer name": (["x-no-store"], ["no-store"]),
    "a value": (["x=no-store"], ["no-store"]),
}


@pytest.mark.parametrize(("present", "wanted"), CACHE.values(), ids=CACHE)
def test_a_session_cookie_is_never_cached(present: list[str], wanted: list[str]) -> None:
    """`no-store` is added, unless the application has a stricter directive."""
    headers = merged(*[("cache-control", value) for value in present])

    assert [value for name, value in headers if name.lower() == "cache-control"] == wanted


def test_set_cookies_are_added() -> None:
    """The application's own cookies stay in front, in their order."""
    headers = merged(("Set-Cookie", "a=1"), ("set-cookie", "session=theirs"))

    cookies = [value for name, value in headers if name.lower() == "set-cookie"]
    assert cookies == ["a=1", "session=theirs", "s=1"]


def test_other_headers_stay_as_they_are() -> None:
    """Their order, their case and repeated headers stay."""
    present = [("Content-Type", "text/plain"), ("x-a", "1"), ("X-A", "1"), ("Link", "<b>")]

    assert merged(*present)[:4] == present


def test_merging_no_headers_changes_nothing() -> None:
    """The headers are the same, even if they could be written better."""
    present = [("vary", "Accept"), ("Vary", ""), ("cache-control", "public")]

    assert merged(*present, added=[]) == present


@pytest.mark.parametrize("status", [200, 302, 404])
def test_every_session_cookie_forbids_storing(site: Site, status: int) -> None:
    """This holds for the first cookie and for its deletion."""
    set_ = site.visit(writes(a=1), status=status, headers=[("Cache-Control", "public")])
    cleared = site.visit(lambda session: session.destroy(), set_.cookie, status=status)

    for answer in (set_, cleared):
        assert len(answer.set_cookies) == 1
        assert answer.all("Cache-Control") == ["no-store"]
        assert answer.all("Vary") == ["Cookie"]


def test_any_access_varies_on_the_cookie(site: Site, watched: WatchedStore) -> None:
    """This holds also for a read that finds nothing."""
    cookie = site.visit(writes(a=1)).cookie

    for answer in (
        site.visit(lambda session: session.get("a")),
        site.visit(lambda session: session.get("a"), cookie),
        site.visit(lambda session: "b" in session, cookie),
        site.visit(len, cookie),
        site.visit(lambda session: session.id, cookie),
        site.visit(lambda session: session.is_new, cookie),
        site.visit(lambda session: session.get("a"), cookie, headers=[("Vary", "Accept")]),
    ):
        assert [value.endswith("Cookie") for value in answer.all("Vary")] == [True]
        assert answer.set_cookies == []
        assert answer.all("Cache-Control") == []


def test_an_untouched_request_costs_nothing(site: Site, watched: WatchedStore) -> None:
    """There is no store call, no cookie and no Vary, with a session and without."""
    cookie = site.visit(writes(a=1)).cookie
    watched.calls.clear()

    for answer in (site.visit(untouched), site.visit(untouched, cookie)):
        assert answer.headers == [("Content-Type", "text/plain")]
    assert watched.calls == []


def test_the_applications_header_list_is_its_own() -> None:
    """A list that the application uses for every response does not grow."""
    constant: Headers = [("Content-Type", "text/plain")]
    container = SessionContainer(keys=[KEY], store=MemoryStore())

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
        environ["sessions.session"]["a"] = 1
        start_response("200 OK", constant)
        return [b""]

    middleware = SessionMiddleware(app, container)
    replies = [serve(middleware), serve(middleware)]

    assert constant == [("Content-Type", "text/plain")]
    assert [len(reply.headers) for reply in replies] == [4, 4]


def test_the_session_headers_are_the_callers_own(site: Site) -> None:
    """A caller may change its list, and no other response changes."""
    for _ in range(2):
        session = site.manager.open(EnvironHead({"wsgi.url_scheme": "http"}))
        session.get("a")
        headers = site.manager.close(session)

        assert headers == [("Vary", "Cookie")]
        headers.append(("Set-Cookie", "user=ada"))
