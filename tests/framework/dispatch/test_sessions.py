"""Sessions in requests: saved before the headers leave, in every kind of response."""

import logging
from collections.abc import Iterator
from io import BytesIO
from typing import Any

import pytest
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.test import Client as WSGIClient

from framework import Application
from framework.testing import Client, replace
from sessions import SessionClosed, SessionContainer
from tests.support.session_pages import KEYS, RAISED, Spy, Visits, saved


@pytest.fixture
def store() -> Spy:
    return Spy()


@pytest.fixture
def client(store: Spy) -> Iterator[Client]:
    container = SessionContainer(keys=KEYS, store=store)
    with Application(Visits).test(replace(SessionContainer).to(container)) as client:
        yield client


@pytest.mark.parametrize("path", ["/untouched", "/without", "/missing"])
def test_a_request_without_session_use_costs_nothing(client: Client, store: Spy, path: str) -> None:
    """If the session is not used, there is no store call, no cookie and no `Vary`."""
    client.get("/write")
    store.calls.clear()
    response = client.get(path)

    assert store.calls == []
    assert "Set-Cookie" not in response.headers
    # A page of an error is HTML or JSON by what the client accepts, with a session or without.
    assert response.headers.get("Vary") == ("Accept" if path == "/missing" else None)


def test_a_redirect_leaves_after_the_commit(client: Client, store: Spy) -> None:
    """The store has the session before the headers of a login are sent."""
    calls_by_then: list[list[str]] = []

    def watch(environ: Any, start_response: Any) -> Any:
        def start(*head: Any) -> Any:
            calls_by_then.append(store.calls.copy())
            return start_response(*head)

        return client.app(environ, start)

    WSGIClient(watch).post("/login", buffered=True)

    assert calls_by_then == [["create"]]


def test_a_login_that_cannot_be_saved_redirects_nowhere(client: Client, store: Spy) -> None:
    """The redirect would report a login that did not happen."""
    store.broken = {"create"}
    response = client.post("/login")

    assert response.status_code == 503
    assert "Location" not in response.headers
    assert "Set-Cookie" not in response.headers


def test_both_cookies_are_sent(client: Client) -> None:
    """The handler's cookie and the session's cookie are sent, and `Vary` is merged."""
    response = client.get("/own-cookie")

    cookies = response.headers.getlist("Set-Cookie")
    assert [cookie.partition("=")[0] for cookie in cookies] == ["theme", "session"]
    assert response.headers.getlist("Vary") == ["Accept-Language, Cookie"]
    assert response.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("path", ["/read", "/write"])
def test_a_session_that_cannot_be_loaded_is_503(
    client: Client, store: Spy, caplog: pytest.LogCaptureFixture, path: str
) -> None:
    """The user stays logged in, nothing is overwritten, and no internal detail is shown."""
    client.get("/write")
    store.broken = {"load"}
    response = client.get(path)
    store.broken = set()

    assert response.status_code == 503
    assert response.headers["Retry-After"] == "1"
    assert response.headers["Content-Type"] == "application/problem+json"
    assert "db-7" not in response.text
    assert "Set-Cookie" not in response.headers
    assert "db-7.internal" in caplog.text
    assert saved(client) == 1


def test_a_session_that_cannot_be_saved_is_503(client: Client, store: Spy) -> None:
    """The handler's answer is replaced, and the stored session does not change."""
    client.get("/write")
    store.broken = {"commit"}
    response = client.get("/write")
    store.broken = set()

    assert response.status_code == 503
    assert "Set-Cookie" not in response.headers
    assert saved(client) == 1


def test_a_value_that_cannot_be_saved_is_a_500(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    """The log names the key; the handler's response and its cookies are not sent."""
    client.get("/write")
    response = client.get("/unencodable")

    assert response.status_code == 500
    assert "Set-Cookie" not in response.headers
    assert "'bad'" in caplog.text
    assert saved(client) == 1


@pytest.mark.parametrize("path", ["/write-then-raise/400", "/write-then-raise/409", "/write/404"])
def test_a_4xx_keeps_the_changes(client: Client, path: str) -> None:
    """The handler chose this answer, so its changes count."""
    response = client.get(path)

    assert 400 <= response.status_code < 500
    assert "Set-Cookie" in response.headers
    assert saved(client) == 1


@pytest.mark.parametrize(
    "path", ["/write-then-raise/503", "/write-then-raise/bug", "/write/500", "/stream-fails-first"]
)
def test_a_5xx_discards_the_changes(client: Client, store: Spy, path: str) -> None:
    """A new session gets no cookie, and an old session keeps its values."""
    first = client.get(path)
    client.get("/write")
    second = client.get(path)

    assert (first.status_code, second.status_code) in [(500, 500), (503, 503)]
    assert "Set-Cookie" not in first.headers
    assert "Set-Cookie" not in second.headers
    assert saved(client) == 1


@pytest.mark.parametrize("name", RAISED)
def test_cookie_and_store_agree_after_any_error(client: Client, name: str) -> None:
    """After a regenerate, the client and the store have the same id, even if the handler fails."""
    client.get("/write")
    client.get(f"/regenerate-then-raise/{name}")

    assert saved(client) == (1 if name in ("503", "bug") else 99)


def test_a_new_id_is_not_sent_if_the_commit_fails(client: Client, store: Spy) -> None:
    """The id changes only with the commit, so the old id still works."""
    client.get("/write")
    store.broken = {"commit"}
    response = client.post("/login")
    store.broken = set()

    assert response.status_code == 503
    assert "Set-Cookie" not in response.headers
    assert saved(client) == 1


def test_a_response_that_is_replaced_is_ended(client: Client, store: Spy) -> None:
    """The functions of `call_on_close` run, although another response is sent."""
    store.broken = {"create"}
    client.get("/closing")

    assert Visits.ended == 1


def test_with_debug_the_client_keeps_its_session(store: Spy) -> None:
    """The debugger's page sends no cookie, so the old id still works."""
    container = SessionContainer(keys=KEYS, store=store)
    with Application(Visits).test(replace(SessionContainer).to(container)) as client:
        client.get("/write")
        client.app.debug = True
        with pytest.raises(LookupError):
            client.get("/regenerate-then-raise/bug")

        assert saved(client) == 1


def test_a_logout_clears_the_cookie(client: Client, store: Spy) -> None:
    """After destroy the cookie is deleted and the record is gone."""
    client.get("/write")
    response = client.post("/logout")

    assert "Max-Age=0" in response.headers["Set-Cookie"]
    assert client.get_cookie("session") is None
    assert client.get("/read").json == 0


def test_a_logout_that_fails_is_a_503(client: Client, store: Spy) -> None:
    """If the store cannot delete, the logout is a 503, and the session stays."""
    client.get("/write")
    store.broken = {"delete"}
    response = client.post("/logout")
    store.broken = set()

    assert response.status_code == 503
    assert "Set-Cookie" not in response.headers
    assert saved(client) == 1


def test_the_request_and_the_session_come_together(client: Client) -> None:
    """A handler may take both."""
    assert client.get("/by-request").text == "/by-request"


@pytest.mark.parametrize("path", ["/stream", "/streamed-response"])
def test_changes_before_the_first_byte_are_saved(client: Client, path: str) -> None:
    """A generator may use the session until its first chunk."""
    response = client.get(path)

    assert response.text == "savedclosed"
    assert "Set-Cookie" in response.headers
    assert saved(client) == 1


def test_a_later_change_raises(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    """After the first chunk, the session is closed, and the log names the handler."""
    with pytest.raises(SessionClosed):
        client.get("/stream-late")

    errors = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert len(errors) == 1
    assert "Visits.stream_late" in caplog.text


def test_head_of_a_stream_saves_the_session(client: Client) -> None:
    """HEAD of a stream has the headers of GET, also the cookie."""
    response = client.head("/stream")

    assert "Set-Cookie" in response.headers
    assert saved(client) == 1


def test_a_client_that_leaves_during_its_request_stores_nothing(client: Client, store: Spy) -> None:
    """If the body ends too early, the handler does not run."""
    client.get("/write")
    store.calls.clear()
    response = client.post(
        "/write-body",
        input_stream=BytesIO(b'{"n": 1'),
        content_type="application/json",
        environ_overrides={"CONTENT_LENGTH": "100"},
    )

    assert response.status_code == 400
    assert store.calls == []


def test_a_client_that_leaves_during_a_stream_has_its_session_saved(client: Client) -> None:
    """The session was saved before the first byte."""
    response = client.get("/stream", buffered=False)
    first = next(response.iter_encoded())
    response.close()

    assert first == b"saved"
    assert saved(client) == 1


def test_a_late_change_in_a_nested_value_is_logged(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    """No error can be raised for it, so the log says that the change is lost."""
    client.get("/stream-nested")

    assert "changes came after the response headers, so they are lost" in caplog.text
    with client.session() as session:
        assert session["cart"] == ["saved"]


@pytest.mark.parametrize(
    ("method", "path"),
    [("HEAD", "/write"), ("GET", "/write/204"), ("GET", "/write/304"), ("GET", "/write/302")],
)
def test_every_kind_of_response_carries_the_cookie(client: Client, method: str, path: str) -> None:
    """HEAD, 204, 304 and redirects follow the cookie rules of a 200."""
    response = client.open(path, method=method)

    assert "Set-Cookie" in response.headers
    assert response.headers["Cache-Control"] == "no-store"
    assert response.data == b""
    assert saved(client) == 1


@pytest.mark.parametrize(
    ("method", "path"),
    [
        *(("GET", "/without"), ("GET", "/untouched"), ("GET", "/missing"), ("DELETE", "/write")),
        *(("OPTIONS", "/write"), ("HEAD", "/missing"), ("GET", "/write-then-raise/400")),
    ],
)
def test_rolling_renews_the_session_with_every_response(method: str, path: str) -> None:
    """Each response of a live session has its cookie, also without a handler."""
    container = SessionContainer(keys=KEYS, rolling=True)
    with Application(Visits).test(replace(SessionContainer).to(container)) as client:
        client.get("/write")
        response = client.open(path, method=method)

    assert "session=" in response.headers["Set-Cookie"]


def test_save_uninitialized_starts_a_session_with_every_response() -> None:
    """Even a 404 starts a session."""
    container = SessionContainer(keys=KEYS, save_uninitialized=True)
    with Application(Visits).test(replace(SessionContainer).to(container)) as client:
        response = client.get("/missing")

    assert response.status_code == 404
    assert "session=" in response.headers["Set-Cookie"]


def test_two_applications_with_the_same_cookie_name_share_nothing() -> None:
    """Under one host each ignores the other's cookie: they take turns, and share nothing.

    The remedy is a cookie path or a session_prefix of its own for each.
    """
    stores = Spy(), Spy()
    keys = [KEYS, [KEYS[0][::-1]]]
    apps = []
    for number in (0, 1):
        container = SessionContainer(keys=keys[number], store=stores[number])
        apps.append(Application(Visits, replacements={SessionContainer: container}))
    client = WSGIClient(DispatcherMiddleware(apps[0], {"/shop": apps[1]}))
    bodies = [
        client.get(path, buffered=True).text
        for path in ("/write", "/shop/write", "/shop/write", "/write")
    ]

    assert bodies == ["1", "1", "2", "1"]


def test_two_applications_with_two_prefixes_live_side_by_side() -> None:
    """On one host, each application keeps its own session."""
    apps = []
    for prefix in ("desk", "shop"):
        container = SessionContainer(keys=KEYS, session_prefix=prefix)
        apps.append(Application(Visits, replacements={SessionContainer: container}))
    client = WSGIClient(DispatcherMiddleware(apps[0], {"/shop": apps[1]}))
    bodies = [
        client.get(path, buffered=True).text
        for path in ("/write", "/shop/write", "/shop/write", "/write")
    ]

    assert bodies == ["1", "1", "2", "2"]
