"""Sessions in streams: open until the first byte, closed from then on."""

import logging
from collections.abc import Iterator
from io import BytesIO

import pytest

from framework import Application
from framework.testing import Client, replace
from sessions import SessionClosed, SessionContainer
from tests.framework.visits import KEYS, Spy, Visits, saved


@pytest.fixture
def store() -> Spy:
    return Spy()


@pytest.fixture
def client(store: Spy) -> Iterator[Client]:
    container = SessionContainer(keys=KEYS, store=store)
    with Application(Visits).test(replace(SessionContainer).to(container)) as client:
        yield client


@pytest.mark.parametrize("path", ["/stream", "/streamed-response"])
def test_changes_before_the_first_byte_are_saved(client: Client, path: str) -> None:
    """A generator may use the session until its first chunk."""
    response = client.get(path)

    assert response.text == "savedclosed"
    assert "Set-Cookie" in response.headers
    assert saved(client) == 1


def test_a_later_change_raises(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    """After the first chunk the session is closed, and the log says in which handler."""
    with pytest.raises(SessionClosed):
        client.get("/stream-late")

    errors = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert len(errors) == 1
    assert "Visits.stream_late" in caplog.text


def test_head_saves_what_a_stream_begins_with(client: Client) -> None:
    """HEAD of a stream has the headers of GET, the cookie included."""
    response = client.head("/stream")

    assert "Set-Cookie" in response.headers
    assert saved(client) == 1


def test_a_client_that_leaves_during_its_request_stores_nothing(client: Client, store: Spy) -> None:
    """Where the body ends too early the handler does not run."""
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
    """The record was whole before the first byte."""
    response = client.get("/stream", buffered=False)
    first = next(response.iter_encoded())
    response.close()

    assert first == b"saved"
    assert saved(client) == 1


def test_a_late_change_in_a_nested_value_is_logged(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing can raise for it, so the log tells that it is lost."""
    client.get("/stream-nested")

    assert "changed after the response's headers left" in caplog.text
    with client.session() as session:
        assert session["cart"] == ["saved"]
