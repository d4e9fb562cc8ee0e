"""The session in a generator: values loaded before the first byte can be read to the end."""

from collections.abc import Iterator

import pytest

from framework import Application, controller, get, replace, session
from sessions import SessionClosed, SessionContainer
from tests.support.apps import KEY


@controller("/")
class Stream:
    @get("/write")
    def write(self, session: session) -> None:
        session.update(name="ada", items=[1, 2])

    @get("/read-on")
    def read_on(self, session: session) -> Iterator[str]:
        yield session["name"]
        for item in session["items"]:
            yield f" {item}"
        yield f" {session.get('missing')} {session.user_id} {'name' in session} {len(session)}"

    @get("/read-late")
    def read_late(self, session: session) -> Iterator[str]:
        yield "begun"
        yield session["name"]

    @get("/write-late")
    def write_late(self, session: session) -> Iterator[str]:
        yield session["name"]
        session["name"] = "bob"
        yield "not reached"


CONTAINER = SessionContainer(keys=[KEY])


@pytest.mark.parametrize("path", ["/read-on", "/read-late", "/write-late"])
def test_a_stream_reads_only_a_session_that_was_loaded_before(path: str) -> None:
    """A first read after the first byte is refused, and so is a write."""
    with Application(Stream).test(replace(SessionContainer).to(CONTAINER)) as client:
        client.get("/write")

        if path == "/read-on":
            assert client.get(path).text == "ada 1 2 None None True 2"
        else:
            with pytest.raises(SessionClosed):
                _ = client.get(path).text

        with client.session() as stored:
            assert stored.copy() == {"name": "ada", "items": [1, 2]}
