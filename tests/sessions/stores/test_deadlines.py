"""The thread that ends calls whose driver would wait too long."""

import os
import socket
import threading
import time
from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from sessions.stores import deadlines as module
from sessions.stores.deadlines import Deadlines
from tests.support.processes import wait_until


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Give the two ends of a connection."""
    ours, theirs = socket.socketpair()
    ours.settimeout(5)
    with ours, theirs:
        yield ours, theirs


def watching() -> int:
    """Return the number of threads that watch calls."""
    return sum(thread.name == "session-deadlines" for thread in threading.enumerate())


def test_a_call_past_its_deadline_is_interrupted(pair: tuple[socket.socket, socket.socket]) -> None:
    """A part of the reply keeps nobody waiting for the rest."""
    ours, theirs = pair
    theirs.sendall(b"a part")
    began = time.monotonic()

    def read_all() -> None:
        with Deadlines().within(SimpleNamespace(_sock=ours), 0.1):
            while ours.recv(1):
                pass

    with pytest.raises(TimeoutError, match="no complete reply in time"):
        read_all()
    assert time.monotonic() - began < 2


def test_a_call_within_its_deadline_keeps_its_socket(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    """The call within a call has its own deadline."""
    ours, theirs = pair
    deadlines, connection = Deadlines(), SimpleNamespace(_sock=ours)

    with deadlines.within(connection, 60):
        for _ in range(3):
            with deadlines.within(connection, 60):
                theirs.sendall(b"whole")
                assert ours.recv(5) == b"whole"

    theirs.sendall(b"more")
    assert ours.recv(4) == b"more"


@pytest.mark.parametrize("has_socket", [False, True])
def test_a_call_that_is_not_connected_yet_is_late_later(
    pair: tuple[socket.socket, socket.socket], has_socket: bool
) -> None:
    """The driver has no socket yet, or the one before a handshake of TLS, which is of no use."""
    ours, _ = pair
    before = socket.socket()
    os.close(before.detach())
    connection = SimpleNamespace(_sock=before if has_socket else None)
    began = time.monotonic()

    def connect_and_read() -> None:
        with Deadlines().within(connection, 0.01):
            time.sleep(0.2)
            connection._sock = ours
            ours.recv(1)

    with pytest.raises(TimeoutError):
        connect_and_read()
    assert time.monotonic() - began < 3


def test_the_thread_ends_after_the_last_call(
    monkeypatch: pytest.MonkeyPatch, pair: tuple[socket.socket, socket.socket]
) -> None:
    """A program that is idle has no thread of the store; the next call starts one again."""
    monkeypatch.setattr(module, "_IDLE", 0.1)
    wait_until(lambda: watching() == 0)
    deadlines, connection = Deadlines(), SimpleNamespace(_sock=pair[0])

    for _ in range(2):
        deadlines.end(deadlines.begin(connection, 60))
        assert watching() == 1
        wait_until(lambda: watching() == 0)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_child_watches_its_own_calls() -> None:
    """Threads do not survive a fork."""
    ours, theirs = socket.socketpair()
    shared = module.deadlines
    call = shared.begin(SimpleNamespace(_sock=ours), 60)
    child = os.fork()
    if child == 0:
        try:
            with shared.within(SimpleNamespace(_sock=theirs), 0.1):
                theirs.recv(1)
        except TimeoutError:
            os._exit(0 if not shared.end(call) else 2)
        os._exit(1)

    _, status = os.waitpid(child, 0)
    assert shared.end(call)
    assert os.waitstatus_to_exitcode(status) == 0
    for each in (ours, theirs):
        each.close()
