"""The development server: Werkzeug's server with a reloader, and a debugger on loopback only.

With the reloader there are two processes. The first process owns the socket and watches only the
second process. The second process builds and serves the application, and ends when a file changes.
"""

import sys
import threading
from collections.abc import Callable
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING

import click
from werkzeug.serving import is_running_from_reloader, make_server

from framework.application import Application
from framework.explaining.left_out import left_out
from framework.explaining.reachable import store_failure
from framework.report import StartupError, readable_path, short_repr
from framework.serving.debugging import debugged, for_this_machine
from framework.serving.failures import describe, report_page
from framework.serving.handling import Requests, handler_of
from framework.serving.logs import hide_ids, show_logs
from framework.serving.reloading import (
    CHANGED,
    inherited_port,
    inherited_socket,
    is_loopback,
    require_free,
    restart_after_each_change,
    url_of,
)
from framework.serving.signals import EndSignals
from framework.serving.watching import Files

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

Loader = Callable[[], Application]

# How long the requests that wait for their answers may take, in seconds, before the process ends.
_PATIENCE_AT_THE_END = 10.0
_PATIENCE_AT_A_CHANGE = 3.0
# The time from one look at the files to the next, in seconds.
_LOOK = 1.0


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
            _serve_until_a_change(load, host, debug)
        else:
            restart_after_each_change(host, port)


def _checked_debug(debug: bool | None, host: str) -> bool:
    if debug and not is_loopback(host):
        raise ValueError(
            f"debug=True needs a loopback address, but the host is {host!r}. The debugger runs any"
            " code that a visitor types. Fix: serve on 127.0.0.1, or pass debug=False."
        )
    return is_loopback(host) if debug is None else debug


def _serve_once(load: Loader, host: str, port: int, debug: bool) -> None:
    signals = EndSignals()
    is_main = threading.current_thread() is threading.main_thread()
    with ExitStack() as ending:
        if is_main:
            ending.callback(signals.restore)
            signals.listen()
        try:
            application = _started(load, ending)
        # The user's modules may raise anything; after any error the process ends with a report.
        except (Exception, SystemExit) as error:  # noqa: BLE001
            raise SystemExit(describe(error)) from None
        require_free(host, port)
        wsgi, pin = debugged(application, host) if debug else (application, None)
        serving = _Serving(host, port, wsgi)
        signals.only_note()
        click.echo(_banner(application, host, serving.port, pin))
        if is_main:
            ending.callback(serving.end, signals)
            serving.begin()
            signals.wait(None)
        else:
            serving.server.serve_forever()


def _serve_until_a_change(load: Loader, host: str, debug: bool) -> None:
    # The earlier signal handlers are not restored, because one Ctrl-C may arrive here twice.
    signals, files = EndSignals(), Files()
    signals.listen()
    with ExitStack() as ending:
        try:
            application = _started(load, ending)
        # The user's modules may raise anything; after an error the server waits for a change.
        except (Exception, SystemExit) as error:  # noqa: BLE001
            report = describe(error)
            url = url_of(host, inherited_port())
            waiting = f"Waiting for a change. Until then, {url} shows this message, too."
            is_started, wsgi, told = False, _page_of(report, host, debug), f"{report}\n\n{waiting}"
        else:
            is_started = True
            wsgi, pin = debugged(application, host) if debug else (application, None)
            told = _banner(application, host, inherited_port(), pin)
        serving = _Serving(host, 0, wsgi, inherited_socket())
        ending.callback(serving.end, signals)
        signals.only_note()
        click.echo(told, err=not is_started)
        serving.begin()
        _watch(files, signals, is_started=is_started)


def _watch(files: Files, signals: EndSignals, *, is_started: bool) -> None:
    """Wait for a signal, or end the process after a change."""
    while not signals.wait(_LOOK):
        # A new file may be the module that was missing when the start failed.
        changed = files.change(is_new_a_change=not is_started)
        if changed is not None:
            click.echo(f"{readable_path(changed)} has changed: starting again.")
            sys.exit(CHANGED)


def _started(load: Loader, ending: ExitStack) -> Application:
    """Build and start the application; `ending` stops the application when the server ends."""
    show_logs()
    application = load()
    hide_ids(application.sessions)
    # A stop without a start does nothing; and no signal may come between a start and this line.
    ending.callback(_stop, application)
    try:
        application.start()
    # A hook is the user's own code and may raise anything; the mistake names the hook.
    except (Exception, SystemExit) as error:
        if application.start_mistake is None:
            raise
        raise StartupError([application.start_mistake]) from error
    return application


def _stop(application: Application) -> None:
    """Run the stop hooks; only another Ctrl-C interrupts them."""
    try:
        application.stop()
    # The hooks are the user's own code; after any error the process still ends or starts again.
    except (Exception, SystemExit) as error:  # noqa: BLE001
        first: BaseException = error
        while isinstance(first.__context__, Exception | SystemExit):
            first = first.__context__
        # The exception that ended the server is not a cause of this error, so it is not shown.
        first.__context__ = None
        click.echo(describe(error), err=True)


class _Serving:
    """Serve in a background thread; at the end, answer the requests that have begun."""

    def __init__(
        self, host: str, port: int, wsgi: "WSGIApplication", socket: int | None = None
    ) -> None:
        self._requests = Requests()
        self.server = make_server(
            host, port, wsgi, threaded=True, request_handler=handler_of(self._requests), fd=socket
        )
        self.port = self.server.port
        self._thread = threading.Thread(
            target=self.server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True
        )

    def begin(self) -> None:
        """Answer requests from now on."""
        self._thread.start()

    def end(self, signals: EndSignals) -> None:
        """Accept no more requests, and wait until the accepted requests have their answers."""
        if self._thread.is_alive():
            self.server.shutdown()
        if signals.came and self._requests.count:
            click.echo(f"Waiting for {_requests(self._requests.count)}; Ctrl-C again ends at once.")
        self._requests.wait(_PATIENCE_AT_THE_END if signals.came else _PATIENCE_AT_A_CHANGE)


def _page_of(report: str, host: str, debug: bool) -> "WSGIApplication":
    """Return an application that shows a report, but only to visitors who may use a debugger."""
    if not debug:
        return report_page("The application could not start.")
    return for_this_machine(report_page(report), host)


def _banner(application: Application, host: str, port: int, pin: str | None) -> str:
    lines = [f"Serving on {url_of(host, port)}  (Ctrl-C stops)"]
    lines.append(f"  routes    {len(application.routes)}")
    for controller in left_out(application):
        lines.append(f"  left out  {controller}: pass the controller to the Application")
    if application.sessions is not None:
        lines.append(f"  sessions  {short_repr(application.sessions.container.store)}")
    if (failure := store_failure(application)) is not None:
        lines.append(f"  warning   {failure}")
    if application.key_file is not None:
        lines.append(f"  key       {application.key_file}, made for development")
    if pin:
        lines.append(f"  debugger  its console asks for the PIN {pin}")
    if not is_loopback(host):
        lines.append(
            f"  debugger  off, because {host} is not a loopback address and the debugger runs any"
            " code that a visitor types"
        )
    return "\n".join(lines)


def _requests(count: int) -> str:
    return "1 request" if count == 1 else f"{count} requests"
