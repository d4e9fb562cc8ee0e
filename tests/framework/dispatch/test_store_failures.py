"""A store that fails in a request: the client gets a 503 for any answer of the application."""

import re
from collections.abc import Iterator

import pytest
from werkzeug.exceptions import BadGateway
from werkzeug.test import Client as WerkzeugClient

from framework import (
    Application,
    Middleware,
    Next,
    Request,
    Response,
    Session,
    catch,
    component,
    configuration,
    controller,
    get,
    session,
)
from framework.testing import Client, replace
from sessions import SessionContainer, StoreUnavailable
from tests.support.session_pages import KEYS, Spy, Visits, saved
from tests.support.small_applications import client_of

ENDED: list[str] = []


@controller("/shop")
class Shop:
    """Handlers that answer a broken store in several ways."""

    @get("/raises")
    def raises(self, session: Session) -> str:
        try:
            return str(session.get("n"))
        except StoreUnavailable as error:
            raise BadGateway from error

    @get("/returns/<int:status>")
    def returns(self, session: Session, status: int) -> Response:
        try:
            return Response(str(session.get("n")))
        except StoreUnavailable:
            return Response("our own page", status)

    @get("/closing")
    def closing(self, session: Session) -> Response:
        response = self.returns(session, 500)
        response.call_on_close(lambda: ENDED.append("ended"))
        return response

    @get("/bug")
    def bug(self, session: Session) -> str:
        try:
            return str(session.get("n"))
        except StoreUnavailable:
            return str(int("x"))

    @get("/caught")
    def caught(self, session: Session) -> str:
        return str(session.get("n"))

    @catch(StoreUnavailable, status=500)
    def unavailable(self) -> str:
        return "something failed"


@pytest.fixture
def store() -> Spy:
    return Spy()


@pytest.fixture
def client(store: Spy) -> Iterator[Client]:
    container = SessionContainer(keys=KEYS, store=store)
    with Application(Visits, Shop).test(replace(SessionContainer).to(container)) as client:
        client.get("/write")
        store.broken = {"load"}
        yield client


@pytest.mark.parametrize("path", ["raises", "returns/500", "returns/502", "bug", "caught"])
def test_another_5xx_becomes_the_503(client: Client, store: Spy, path: str) -> None:
    """Proxies and browsers learn that they can try again, and no user is logged out."""
    response = client.get(f"/shop/{path}")
    store.broken = set()

    assert response.status_code == 503
    assert response.headers["Retry-After"] == "1"
    assert response.headers["Content-Type"] == "application/problem+json"
    assert "Set-Cookie" not in response.headers
    assert saved(client) == 1


@pytest.mark.parametrize("status", [200, 404, 503])
def test_only_another_5xx_is_replaced_by_the_503(client: Client, status: int) -> None:
    """A page that works without the session is sent, and so is the user's own 503."""
    response = client.get(f"/shop/returns/{status}")

    assert (response.status_code, response.text) == (status, "our own page")
    assert "Set-Cookie" not in response.headers


def test_middleware_that_answers_it_is_overruled(store: Spy) -> None:
    """The middleware does not know which error happened."""

    def hiding(request: Request, next: Next) -> Response:
        response = next(request)
        return Response("sorry", 500) if response.status_code == 503 else response

    @configuration
    class Around:
        @component
        def middleware(self) -> list[Middleware]:
            return [hiding]

    container = SessionContainer(keys=KEYS, store=store)
    app = Application(Visits, Around)
    with app.test(replace(SessionContainer).to(container)) as client:
        client.get("/write")
        store.broken = {"load"}

        assert client.get("/read").status_code == 503


def test_the_response_that_is_replaced_is_ended(client: Client) -> None:
    """The functions of `call_on_close` run before the 503 is sent."""
    ENDED.clear()
    response = client.get("/shop/closing")

    assert response.status_code == 503
    assert ENDED == ["ended"]


def test_the_503_of_a_broken_store_does_not_speak_of_maintenance() -> None:
    """The text of the 503 says to try again, and does not speak of maintenance."""

    @controller("/")
    class Visits:
        @get("/")
        def show(self, session: session) -> str:
            raise StoreUnavailable("down")

    with client_of(Visits) as client:
        response = client.get("/")

    assert response.status_code == 503
    assert response.json["detail"] == (
        "The server cannot reach its sessions at the moment. Try again in a moment."
    )


def test_the_log_of_an_unreachable_store_is_one_line(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The line says which store, why, what to do, and which variable has the URL."""
    pytest.importorskip("redis")
    monkeypatch.setenv("SESSION_STORE", "redis://:secret@localhost:1/0")
    monkeypatch.setenv("SESSION_KEYS", KEYS[0])
    caplog.set_level("ERROR")

    client = WerkzeugClient(Application(Visits))
    assert client.get("/write").status_code == 503
    (record,) = [record for record in caplog.records if "failed" in record.message]
    assert record.exc_info is None
    assert re.fullmatch(
        r"GET /write in Visits\.\w+ \(.+\) failed: <RedisStore '.*localhost:1/0'> cannot be used:"
        r" .*refused\. Fix: start the server, or correct its address in the URL of the store\. The"
        r" URL is in the environment variable SESSION_STORE",
        record.message,
    )
