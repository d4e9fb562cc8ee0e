"""Functions that never return: they always raise an error, or call a function such as `abort`."""

import ast
import inspect
from collections.abc import Sequence
from types import FunctionType
from typing import Never, NoReturn

from framework.types.members import value_of_name
from framework.types.signatures import read_return


def never_ends(body: Sequence[ast.stmt], function: FunctionType) -> bool:
    """Return whether the statements always raise, or call a function that never returns."""
    return any(_stops(statement, function) for statement in body)


def _stops(statement: ast.stmt, function: FunctionType) -> bool:
    match statement:
        case ast.Raise():
            return True
        case ast.Expr(value=ast.Call(func=called)):
            return _is_endless(called, function)
        case ast.If(body=body, orelse=other):
            return never_ends(body, function) and never_ends(other, function)
        case ast.With(body=body) | ast.While(body=body):
            return never_ends(body, function)
        case ast.Match(cases=cases):
            return all(never_ends(case.body, function) for case in cases)
        case ast.Try(body=body, handlers=handlers, finalbody=final):
            answers = [never_ends(handler.body, function) for handler in handlers]
            return never_ends(final, function) or (never_ends(body, function) and all(answers))
    return False


def _is_endless(called: ast.expr, function: FunctionType) -> bool:
    """Return whether a called function is `abort`, or is annotated to return NoReturn or Never."""
    match called:
        case ast.Name(id="abort") | ast.Attribute(attr="abort"):
            return True
        case ast.Name(id=name):
            found = value_of_name(name, function)
        case ast.Attribute(value=ast.Name(id=name), attr=attribute):
            found = inspect.getattr_static(value_of_name(name, function), attribute, None)
        case _:
            return False
    inner = found.__func__ if isinstance(found, staticmethod | classmethod) else found
    return isinstance(inner, FunctionType) and read_return(inner) in (NoReturn, Never)
