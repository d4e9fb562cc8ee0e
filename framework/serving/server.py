"""The development server: Werkzeug's, with a reloader and, on loopback only, a debugger.

Under the reloader there are two processes. The first owns the socket and watches nothing but the
second, which builds the application, serves it, and ends as soon as a file changes.
"""

import contextlib
import importlib
import itertools
import os
import re
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterable
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING, Any

import click
from werkzeug.debug import DebuggedApplication
from werkzeug.serving import (
    WSGIRequestHandler,
    is_running_from_reloader,
    make_server,
    run_simple,
)

from framework.application import Application
from framework.report import StartupError
from framework.serving.reloading import (
    inherited_port,
    is_loopback,
    require_free,
    restart_after_each_change,
    url_of,
)

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

Loader = Callable[[], Application]

# The text that begins and ends a colour: ECMA-48, 8.3.117.
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_THIS_PACKAGE = os.path.join(os.path.dirname(os.path.dirname(__file__)), "")


def serve(
    load: Loader,
    *,
    host: str = "127.0.0.1",
    port: int = 8000,
    reload: bool = True,
    debug: bool | None = None,
) -> None:
    """Serve what `load` returns until Ctrl-C or SIGTERM.

    `debug=None` means: on a loopback address. Anywhere else the debugger, which runs any Python
    that a visitor types, is refused.
    """
    debug = _checked_debug(debug, host)
    with suppress(KeyboardInterrupt):
        if not reload:
            _serve_once(load, host, port, debug)
        elif is_running_from_reloader():
            _serve_until_a_change(load, host, port, debug)
        else:
            restart_after_each_change(host, port)


def describe(error: Exception) -> str:
    """Describe what kept the application from starting, beginning in the user's own files."""
    if isinstance(error, StartupError):
        return str(error)
    if isinstance(error, click.ClickException):
        return error.format_message()
    told = traceback.TracebackException.from_exception(error)
    told.stack = traceback.StackSummary.from_list(_frames_of_the_user(told.stack))
    return "".join(told.format()).rstrip()


def _checked_debug(debug: bool | None, host: str) -> bool:
    if debug and not is_loopback(host):
        raise ValueError(
            f"debug=True is for a loopback address, and {host!r} is not one: the debugger runs "
            "whatever a visitor types. Serve on 127.0.0.1, or pass debug=False."
        )
    return is_loopback(host) if debug is None else debug


def _serve_once(load: Loader, host: str, port: int, debug: bool) -> None:
    try:
        application = load()
        application.start()
    # The user's modules may raise anything; the process ends either way, with the report.
    except Exception as error:  # noqa: BLE001
        raise SystemExit(describe(error)) from None
    require_free(host, port)
    wsgi, pin = _debugged(application, host) if debug else (application, None)
    server = make_server(host, port, wsgi, threaded=True, request_handler=_Handler)
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    click.echo(_banner(application, url_of(host, server.port), pin) + _without_debugger(host))
    try:
        server.serve_forever()
    finally:
        _stop(application)


def _serve_until_a_change(load: Loader, host: str, port: int, debug: bool) -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with ExitStack() as ending:
        wsgi = _built(load, host, debug, ending)
        _hear_one_signal(ending)
        run_simple(host, port, wsgi, use_reloader=True, threaded=True, request_handler=_Handler)


def _built(load: Loader, host: str, debug: bool, ending: ExitStack) -> "WSGIApplication":
    """Build and start the application, or else a page that shows why it cannot start."""
    url = url_of(host, inherited_port())
    try:
        application = load()
        application.start()
    # The user's modules may raise anything, and the server waits until the mistake is mended.
    except Exception as error:  # noqa: BLE001
        report = describe(error)
        click.echo(f"{report}\n\nWaiting for a change; until then {url} says this too.", err=True)
        return _showing(report if debug else "The application could not start.")
    ending.callback(_stop, application)
    # Before the banner: who reads it may end the server at once.
    _hear_one_signal(ending)
    wsgi, pin = _debugged(application, host) if debug else (application, None)
    click.echo(_banner(application, url, pin) + _without_debugger(host))
    return wsgi


def _hear_one_signal(ending: ExitStack) -> None:
    """Ignore SIGTERM from the end on: the first process passes on what has come to both of them."""
    ending.callback(signal.signal, signal.SIGTERM, signal.SIG_IGN)


def _stop(application: Application) -> None:
    """Run the stop hooks; only another Ctrl-C ends them."""
    try:
        application.stop()
    # The hooks are the user's own code; the process ends, or starts again, either way.
    except Exception as error:  # noqa: BLE001
        first: BaseException = error
        while isinstance(first.__context__, Exception):
            first = first.__context__
        # The error that ended the server is not the cause.
        first.__context__ = None
        click.echo(describe(error), err=True)


class _Handler(WSGIRequestHandler):
    """Write the access log in colours for a terminal only."""

    def log(self, type: str, message: str, *args: Any) -> None:
        """Write a line."""
        if not sys.stdout.isatty():
            args = tuple(
                _COLOUR.sub("", argument) if isinstance(argument, str) else argument
                for argument in args
            )
        super().log(type, message, *args)


def _debugged(application: Application, host: str) -> tuple[DebuggedApplication, str | None]:
    """Put the debugger around an application, and return the PIN that its console asks for."""
    application.debug = True
    # An empty console path, since "/console" is the application's own.
    debugged = DebuggedApplication(application, evalex=True, console_path="", pin_logging=False)
    debugged.trusted_hosts.append(host)
    return debugged, debugged.pin


def _showing(text: str) -> "WSGIApplication":
    body = text.encode()
    headers = [
        ("Content-Type", "text/plain; charset=utf-8"),
        ("Content-Length", str(len(body))),
        ("Cache-Control", "no-store"),
        # The browser asks again by itself, until the file is mended.
        ("Refresh", "1"),
    ]

    def report(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        start_response("500 Internal Server Error", headers)
        return [body]

    return report


def _banner(application: Application, url: str, pin: str | None) -> str:
    lines = [f"Serving on {url}  (Ctrl-C stops)", f"  routes    {len(application.routes)}"]
    if application.sessions is not None:
        lines.append(f"  sessions  {str(application.sessions.container.store).strip('<>')}")
    if application.key_file is not None:
        lines.append(f"  key       {application.key_file}, made for development")
    if pin:
        lines.append(f"  debugger  its console asks for the PIN {pin}")
    return "\n".join(lines)


def _frames_of_the_user(stack: traceback.StackSummary) -> list[traceback.FrameSummary]:
    """Leave out the frames of the import, and the framework's own frames."""
    frames = list(itertools.dropwhile(_is_of_ours, stack))
    if frames and (frames[-1].line or "").startswith("raise "):
        while _is_of_ours(frames[-1]):
            del frames[-1]
    return frames


def _is_of_ours(frame: traceback.FrameSummary) -> bool:
    others = ("<frozen", importlib.__path__[0], contextlib.__file__)
    return frame.filename.startswith((_THIS_PACKAGE, *others))


def _without_debugger(host: str) -> str:
    if is_loopback(host):
        return ""
    return (
        f"\n  debugger  off: it runs whatever a visitor types, and {host} is not a loopback address"
    )
