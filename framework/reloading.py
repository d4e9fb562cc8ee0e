"""The process that owns the socket, and starts the one that serves again after each change."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterable, Mapping
from contextlib import closing
from typing import TYPE_CHECKING

from werkzeug.serving import make_server

from framework.addresses import require_free

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

# The status with which Werkzeug's reloader ends the process that serves.
_CHANGED = 3


def restart_after_each_change(host: str, port: int) -> None:
    """Own the socket, and start the serving process again whenever it ends for a change."""
    require_free(host, port)
    with closing(make_server(host, port, _not_built_yet).socket) as listening:
        listening.set_inheritable(True)
        environment = os.environ | {
            "WERKZEUG_RUN_MAIN": "true",
            "WERKZEUG_SERVER_FD": str(listening.fileno()),
        }
        status = _CHANGED
        while status == _CHANGED:
            status = _run_again(environment)
    sys.exit(status)


def _run_again(environment: Mapping[str, str]) -> int:
    """Run this very program as the process that serves, and return its status.

    Werkzeug's own loop kills it a quarter of a second after Ctrl-C, and at once after SIGTERM:
    its stop hooks would not run, or not to their end.
    """
    command = [sys.executable, *sys.orig_argv[1:]]
    is_over = False

    def end(*_: object) -> None:
        nonlocal is_over
        is_over = True
        if child is not None:
            child.terminate()

    child: subprocess.Popen[bytes] | None = None
    # Before there is a child, so that no signal leaves it behind.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)
    child = subprocess.Popen(command, env=environment, close_fds=False)  # noqa: S603
    if is_over:
        child.terminate()
    status = child.wait()
    return 0 if is_over else status


def inherited_port() -> int:
    """Return the port of the socket that the first process bound."""
    with socket.socket(fileno=os.dup(int(os.environ["WERKZEUG_SERVER_FD"]))) as inherited:
        port: int = inherited.getsockname()[1]
        return port


def _not_built_yet(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
    raise RuntimeError("The process that owns the socket never answers a request")
