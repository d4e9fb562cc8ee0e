"""What start-up found wrong, and the report that says so."""

import inspect
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

_PLACE = re.compile(r"\((?P<file>[^()]*):(?P<line>\d+)\)$")


@dataclass(frozen=True)
class Problem:
    """Name one mistake: where it is, what is wrong and what to do about it."""

    where: str
    what: str
    remedy: str


class StartupError(Exception):
    """Tell every mistake that keeps an application from starting."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        # A handler of two routes has its problems twice.
        self.problems = tuple(sorted(dict.fromkeys(problems), key=_place))
        super().__init__(_report(self.problems))


class NotProvided(KeyError):
    """Tell that nothing provides a component, and what to do about it."""

    def __init__(self, what: str, remedy: str) -> None:
        super().__init__(what)
        self.what = what
        self.remedy = remedy


class AlreadyReported(KeyError):
    """Tell that a component is missing because of a problem that is in the report."""


def setting_problems(where: str, settings: Iterable[str]) -> list[Problem]:
    """Turn what is wrong with settings, each as `fact; remedy`, into problems."""
    found = (text.partition("; ") for text in settings)
    return [Problem(where, what, _sentence(remedy)) for what, _, remedy in found]


def numbered(problems: Iterable[Problem]) -> str:
    """List problems in full, a block each."""
    return "\n\n".join(
        f"{number}. {problem.where}\n"
        f"   {_indented(problem.what)}\n"
        f"   To mend it: {_indented(problem.remedy)}"
        for number, problem in enumerate(problems, 1)
    )


def location(target: Any) -> str:
    """Describe where a class or function is defined, as `Class.method (file:line)`.

    A function wrapped with `functools.wraps` is described by what it wraps.
    """
    inner = inspect.unwrap(target)
    name = getattr(inner, "__qualname__", None)
    if name is None:
        return repr(target)
    place = _definition(inner)
    short = name.rpartition("<locals>.")[2]
    return f"{short} ({place})" if place else short


def _sentence(remedy: str) -> str:
    return f"{remedy[:1].upper()}{remedy[1:]}." if remedy else "Correct the setting."


def _definition(target: Any) -> str:
    code = getattr(target, "__code__", None)
    if code is not None:
        return f"{_readable_path(code.co_filename)}:{code.co_firstlineno}"
    try:
        file = inspect.getsourcefile(target)
        line = inspect.findsource(target)[1] + 1
    # Classes made at run time, in a shell or in C have no source to point at.
    except (OSError, TypeError):
        return ""
    return f"{_readable_path(file or '?')}:{line}"


def _readable_path(path: str) -> str:
    here = os.getcwd() + os.sep
    return path.removeprefix(here)


def _place(problem: Problem) -> tuple[str, int]:
    match = _PLACE.search(problem.where)
    return (match["file"], int(match["line"])) if match else ("", 0)


def _report(problems: tuple[Problem, ...]) -> str:
    count = "1 problem keeps" if len(problems) == 1 else f"{len(problems)} problems keep"
    return f"{count} the application from starting:\n\n{numbered(problems)}"


def _indented(text: str) -> str:
    return text.replace("\n", "\n   ")
