"""Functions that are decorated as handlers, but are not methods of a controller."""

import sys
from collections.abc import Iterator
from types import FunctionType

from framework.decorators import ROUTES
from framework.lints.program import Program
from framework.report import Report
from framework.types.members import tag_of


def note_functions(program: Program, report: Report) -> None:
    """Report functions with a decorator such as `@get` outside classes: no request reaches them."""
    for name in dict.fromkeys(target.__module__ for target in program.classes):
        for function in _functions(name):
            report.at(function).note(
                f"{function.__name__}() is decorated as a handler, but it is not a method of a"
                " controller, so no request reaches it",
                'Make it a method of a class, as in @controller("/") class Pages, and give the'
                " class to Application.",
            )


def _functions(module: str) -> Iterator[FunctionType]:
    for value in tuple(vars(sys.modules.get(module, sys)).values()):
        if type(value) is not FunctionType or value.__module__ != module:
            continue
        takes = value.__code__.co_varnames[: value.__code__.co_argcount]
        # A program may put a function whose first parameter is `self` into a class later.
        if tag_of(value, ROUTES) and takes[:1] != ("self",) and "." not in value.__qualname__:
            yield value
