"""Where to serve: which addresses can be had, and how they are written."""

import errno
import ipaddress
import socket

from werkzeug.serving import select_address_family


def is_loopback(host: str) -> bool:
    """Tell whether only this machine can reach an address."""
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
    """End with one line that says what to do if the address cannot be had."""
    try:
        with socket.socket(select_address_family(host, port), socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except OSError as error:
        raise SystemExit(_address_trouble(error, host, port)) from None


def _address_trouble(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        remedy = f"stop the program that uses it, or choose another port (such as {port + 1})"
    elif error.errno == errno.EACCES:
        remedy = "choose a port from 1024 on"
    else:
        remedy = "serve on an address of this machine, such as 127.0.0.1"
    return f"Cannot serve on {host!r}, port {port}: {error.strerror}. To mend it: {remedy}."
