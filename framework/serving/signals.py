"""Ctrl-C and SIGTERM: the signals that end the development server."""

import select
import signal
import socket
from types import FrameType
from typing import Any

_NUMBERS = (signal.SIGINT, signal.SIGTERM)


class EndSignals:
    """Remember the first Ctrl-C or SIGTERM, so that the main thread can end in the right order.

    Until `only_note` is called, the first signal also interrupts the main thread, because the
    application's code can run for a long time. After the first signal, only another Ctrl-C
    interrupts.
    """

    def __init__(self) -> None:
        self.came = False
        """Whether a signal came."""
        self._interrupts = True
        # A socket wakes `wait` at once; a lock in a signal handler could wait for itself.
        self._woken, self._waking = socket.socketpair()
        self._before: dict[signal.Signals, Any] = {}

    def listen(self) -> None:
        """Handle the signals from now on."""
        self._before = {number: signal.signal(number, self._note) for number in _NUMBERS}

    def restore(self) -> None:
        """Restore the signal handlers from before `listen`."""
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def only_note(self) -> None:
        """Stop interrupting the main thread, because the main thread now calls `wait`."""
        self._interrupts = False

    def wait(self, seconds: float | None) -> bool:
        """Wait for a signal, and return whether a signal came; None sets no limit."""
        select.select([self._woken], [], [], 0 if self.came else seconds)
        return self.came

    def _note(self, number: int, _: FrameType | None) -> None:
        # The first process passes a signal on, so that one Ctrl-C arrives here twice: the second
        # time as SIGTERM. Only a person sends SIGINT again.
        if self.came and number != signal.SIGINT:
            return
        is_again, self.came = self.came, True
        if is_again or self._interrupts:
            raise KeyboardInterrupt
        self._waking.send(b"!")
