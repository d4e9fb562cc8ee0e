"""The development server: Werkzeug's, with a reloader and, on loopback only, a debugger.

With the reloader there are two processes. The first process owns the socket and watches only the
second process. The second process builds and serves the application, and ends when a file changes.
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

# The sequences that begin and end a colour: ECMA-48, 8.3.117.
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
    """Serve the application of `load` until Ctrl-C or SIGTERM.

    `debug=None` turns the debugger on only for a loopback address. For any other address,
    `debug=True` is refused, because the debugger runs any Python code that a visitor types.
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
    """Write an error of start-up, with a traceback that begins in the user's own files."""
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
    # The user's modules may raise anything; after any error the process ends with a report.
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
        _ignore_late_sigterm(ending)
        run_simple(host, port, wsgi, use_reloader=True, threaded=True, request_handler=_Handler)


def _built(load: Loader, host: str, debug: bool, ending: ExitStack) -> "WSGIApplication":
    """Build and start the application, or an application that shows the error of start-up."""
    url = url_of(host, inherited_port())
    try:
        application = load()
        application.start()
    # The user's modules may raise anything; after an error the server waits for a change.
    except Exception as error:  # noqa: BLE001
        report = describe(error)
        click.echo(f"{report}\n\nWaiting for a change; until then {url} shows this, too.", err=True)
        return _error_page(report if debug else "The application could not start.")
    ending.callback(_stop, application)
    # This happens before the banner, because after the banner a signal may come.
    _ignore_late_sigterm(ending)
    wsgi, pin = _debugged(application, host) if debug else (application, None)
    click.echo(_banner(application, url, pin) + _without_debugger(host))
    return wsgi


def _ignore_late_sigterm(ending: ExitStack) -> None:
    """Ignore SIGTERM during the end, because the first process passes on a signal to both."""
    ending.callback(signal.signal, signal.SIGTERM, signal.SIG_IGN)


def _stop(application: Application) -> None:
    """Run the stop hooks; only another Ctrl-C interrupts them."""
    try:
        application.stop()
    # The hooks are the user's own code; after any error the process still ends or starts again.
    except Exception as error:  # noqa: BLE001
        first: BaseException = error
        while isinstance(first.__context__, Exception):
            first = first.__context__
        # The exception that ended the server is not a cause of this error, so it is not shown.
        first.__context__ = None
        click.echo(describe(error), err=True)


class _Handler(WSGIRequestHandler):
    """Write the access log with colours only to a terminal."""

    def log(self, type: str, message: str, *args: Any) -> None:
        """Write one line of the log."""
        if not sys.stdout.isatty():
            args = tuple(_COLOUR.sub("", arg) if isinstance(arg, str) else arg for arg in args)
        super().log(type, message, *args)


def _debugged(application: Application, host: str) -> tuple[DebuggedApplication, str | None]:
    """Put the debugger around an application, and return the PIN that its console asks for."""
    application.debug = True
    # The console path is empty, because the application may have a path "/console".
    debugged = DebuggedApplication(application, evalex=True, console_path="", pin_logging=False)
    debugged.trusted_hosts.append(host)
    return debugged, debugged.pin


def _error_page(text: str) -> "WSGIApplication":
    body = text.encode()
    headers = [
        ("Content-Type", "text/plain; charset=utf-8"),
        ("Content-Length", str(len(body))),
        ("Cache-Control", "no-store"),
        # The browser asks again every second, until the file is corrected.
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
    """Remove our frames before the user's code, and our frames that raise a deliberate error."""
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
