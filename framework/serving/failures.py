"""An error of start-up: the report in the terminal, and the page in the browser."""

import contextlib
import importlib
import itertools
import os
import traceback
from collections.abc import Iterable
from typing import TYPE_CHECKING

import click
import injector
from markupsafe import Markup

from framework.advice.errors import note_remedy
from framework.http.errors import prefers_html
from framework.http.pages import error_page
from framework.report import StartupError

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_THIS_PACKAGE = os.path.join(os.path.dirname(os.path.dirname(__file__)), "")
_OURS = (
    _THIS_PACKAGE,
    "<frozen",
    importlib.__path__[0],
    contextlib.__file__,
    os.path.dirname(injector.__file__),
)


def describe(error: BaseException) -> str:
    """Return the text of an error of start-up.

    In a traceback, the lines before the first file of the application are left out.
    """
    if isinstance(error, StartupError):
        cause = error.__cause__
        return str(error) if cause is None else f"{error}\n\n{_traceback(cause)}"
    if isinstance(error, click.ClickException):
        return error.format_message()
    note_remedy(error)
    return _traceback(error)


def is_our_file(file: str) -> bool:
    """Return whether a file in a traceback belongs to the framework, and not to the user."""
    return file.startswith(_OURS)


def report_page(report: str) -> "WSGIApplication":
    """Return an application that answers every request with the report of an error of start-up."""

    def answer(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        is_html = prefers_html(environ)
        body = (_page(report) if is_html else report).encode()
        headers = [
            ("Content-Type", f"text/{'html' if is_html else 'plain'}; charset=utf-8"),
            ("Content-Length", str(len(body))),
            ("Cache-Control", "no-store"),
            # The browser asks again every second, until the file is corrected.
            ("Refresh", "1"),
        ]
        start_response("500 Internal Server Error", headers)
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]

    return answer


def _page(report: str) -> str:
    content = Markup("<p>This page reloads until the application starts.</p>\n<pre>{}</pre>\n")
    return error_page("The application cannot start", content.format(report))


def _traceback(error: BaseException) -> str:
    told = traceback.TracebackException.from_exception(error)
    told.stack = traceback.StackSummary.from_list(_frames_of_the_user(told.stack))
    return "".join(told.format()).rstrip()


def _frames_of_the_user(stack: traceback.StackSummary) -> list[traceback.FrameSummary]:
    """Return the frames of the stack without the framework's frames at its beginning.

    If the last line is a `raise` of the framework, the framework's frames at the end are removed,
    too.
    """
    frames = list(itertools.dropwhile(lambda frame: is_our_file(frame.filename), stack))
    if frames and (frames[-1].line or "").startswith("raise "):
        while is_our_file(frames[-1].filename):
            del frames[-1]
    return frames
