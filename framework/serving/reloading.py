"""The process that owns the socket, and starts the one that serves again after each change."""

import errno
import ipaddress
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterable, Mapping
from contextlib import closing
from typing import TYPE_CHECKING

from werkzeug.serving import make_server, select_address_family

# The status with which Werkzeug's reloader ends the process that serves.
_CHANGED = 3


if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


def restart_after_each_change(host: str, port: int) -> None:
    """Own the socket, and start the serving process again each time it ends after a change."""
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


def inherited_port() -> int:
    """Return the port of the socket that the first process bound."""
    with socket.socket(fileno=os.dup(int(os.environ["WERKZEUG_SERVER_FD"]))) as inherited:
        port: int = inherited.getsockname()[1]
        return port


def is_loopback(host: str) -> bool:
    """Return whether only this machine can reach an address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def url_of(host: str, port: int) -> str:
    """Write the URL of an address."""
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def require_free(host: str, port: int) -> None:
    """End the program with one line that says what to do if the address cannot be used."""
    try:
        with socket.socket(select_address_family(host, port), socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except OSError as error:
        raise SystemExit(_address_error(error, host, port)) from None


def _run_again(environment: Mapping[str, str]) -> int:
    """Run this program again as the serving process, and return its status.

    Werkzeug's own loop kills the serving process a quarter of a second after Ctrl-C, and at once
    after SIGTERM: the stop hooks would not run, or not run to their end.
    """
    command = [sys.executable, *sys.orig_argv[1:]]
    is_over = False

    def end(*_: object) -> None:
        nonlocal is_over
        is_over = True
        if child is not None:
            child.terminate()

    child: subprocess.Popen[bytes] | None = None
    # The handlers are set before the child starts, so that no signal leaves the child running.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)
    child = subprocess.Popen(command, env=environment, close_fds=False)  # noqa: S603
    if is_over:
        child.terminate()
    status = child.wait()
    return 0 if is_over else status


def _not_built_yet(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
    raise RuntimeError("The process that owns the socket never answers a request")


def _address_error(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        remedy = f"stop the program that uses it, or choose another port (such as {port + 1})"
    elif error.errno == errno.EACCES:
        remedy = "choose a port of 1024 or more"
    else:
        remedy = "serve on an address of this machine, such as 127.0.0.1"
    return f"Cannot serve on {host!r}, port {port}: {error.strerror}. Fix: {remedy}."
