"""A connection of redis-py that sends one command at a time, and reads the reply to the command.

redis-py opens the connection and sends the first commands. For all later commands, redis-py would
be slow: it would take more time than all other Python code of a call. So over a plain socket, this
module sends these commands and reads the replies itself, with the parser of hiredis.
"""

import select
import socket
import struct
from contextlib import suppress
from typing import Any

from redis.connection import DefaultParser
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import InvalidResponse
from redis.exceptions import TimeoutError as RedisTimeoutError

from sessions.stores.deadlines import socket_of


def _parser() -> Any:
    """Return the module hiredis; None without it, and on Windows, where `select` has no `poll`."""
    try:
        import hiredis
    except ImportError:
        return None
    return hiredis if hasattr(select, "poll") else None


hiredis = _parser()

_BUFFER = 16 * 1024
_LONGEST_WAIT = struct.pack("ll", 1, 0)
"""The second after which the system ends a wait, if no thread ended the call earlier (timeval)."""
_CLOSED = "the server has closed the connection"
_NO_REPLY = False
"""What the parser returns for an incomplete reply; the server never sends this value."""


class Exchange:
    """Send one command at a time over a connection of redis-py, and read the reply."""

    def __init__(self, connection: Any) -> None:
        self.connection = connection
        self._socket: Any = None
        self._reader: Any = None
        self._poll: Any = None
        self._buffer = bytearray(_BUFFER)

    def ask(self, command: tuple[Any, ...]) -> Any:
        """Send a command, and return the reply; raise the errors of redis-py.

        The caller must close the connection after an error that is no ResponseError. Then the next
        call of this method opens the connection again.
        """
        connection = self.connection
        used = socket_of(connection)
        if used is None:
            connection.connect()
            used = socket_of(connection)
        if used is not self._socket:
            try:
                self._begin(used)
            # Another thread can close the store, and so the new connection.
            except (OSError, ValueError) as error:
                raise RedisConnectionError(_CLOSED) from error
        if self._reader is None:
            connection.send_packed_command(connection.pack_command(*command), check_health=False)
            return connection.read_response()
        try:
            used.sendall(hiredis.pack_command(command))
            reply = self._reply(used)
        except (BlockingIOError, TimeoutError) as error:
            raise RedisTimeoutError("the server did not answer in time") from error
        except OSError as error:
            raise RedisConnectionError(f"the connection broke: {error}") from error
        if isinstance(reply, Exception):
            raise reply
        return reply

    def is_usable(self) -> bool:
        """Return whether the next call can use the connection.

        A closed connection is usable, because it opens itself. An open connection is usable if
        there is nothing to read from it.
        """
        used = socket_of(self.connection)
        if used is None:
            return True
        if self._reader is not None:
            return not (self._reader.has_data() or self._poll.poll(0))
        try:
            return not self.connection.can_read(0)
        except RedisConnectionError:
            return False

    def disconnect(self) -> None:
        """Close the connection."""
        self.connection.disconnect()

    def _begin(self, used: Any) -> None:
        """Prepare for the replies over a new connection."""
        self._socket, self._reader = used, None
        if not self.is_usable():
            raise RedisConnectionError("the server sent more than its replies")
        # Over TLS, the socket itself can hold data that the system no longer has.
        if hiredis is None or type(used) is not socket.socket:
            return
        self._reader = hiredis.Reader(
            protocolError=InvalidResponse, replyError=DefaultParser.parse_error
        )
        self._poll = select.poll()
        self._poll.register(used, select.POLLIN)
        # A timeout of Python makes each send and each read call `poll` first. It stays only if the
        # system does not have these options.
        with suppress(OSError):
            used.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, _LONGEST_WAIT)
            used.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, _LONGEST_WAIT)
            used.settimeout(None)

    def _reply(self, used: Any) -> Any:
        reader, buffer = self._reader, self._buffer
        while True:
            size = used.recv_into(buffer)
            if not size:
                raise RedisConnectionError(_CLOSED)
            reader.feed(buffer, 0, size)
            reply = reader.gets()
            if reply is not _NO_REPLY:
                return reply
