"""A TCP proxy that breaks the replies of a server in a way that a test chooses."""

import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

_READING = 0.001
"""Seconds in which a client reads the last bytes before a reset."""

Change = Callable[[bytes], tuple[bytes, bool]]
"""Takes bytes of a reply; returns what to pass on, and whether the connection goes on."""


def passing(data: bytes) -> tuple[bytes, bool]:
    """Pass all bytes on."""
    return data, True


def cut_after(count: int) -> Change:
    """Pass a number of bytes of the replies on, and then reset the connection."""
    left = count

    def cut(data: bytes) -> tuple[bytes, bool]:
        nonlocal left
        passed = data[:left]
        left -= len(passed)
        return passed, len(passed) == len(data)

    return cut


def doubled(data: bytes) -> tuple[bytes, bool]:
    """Pass each reply on twice."""
    return data * 2, True


def garbled(data: bytes) -> tuple[bytes, bool]:
    """Replace a reply by invalid bytes."""
    return b"\x00garbage\xff" * 3 + b"\r\n", True


class Proxy:
    """Listen on a port, and talk to the server for each client."""

    def __init__(self, port: int) -> None:
        self.change: Change = passing
        self.resets = False
        """Whether a connection ends with a reset."""
        self.pause = 0.0
        """Seconds between two bytes of a reply; with 0, the bytes are passed on together."""
        self._target = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._sockets: list[socket.socket] = []
        self._thread = threading.Thread(target=self._accept)
        self._thread.start()
        self._pumps: list[threading.Thread] = []

    def close(self) -> None:
        """End all connections and threads."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for each in list(self._sockets):
            _end(each, socket.SHUT_RDWR)
        for thread in [self._thread, *self._pumps]:
            thread.join(5)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
                server = socket.create_connection(("127.0.0.1", self._target))
            except OSError:
                return
            for each in (client, server):
                # Else a small part may wait for the receipt of the one before it.
                each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._sockets += [client, server]
            for source, target, is_reply in ((client, server, False), (server, client, True)):
                pump = threading.Thread(target=self._pump, args=(source, target, is_reply))
                self._pumps.append(pump)
                pump.start()

    def _pump(self, source: socket.socket, target: socket.socket, is_reply: bool) -> None:
        try:
            while data := source.recv(65536):
                passed, goes_on = self.change(data) if is_reply else (data, True)
                self._send(target, passed, is_reply)
                if not goes_on:
                    # A reset would take bytes away that the client has not read yet.
                    time.sleep(_READING if self.resets and passed else 0)
                    break
        except OSError:
            pass
        for one in (source, target):
            if self.resets:
                _reset(one)
            else:
                _end(one, socket.SHUT_RDWR)

    def _send(self, target: socket.socket, data: bytes, is_reply: bool) -> None:
        if not (is_reply and self.pause):
            target.sendall(data)
            return
        for byte in data:
            target.sendall(bytes((byte,)))
            time.sleep(self.pause)


@contextmanager
def proxy_to(port: int) -> Iterator[Proxy]:
    """Give a proxy in front of a port."""
    proxy = Proxy(port)
    try:
        yield proxy
    finally:
        proxy.close()


def _end(connection: socket.socket, how: int) -> None:
    with suppress(OSError):
        connection.shutdown(how)
    connection.close()


def _reset(connection: socket.socket) -> None:
    # With nothing to wait for, the end is a reset. Who reads here is woken, and sends nothing.
    with suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    _end(connection, socket.SHUT_RD)
