"""Read the compiled code of a function to find the HTTP errors that the function itself raises.

Only `raise` and `abort` in the function are seen, not the errors of functions that it calls.
"""

import dis
import inspect
from collections.abc import Callable, Iterator, Sequence
from enum import EnumMeta
from types import FunctionType
from typing import Any

from werkzeug.exceptions import HTTPException, abort, default_exceptions

from framework.types.members import value_of_name

_RAISE = "RAISE_VARARGS"
_LOADS_NAME = ("LOAD_GLOBAL", "LOAD_NAME", "LOAD_DEREF")
_LOADS_ATTRIBUTE = ("LOAD_ATTR", "LOAD_METHOD")
_LOADS_NUMBER = ("LOAD_CONST", "LOAD_SMALL_INT")
# Python has instructions around a call that load no value of the user.
_NO_VALUE = ("PUSH_NULL", "PRECALL", "CACHE", "NOP", "RESUME")


def errors_raised(function: Callable[..., object]) -> Iterator[type[HTTPException]]:
    """Yield the types of the HTTP errors that a function raises."""
    inner: Any = inspect.unwrap(getattr(function, "__func__", function))
    inner = getattr(inner, "__func__", inner)
    if not isinstance(inner, FunctionType):
        return
    code = inner.__code__
    # Most functions have neither `raise` nor `abort`, and to list the instructions takes time.
    if dis.opmap[_RAISE] not in code.co_code[::2] and "abort" not in code.co_names:
        return
    steps = [step for step in dis.get_instructions(code) if step.opname not in _NO_VALUE]
    for at, step in enumerate(steps):
        found = _raised(steps, step, inner) if step.opname == _RAISE else _aborted(steps, at, inner)
        is_error = isinstance(found, type) and issubclass(found, HTTPException)
        if is_error and (found.code or 0) >= 400:
            yield found


def _raised(steps: Sequence[dis.Instruction], step: dis.Instruction, function: FunctionType) -> Any:
    """Return the class that a `raise` raises; `step` is an instruction of the statement."""
    start, end = _span(step)
    at = next(at for at, other in enumerate(steps) if start <= _span(other)[0] <= end)
    return _value(steps, at, function)[0]


def _aborted(steps: Sequence[dis.Instruction], at: int, function: FunctionType) -> Any:
    """Return the error of `abort` if a call of `abort` begins at this instruction, or None."""
    called, after = _value(steps, at, function)
    if called is not abort or after >= len(steps):
        return None
    status, _ = _value(steps, after, function)
    return default_exceptions.get(int(status)) if isinstance(status, int) else None


def _span(step: dis.Instruction) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return where the source code of an instruction starts and ends; zeros if it is unknown."""
    places = step.positions or dis.Positions()
    start = (places.lineno or 0, places.col_offset or 0)
    return start, (places.end_lineno or 0, places.end_col_offset or 0)


def _value(steps: Sequence[dis.Instruction], at: int, function: FunctionType) -> tuple[Any, int]:
    """Return the value that the code at index `at` loads, and the index of the next instruction.

    The code loads a number or `a.b.c`. A value that is known only at run time is None.
    """
    step, after = steps[at], at + 1
    if step.opname in _LOADS_NUMBER:
        return step.argval, after
    found = value_of_name(step.argval, function) if step.opname in _LOADS_NAME else None
    while found is not None and after < len(steps) and steps[after].opname in _LOADS_ATTRIBUTE:
        name = steps[after].argval
        is_enum = isinstance(found, EnumMeta)
        members: Any = found.__members__ if is_enum else {}
        found = members.get(name) or inspect.getattr_static(found, name, None)
        after += 1
    return found, after
