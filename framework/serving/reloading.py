"""The first process, which owns the socket and starts the serving process after each change."""

import errno
import ipaddress
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterable, Mapping
from contextlib import closing
from typing import TYPE_CHECKING, Any

from werkzeug.serving import make_server, select_address_family

try:
    import termios
# Windows has no such module, and no such settings.
except ImportError:
    termios = None  # type: ignore[assignment]  # not on Windows

CHANGED = 3
"""The status with which the serving process ends after a change."""

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
        status = _run_until_the_end(environment)
    sys.exit(status)


def inherited_socket() -> int:
    """Return the file descriptor of the socket that the first process bound."""
    return int(os.environ["WERKZEUG_SERVER_FD"])


def inherited_port() -> int:
    """Return the port of the socket that the first process bound."""
    with socket.socket(fileno=os.dup(inherited_socket())) as inherited:
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
    """Return the URL of an address."""
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def require_free(host: str, port: int) -> None:
    """End the program with a message and a remedy if the address cannot be used."""
    try:
        with socket.socket(select_address_family(host, port), socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except OSError as error:
        raise SystemExit(_address_error(error, host, port)) from None


def _run_until_the_end(environment: Mapping[str, str]) -> int:
    """Run this program as the serving process, again after each change; return the exit status.

    This function replaces Werkzeug's own loop. That loop kills the serving process a quarter of a
    second after Ctrl-C, and at once after SIGTERM, so that stop hooks do not run or do not finish.
    """
    command = [sys.executable, *sys.orig_argv[1:]]
    is_over = threading.Event()
    child: subprocess.Popen[bytes] | None = None

    def end(*_: object) -> None:
        is_over.set()
        if child is not None:
            child.terminate()

    # The handlers are set before the child starts, so that no signal leaves the child running.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)
    status, terminal = CHANGED, _terminal()
    while status == CHANGED and not is_over.is_set():
        # The command is that of this process: no text of a user is in it.
        child = subprocess.Popen(command, env=environment, close_fds=False)  # noqa: S603
        if is_over.is_set():
            child.terminate()
        status = child.wait()
        _restore(terminal)
    return 0 if is_over.is_set() else status


def _terminal() -> list[Any] | None:
    """Return the settings of the terminal, which a debugger in the serving process can change."""
    if termios is None or not sys.stdin or not sys.stdin.isatty():
        return None
    return termios.tcgetattr(sys.stdin)


def _restore(terminal: list[Any] | None) -> None:
    if terminal is not None and termios is not None:
        # A process in the background would be stopped when it changes its terminal.
        before = signal.signal(signal.SIGTTOU, signal.SIG_IGN)
        termios.tcsetattr(sys.stdin, termios.TCSANOW, terminal)
        signal.signal(signal.SIGTTOU, before)


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
