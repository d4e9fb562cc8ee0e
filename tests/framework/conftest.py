"""Two WSGI checkers watch every request of these tests."""

import warnings
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from wsgiref.validate import validator

import pytest
from werkzeug.middleware.lint import HTTPWarning, LintMiddleware, WSGIWarning

from framework import Application
from tests.support.commands import Framework, commands_in

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


@pytest.fixture(autouse=True)
def watch_wsgi(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Fail a test whose application breaks WSGI or HTTP."""
    unwatched = Application.__call__

    def watched(
        self: Application,
        environ: "WSGIEnvironment",
        start_response: "StartResponse | None" = None,
        send: object = None,
    ) -> Iterable[bytes]:
        # The checkers know no other protocol.
        if start_response is None or send is not None:
            return unwatched(self, environ, start_response, send)
        application: WSGIApplication = partial(unwatched, self)
        # A request that is broken itself is none of the application's doing.
        if not environ.get("CONTENT_LENGTH", "0").isdecimal():
            return application(environ, start_response)
        # This one does not know that HEAD has the Content-Length of a body that is not sent.
        if environ["REQUEST_METHOD"] != "HEAD":
            application = LintMiddleware(application)
        return validator(application)(environ, start_response)

    monkeypatch.setattr(Application, "__call__", watched)
    with warnings.catch_warnings():
        warnings.simplefilter("error", WSGIWarning)
        warnings.simplefilter("error", HTTPWarning)
        # RFC 9110 allows a relative Location, and forbids Content-Length in a 204.
        warnings.filterwarnings("ignore", "Absolute URLs required for location header")
        warnings.filterwarnings("ignore", "204 responses must have an empty content length")
        yield


@pytest.fixture
def framework(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Framework]:
    """Run the commands of `framework` in an empty folder."""
    with commands_in(tmp_path, monkeypatch) as run:
        yield run
