"""Tokens are removed from requests that are broken, large, compressed or shared."""

import asyncio
import tracemalloc
from io import BytesIO
from time import process_time
from typing import Any
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.test import Client, create_environ, run_wsgi_app

from sessions import MemoryStore, SessionContainer, URLTransport
from sessions.asgi import Message
from sessions.core.taking import TAKEN_KEY, Taker
from sessions.transports.url import take_out
from sessions.wsgi import EnvironHead, SessionMiddleware
from tests.sessions.asgi.server import request_scope
from tests.support.apps import KEY

FORM = "application/x-www-form-urlencoded"
TAKER = Taker("wSession", 1000)


class BrokenInput(BytesIO):
    """A body whose client has left."""

    def read(self, size: int | None = -1, /) -> bytes:
        raise OSError("the client has left")


def _environ(body: bytes, **more: Any) -> dict[str, Any]:
    environ = create_environ(method="POST", input_stream=BytesIO(body), content_type=FORM)
    return {**environ, "CONTENT_LENGTH": str(len(body)), **more}


@pytest.mark.parametrize("name", ["REQUEST_URI", "RAW_URI"])
def test_the_servers_own_copies_of_the_url_have_no_token(name: str) -> None:
    """Some servers write their own copies to the access log."""
    environ = create_environ("/a?x=1&wSession=T")
    environ[name] = "/a?x=1&wSession=T"
    alone = {**environ, "QUERY_STRING": "wSession=T", name: "/a?wSession=T"}
    TAKER.from_environ(environ)
    TAKER.from_environ(alone)

    assert (environ["QUERY_STRING"], environ[name]) == ("x=1", "/a?x=1")
    assert (alone["QUERY_STRING"], alone[name]) == ("", "/a")
    assert environ[TAKEN_KEY] == {"wSession": ["T"]}


def test_a_form_keeps_its_other_fields() -> None:
    """The body and its length fit each other."""
    environ = _environ(b"a=1&wSession=T&b=%FF")
    TAKER.from_environ(environ)

    assert environ["wsgi.input"].read() == b"a=1&b=%FF"
    assert environ["CONTENT_LENGTH"] == "9"
    assert environ[TAKEN_KEY] == {"wSession": ["T"]}


@pytest.mark.parametrize(
    "more",
    [
        {"CONTENT_TYPE": "multipart/form-data; boundary=x"},
        {"CONTENT_TYPE": "application/json"},
        {"CONTENT_TYPE": ""},
        {"CONTENT_LENGTH": ""},
        {"CONTENT_LENGTH": "many"},
        {"CONTENT_LENGTH": "-1"},
        {"CONTENT_LENGTH": "9" * 5000},
        {"CONTENT_LENGTH": "1001"},
        {"HTTP_CONTENT_ENCODING": "gzip"},
    ],
)
def test_another_body_is_not_read(more: dict[str, str]) -> None:
    """A body of another type goes to the application unchanged."""
    environ = _environ(b"wSession=T", **more)
    before = environ["wsgi.input"]
    TAKER.from_environ(environ)

    assert environ["wsgi.input"] is before
    assert before.tell() == 0
    assert environ[TAKEN_KEY] == {"wSession": []}


def test_a_body_that_ends_early_is_left_to_the_application() -> None:
    """The application sees the announced length, and the bytes that came."""
    environ = _environ(b"wSession=T", CONTENT_LENGTH="20")
    TAKER.from_environ(environ)

    assert (environ["CONTENT_LENGTH"], environ["wsgi.input"].read()) == ("20", b"wSession=T")


def test_a_broken_body_fails_only_a_page_that_reads_it() -> None:
    """A page that does not read the body is served."""
    environ = _environ(b"wSession=T")
    environ["wsgi.input"] = BrokenInput()
    TAKER.from_environ(environ)

    assert environ[TAKEN_KEY] == {"wSession": []}
    with pytest.raises(OSError, match="the client has left"):
        environ["wsgi.input"].read()


class Pieces(BytesIO):
    """A body that comes in pieces of at most seven bytes, and may break off."""

    broken_at: int | None = None

    def read(self, size: int | None = -1, /) -> bytes:
        if self.broken_at is not None and self.tell() >= self.broken_at:
            raise OSError("the client has left")
        return super().read(7 if size is None or size < 0 else min(size, 7))


def _chunked(body: bytes) -> dict[str, Any]:
    """Return a request whose body has no announced length, and whose server knows its end."""
    environ = _environ(body, CONTENT_LENGTH="", HTTP_TRANSFER_ENCODING="chunked")
    return {**environ, "wsgi.input": Pieces(body), "wsgi.input_terminated": True}


@pytest.mark.parametrize("rest", [0, 1, 988, 989])
def test_a_form_without_a_length_is_read_up_to_the_limit(rest: int) -> None:
    """Some proxies send forms in chunks."""
    environ = _chunked(b"wSession=T&" + b"x" * rest)
    TAKER.from_environ(environ)

    assert environ[TAKEN_KEY] == {"wSession": ["T"]}
    assert environ["wsgi.input"].read() == b"x" * rest
    assert environ["CONTENT_LENGTH"] == ""


@pytest.mark.parametrize("size", [1001, 5000])
def test_a_larger_form_without_a_length_goes_to_the_application(size: int) -> None:
    """It gets every byte, in one read, in several, or line by line."""
    body = b"wSession=T&" + b"x" * 500 + b"\n" + b"y" * (size - 512)
    read: list[bytes] = []
    for how in ("read", "pieces", "lines"):
        environ = _chunked(body)
        TAKER.from_environ(environ)
        stream = environ["wsgi.input"]
        assert environ[TAKEN_KEY] == {"wSession": []}
        if how == "read":
            read.append(stream.read())
        elif how == "pieces":
            pieces = []
            while piece := stream.read(13):
                pieces.append(piece)
            read.append(b"".join(pieces))
        else:
            read.append(b"".join(stream))

    assert read == [body] * 3


def test_a_broken_form_without_a_length_breaks_what_reads_it() -> None:
    """The application gets the bytes that came, and then the error of the server."""
    environ = _chunked(b"wSession=T&a=1")
    environ["wsgi.input"].broken_at = 7
    TAKER.from_environ(environ)

    assert environ[TAKEN_KEY] == {"wSession": []}
    assert environ["wsgi.input"].read(7) == b"wSessio"
    with pytest.raises(OSError, match="the client has left"):
        environ["wsgi.input"].read()


def _given(messages: list[Message], **more: Any) -> tuple[dict[str, Any], list[Message]]:
    """Let a taker read messages, and return the scope and what the application receives."""
    headers = [
        (b"content-type", FORM.encode()),
        (b"content-length", b"17"),
        *more.pop("headers", []),
    ]
    scope = request_scope(method="POST", headers=headers, **more)
    left = iter(messages)

    async def receive() -> Message:
        return next(left)

    async def receive_all() -> list[Message]:
        received = await TAKER.from_scope(scope, receive)
        messages = [await received()]
        while messages[-1].get("more_body"):
            messages.append(await received())
        return messages

    got = asyncio.run(receive_all())
    return dict(scope), got


def _body(body: bytes, *, more: bool) -> Message:
    return {"type": "http.request", "body": body, "more_body": more}


def test_an_asynchronous_form_comes_in_pieces() -> None:
    """The application gets the form in one piece, without the token."""
    scope, got = _given([_body(b"a=1&wSes", more=True), _body(b"sion=T&b=2", more=False)])

    assert got == [_body(b"a=1&b=2", more=False)]
    assert (b"content-length", b"7") in scope["headers"]
    assert scope[TAKEN_KEY] == {"wSession": ["T"]}


@pytest.mark.parametrize(
    "messages",
    [
        [_body(b"a=1&b=2", more=True), _body(b"&c=3", more=False)],
        [_body(b"wSession=T" + b"x" * 1000, more=True), _body(b"y", more=False)],
        [_body(b"wSession=T", more=True), {"type": "http.disconnect"}],
    ],
    ids=["no field", "too large", "the client leaves"],
)
def test_an_asynchronous_body_without_a_token_comes_as_it_is(messages: list[Message]) -> None:
    """The application receives the whole body in its order, and that the client has left."""
    scope, got = _given(messages)

    bodies = [[one.get("body", b"") for one in told] for told in (messages, got)]
    assert b"".join(bodies[0]) == b"".join(bodies[1])
    assert got[-1]["type"] == messages[-1]["type"]
    assert [one.get("more_body", False) for one in got] == [True] * (len(got) - 1) + [False]
    assert (b"content-length", b"17") in scope["headers"]
    assert scope[TAKEN_KEY] == {"wSession": []}


def test_a_body_of_many_pieces_takes_little_memory() -> None:
    """A client may send each byte alone."""
    size = 100_000
    left = iter(range(size, 0, -1))

    async def receive() -> Message:
        return _body(b"a", more=next(left) > 1)

    async def received() -> Message:
        scope = request_scope(method="POST", headers=[(b"content-type", FORM.encode())])
        return await (await Taker("wSession", size).from_scope(scope, receive))()

    tracemalloc.start()
    try:
        message = asyncio.run(received())
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert message == _body(b"a" * size, more=False)
    assert most < 20 * size


def test_a_compressed_asynchronous_body_is_not_read() -> None:
    """The bytes of a compressed body are no form."""
    messages = [_body(b"wSession=T", more=False)]
    _, got = _given(messages, headers=[(b"content-encoding", b"gzip")])

    assert got == messages


def test_a_websocket_has_its_token_in_the_query() -> None:
    """A WebSocket request has no body."""
    scope = request_scope(type="websocket", query_string=b"wSession=T&x=1")

    async def receive() -> Message:
        raise AssertionError("nothing is to be received")

    assert asyncio.run(TAKER.from_scope(scope, receive)) is receive
    assert (scope["query_string"], scope[TAKEN_KEY]) == (b"x=1", {"wSession": ["T"]})


def test_two_containers_share_a_parameter() -> None:
    """The outer middleware removes the parameter, and each middleware reads its own token."""
    seen: list[Any] = []

    def app(environ: Any, start_response: Any) -> list[bytes]:
        session = environ["sessions.session"]
        session["n"] = session.get("n", 0) + 1
        seen.append((session["n"], environ["QUERY_STRING"], session.rewrite("/")))
        start_response("200 OK", [])
        return [b""]

    settings: dict[str, Any] = {"transports": [URLTransport()], "keys": [KEY]}
    inner = SessionContainer(store=MemoryStore(), session_prefix="inner", **settings)
    outer = SessionContainer(store=MemoryStore(), session_prefix="outer", **settings)
    client = Client(SessionMiddleware(SessionMiddleware(app, inner), outer), use_cookies=False)
    client.get("/", buffered=True)
    client.get(seen[0][2], buffered=True)

    assert [(count, query) for count, query, _ in seen] == [(1, ""), (2, "")]


def test_an_edge_that_hides_nothing_reads_the_query() -> None:
    """A middleware of another author has only the head of the request."""

    class Head(EnvironHead):
        __slots__ = ()
        taken = None

    environ = create_environ("/?a=1&wSession=T&wSession=U")

    assert URLTransport().read(Head(environ)) == ["T", "U"]


def test_an_application_without_links_keeps_its_parameter() -> None:
    """Without a URLTransport, the parameter is a normal one, and no body is read."""
    seen: list[str] = []

    def app(environ: Any, start_response: Any) -> list[bytes]:
        seen.append(environ["QUERY_STRING"])
        start_response("200 OK", [])
        return [b""]

    environ = create_environ("/?wSession=T")
    run_wsgi_app(SessionMiddleware(app, SessionContainer(keys=[KEY])), environ)

    assert seen == ["wSession=T"]
    assert TAKEN_KEY not in environ


@given(st.lists(st.sampled_from([*"wSesion=&%+ ", "%77", "%53", "%6F", "%6f", "wSession=t&"])))
def test_every_spelling_of_the_name_is_the_parameter(parts: list[str]) -> None:
    """The name is found exactly where a parser of forms would find it."""
    query = "".join(parts)
    pairs = parse_qsl(query, keep_blank_values=True)

    rest, values = take_out(query, "wSession")

    assert values == [value for name, value in pairs if name == "wSession"]
    assert parse_qsl(rest, keep_blank_values=True) == [p for p in pairs if p[0] != "wSession"]


@pytest.mark.parametrize("piece", ["%41&", "%77Session=%41&", "%", "&", "wSession&", "%77%53%"])
def test_a_long_form_takes_no_long_time(piece: str) -> None:
    """Each part of a form of a mebibyte is looked at once."""
    began = process_time()
    take_out(piece * (1024 * 1024 // len(piece)), "wSession")

    assert process_time() - began < 5
