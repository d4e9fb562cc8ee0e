"""A request that uses a session runs the code of only a few files of the package."""

import gc
import secrets
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

import pytest
from werkzeug.test import create_environ

import sessions
from sessions import MemoryStore, SessionContainer
from sessions.wsgi import SessionMiddleware

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

PACKAGE = str(Path(sessions.__file__).parent)
FILES_OF_A_READ = 12
FILES_OF_A_FIRST_WRITE = 14


def _count(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
    session = environ["sessions.session"]
    if environ["PATH_INFO"] == "/write":
        session["count"] = session.get("count", 0) + 1
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [str(session["count"]).encode()]


class Visitor:
    """Send requests with the last cookie."""

    def __init__(self, application: SessionMiddleware) -> None:
        self.application = application
        self.cookie = ""

    def get(self, path: str) -> str:
        """Return the body of the answer."""
        environ = create_environ(path, headers={"Cookie": self.cookie} if self.cookie else None)
        return b"".join(self.application(environ, self._start_response)).decode()

    def _start_response(
        self, status: str, headers: list[tuple[str, str]], exc_info: object = None
    ) -> Callable[[bytes], object]:
        for name, value in headers:
            if name == "Set-Cookie":
                self.cookie = value.partition(";")[0]
        return len


@pytest.fixture
def application() -> SessionMiddleware:
    """Return an application that has already served requests."""
    container = SessionContainer(keys=[secrets.token_hex(32)], store=MemoryStore(), clock=time.time)
    application = SessionMiddleware(_count, container)
    visitor = Visitor(application)
    assert [visitor.get(path) for path in ("/write", "/write", "/read")] == ["1", "2", "2"]
    return application


def test_a_read_touches_few_files(application: SessionMiddleware) -> None:
    """A request that reads a value of a stored session runs code of at most 12 files."""
    visitor = Visitor(application)
    visitor.get("/write")
    visitor.get("/read")

    touched = files_touched(lambda: visitor.get("/read"))

    assert "stores/memory.py" in touched
    assert len(touched) <= FILES_OF_A_READ, _listing(touched)


def test_a_first_write_touches_few_files(application: SessionMiddleware) -> None:
    """A request that stores the first value of a new visitor runs code of at most 13 files."""
    visitor = Visitor(application)

    touched = files_touched(lambda: visitor.get("/write"))

    assert visitor.cookie
    assert "stores/memory.py" in touched
    assert len(touched) <= FILES_OF_A_FIRST_WRITE, _listing(touched)


def files_touched(call: Callable[[], object]) -> dict[str, list[str]]:
    """Return the files of `sessions` whose functions the call runs, and the functions."""
    touched: dict[str, list[str]] = {}

    def note(frame: FrameType, event: str, argument: object) -> None:
        code = frame.f_code
        if event == "call" and code.co_filename.startswith(PACKAGE):
            name = Path(code.co_filename).relative_to(PACKAGE).as_posix()
            touched.setdefault(name, []).append(code.co_qualname)

    # A collection in the middle would run what other tests have left behind.
    gc.disable()
    outer = sys.getprofile()
    sys.setprofile(note)
    try:
        call()
    finally:
        sys.setprofile(outer)
        gc.enable()
    return touched


def _listing(touched: dict[str, list[str]]) -> str:
    lines = [f"  {name}: {', '.join(functions)}" for name, functions in touched.items()]
    return "\n".join([f"{len(touched)} files of sessions were touched:", *lines])
