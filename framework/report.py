"""Mistakes of a program: code adds each mistake where it finds it, and start-up shows all at once.

This is the only way to report a mistake. Code that cannot go on raises `Mistake`: a block
`with report.at(where)` adds the mistake to the report, and the code after the block runs. Code that
can go on calls `note`, which adds a mistake to the report.
"""

import inspect
import os
import re
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from types import FunctionType, TracebackType
from typing import Any

_PLACE = re.compile(r"\((?P<file>[^()]*):(?P<line>\d+)\)$")

_OURS = os.path.join(os.path.dirname(__file__), "")
_ADDRESS = re.compile(r" object at 0x[0-9a-fA-F]+")


class Mistake(Exception):
    """A mistake: what is wrong with a program, and what to do about it.

    `where` is empty until the mistake is in a report.
    """

    def __init__(self, what: str, remedy: str, *, where: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.remedy = remedy
        self.where = where

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Mistake) and self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)

    def __repr__(self) -> str:
        return f"Mistake({self.what!r}, {self.remedy!r}, where={self.where!r})"

    @property
    def _key(self) -> tuple[str, str, str]:
        return self.where, self.what, self.remedy


class Reported(Exception):
    """Something cannot be made because of a mistake that the report already has."""


class StartupError(Exception):
    """Stop start-up, and show every mistake that was found."""

    def __init__(self, mistakes: Iterable[Mistake]) -> None:
        self.mistakes = tuple(sorted(dict.fromkeys(mistakes), key=_position))
        super().__init__(_message(self.mistakes))

    @property
    def problems(self) -> tuple[Mistake, ...]:
        """Return the mistakes, under the earlier name `problems`."""
        return self.mistakes


class Report:
    """Collect the mistakes of a program; a mistake that is found twice is kept once."""

    def __init__(self) -> None:
        self._mistakes: dict[Mistake, None] = {}

    @property
    def mistakes(self) -> Sequence[Mistake]:
        """Return the mistakes in the order in which they were found."""
        return tuple(self._mistakes)

    def at(self, where: object) -> "Place":
        """Return a place that reports mistakes; `where` is a text, a class or a function."""
        return Place(self, where)

    def note(self, where: str, what: str, remedy: str) -> None:
        """Add a mistake to the report."""
        self._mistakes[Mistake(what, remedy, where=where)] = None

    def raise_mistakes(self) -> None:
        """Raise StartupError if there is a mistake."""
        if self._mistakes:
            raise StartupError(self._mistakes)


class Place:
    """Add the mistakes of one place to the report, including those raised in its `with` block."""

    def __init__(self, report: Report, where: object) -> None:
        self._report = report
        self._where = where
        self.is_clean = True
        """Whether no mistake was noted through this place."""

    @property
    def where(self) -> str:
        """Return the place as the report writes it."""
        # To find the line of a class, Python reads its file, so this is done only for a mistake.
        return self._where if isinstance(self._where, str) else location(self._where)

    def note(self, what: str, remedy: str) -> None:
        """Add a mistake to the report, and go on."""
        self.is_clean = False
        self._report.note(self.where, what, remedy)

    def require_clean(self) -> None:
        """Raise `Reported` if this place has added a mistake to the report."""
        if not self.is_clean:
            raise Reported

    def __enter__(self) -> "Place":
        return self

    def __exit__(
        self, kind: object, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        if isinstance(error, Mistake):
            self.note(error.what, error.remedy)
            return True
        if isinstance(error, Reported):
            self.is_clean = False
            return True
        return False


def mistakes_of_settings(settings: Iterable[str]) -> list[Mistake]:
    """Return a `Mistake` for each text about a setting; a text is written `fact. Fix: remedy`."""
    found = (text.partition(". Fix: ") for text in settings)
    return [Mistake(what, _sentence(remedy)) for what, _, remedy in found]


def numbered(mistakes: Iterable[Mistake]) -> str:
    """Return the text of all mistakes, one block for each mistake."""
    return "\n\n".join(_block(number, mistake) for number, mistake in enumerate(mistakes, 1))


def did_you_mean(name: str, candidates: Sequence[str]) -> str:
    """Return the end of a sentence that suggests a similar candidate; empty if none is similar."""
    close = similar(name, candidates)
    return f"; did you mean {close!r}?" if close else ""


def similar(name: str, candidates: Sequence[str]) -> str | None:
    """Return the candidate that is most similar to a name; None if no candidate is similar."""
    return next(iter(get_close_matches(name, candidates, n=1)), None)


def location(target: Any) -> str:
    """Return where a class or function is defined, as `Class.method (file:line)`.

    For a function made with `functools.wraps`, the result describes the original function.
    """
    inner = unwrapped(target)
    name = getattr(inner, "__qualname__", None)
    if name is None:
        return repr(target)
    place = _definition(inner)
    short = name.rpartition("<locals>.")[2]
    return f"{short} ({place})" if place else short


def unwrapped(target: Any) -> Any:
    """Return the original function of a function that was made with `functools.wraps`."""
    # Most functions are plain ones, for which this is much faster.
    is_plain = type(target) is FunctionType and "__wrapped__" not in target.__dict__
    return target if is_plain else inspect.unwrap(target)


def call_site() -> str:
    """Return where the program has called the framework, as `(file:line)`; empty if unknown."""
    frame = inspect.currentframe()
    while frame is not None and frame.f_code.co_filename.startswith(_OURS):
        frame = frame.f_back
    return f" ({readable_path(frame.f_code.co_filename)}:{frame.f_lineno})" if frame else ""


def short_repr(value: object) -> str:
    """Return the `repr` of an object, without `<` and `>` and without the address in memory."""
    return _ADDRESS.sub("", repr(value)).removeprefix("<").removesuffix(">")


def readable_path(path: str) -> str:
    """Return the path of a file, relative to the current folder if the file is below it."""
    here = os.getcwd() + os.sep
    return path.removeprefix(here)


def _sentence(remedy: str) -> str:
    return f"{remedy[:1].upper()}{remedy[1:]}." if remedy else "Correct the setting."


def _definition(target: Any) -> str:
    code = getattr(target, "__code__", None)
    if code is not None:
        return f"{readable_path(code.co_filename)}:{code.co_firstlineno}"
    try:
        file = inspect.getsourcefile(target)
        line = inspect.findsource(target)[1] + 1
    # Classes made at run time, in a shell or in C have no source file.
    except (OSError, TypeError):
        return ""
    return f"{readable_path(file or '?')}:{line}"


def _position(mistake: Mistake) -> tuple[str, int]:
    match = _PLACE.search(mistake.where)
    return (match["file"], int(match["line"])) if match else ("", 0)


def _message(mistakes: tuple[Mistake, ...]) -> str:
    count = "1 mistake keeps" if len(mistakes) == 1 else f"{len(mistakes)} mistakes keep"
    return f"{count} the application from starting:\n\n{numbered(mistakes)}"


def _block(number: int, mistake: Mistake) -> str:
    start = f"{number}. "
    text = f"{mistake.where}\n{mistake.what}\nFix: {mistake.remedy}"
    return start + text.replace("\n", "\n" + " " * len(start))
