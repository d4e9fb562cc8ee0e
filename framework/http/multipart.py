"""A multipart body in pieces that the parser cannot misread (RFC 2046, 5.1.1)."""

import re
from typing import IO

# How many bytes are read at once.
_PIECE = 64 * 1024
# RFC 2046 allows 70 characters.
_LONGEST_BOUNDARY = 1000
# A line of a boundary may go on with spaces.
_LONGEST_LINE = 4000

# The rest of a line after a boundary, as far as the line has arrived; the group is the line's end.
_REST = re.compile(rb"-{0,2}[^\S\r\n]*(?:\r?(\n)|\r?)")
_LINE_BREAKS = (b"\r\n", b"\r", b"\n")


def piece_size(memory: int | None, boundary: bytes) -> int:
    """Return how many bytes to read at once, for a parser that keeps `memory` bytes of a field."""
    if memory is None:
        return _PIECE
    # The parser counts a piece of a file as memory of a field until the piece is written, and the
    # beginning of a boundary line may be read twice.
    return max(min(_PIECE, memory // 2 - 2 * len(boundary) - 16), 1)


class WholeLines:
    """Read a stream in pieces that never end inside a boundary line.

    A parser that gets half of such a line has to guess whether the line break before the boundary
    belongs to the content, and a wrong guess changes an uploaded file.
    """

    def __init__(self, stream: IO[bytes], boundary: bytes) -> None:
        if len(boundary) > _LONGEST_BOUNDARY:
            raise ValueError(f"its boundary is longer than {_LONGEST_BOUNDARY} characters")
        self._stream = stream
        self._line = b"--" + boundary
        self._kept = b""

    def read(self, size: int) -> bytes:
        """Read about `size` bytes; an empty result means the end of the stream."""
        while True:
            more = self._stream.read(size)
            data = self._kept + more
            end = self._decided(data) if more else len(data)
            self._kept = data[end:]
            if end or not more:
                return data[:end]
            if len(self._kept) > _LONGEST_LINE + len(self._line):
                raise ValueError(f"a boundary line is longer than {_LONGEST_LINE} characters")

    def _decided(self, data: bytes) -> int:
        """Return the number of bytes before a boundary line that has not arrived completely."""
        last = data.rfind(self._line)
        rest = _REST.fullmatch(data, last + len(self._line)) if last >= 0 else None
        if rest is not None and rest[1]:
            return len(data)
        start = self._start_at_the_end(data) if rest is None else last
        for line_break in _LINE_BREAKS:
            if data.endswith(line_break, 0, start):
                return start - len(line_break)
        return start

    def _start_at_the_end(self, data: bytes) -> int:
        """Return the index of an incomplete boundary at the data's end, or the data's length."""
        line = self._line
        start = data.find(b"-", max(len(data) - len(line) + 1, 0))
        while start >= 0 and not line.startswith(data[start:]):
            start = data.find(b"-", start + 1)
        return start if start >= 0 else len(data)
