"""Methods that promise a value but return None, most often because `return` is missing."""

import ast
import dis
import inspect
import linecache
import re
import textwrap
from collections.abc import Callable, Iterator
from types import CodeType, FunctionType

from framework.report import Mistake, Place, readable_path
from framework.types.endless import never_ends
from framework.types.returns import promise_of

_RETURN = dis.opmap["RETURN_VALUE"]
_RETURN_CONSTANT = dis.opmap.get("RETURN_CONST", -1)
_LOAD_CONSTANT = dis.opmap["LOAD_CONST"]
_LONG_ARGUMENT = dis.opmap["EXTENDED_ARG"]
# The instructions of a function that only returns None.
_LONGEST_STUB = len((lambda: None).__code__.co_code)
_STUB = re.compile(r"(?:^|:)\s*(?:\.\.\.|pass)\s*$")
_GENERATORS = inspect.CO_GENERATOR | inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR


def forgotten_return(function: Callable[..., object]) -> Mistake | None:
    """Return a `Mistake` if a method never returns a value, but seems to need one."""
    if not isinstance(function, FunctionType) or not _seems_to_return_nothing(function.__code__):
        return None
    written = promise_of(function).value
    is_silent = "return" not in function.__annotations__
    body = _body_without_value(function, none_is_value=True) if written or is_silent else []
    if not body or (is_silent and not _ends_in_unused_value(body)):
        return None
    what = f"{_shown(function, written)} never returns a value"
    return Mistake(what, _remedy(body, function.__code__))


def forgotten_verdict(function: Callable[..., object]) -> Mistake | None:
    """Return a `Mistake` if a guard's check never returns a value.

    The annotation of the check does not matter, because only True lets a request pass.
    """
    found = forgotten_return(function)
    if found is not None or not isinstance(function, FunctionType):
        return found
    if not _seems_to_return_nothing(function.__code__):
        return None
    if not _body_without_value(function, none_is_value=False):
        return None
    return Mistake(
        f"{_shown(function, None, 'the check')} never returns True, but only True lets a request"
        " pass",
        "Write return True at the end of the check. A check that refuses every request ends with"
        " raise Forbidden, or with abort(403).",
    )


def note_forgotten_return(function: Callable[..., object], here: Place) -> None:
    """Report a method that never returns a value, but seems to need one."""
    found = forgotten_return(function)
    if found is not None:
        here.note(found.what, found.remedy)


def _shown(function: FunctionType, written: str | None, what: str = "the method") -> str:
    code = function.__code__
    if hasattr(function, "__wrapped__"):
        place = f"{readable_path(code.co_filename)}:{code.co_firstlineno}"
        return f"{code.co_name}() ({place}), which a decorator puts around the method,"
    return f"{what} is annotated to return {written}, but it" if written else what


def _seems_to_return_nothing(code: CodeType) -> bool:
    """Return whether every `return` of a function seems to return None.

    To read the source of every handler would make start-up slow. So the source is read only for the
    few methods for which the result is True.
    """
    if code.co_flags & _GENERATORS:
        return False
    ends = list(_constants_returned(code))
    return bool(ends) and all(index is not None and code.co_consts[index] is None for index in ends)


def _is_stub(code: CodeType) -> bool:
    """Return whether the last line of a function shows that the function is `...` or `pass`.

    If the result is True, the caller does not have to read the whole source, which is slow.
    """
    if len(code.co_code) > _LONGEST_STUB:
        return False
    last = max(line for _, _, line in code.co_lines() if line is not None)
    return _STUB.search(linecache.getline(code.co_filename, last)) is not None


def _constants_returned(code: CodeType) -> Iterator[int | None]:
    """Yield, for each `return`, the index of the returned constant; None for any other value."""
    operations, arguments = code.co_code[::2], code.co_code[1::2]
    for wanted, before in ((_RETURN, 1), (_RETURN_CONSTANT, 0)):
        at = operations.find(wanted) if wanted >= 0 else -1
        while at >= 0:
            loads = at - before
            is_constant = before == 0 or operations[loads] == _LOAD_CONSTANT
            is_short = loads < 1 or operations[loads - 1] != _LONG_ARGUMENT
            yield arguments[loads] if is_constant and is_short else None
            at = operations.find(wanted, at + 1)


def _body_without_value(function: FunctionType, *, none_is_value: bool) -> list[ast.stmt]:
    """Return the statements of a function that never returns a value; otherwise an empty list.

    With `none_is_value`, `return None` counts as returning a value.
    """
    if _is_stub(function.__code__):
        return []
    body = _body(function)
    returned = [ast.unparse(one.value) if one.value else "" for one in _returns(body)]
    nothing = ("",) if none_is_value else ("", "None")
    if any(text not in nothing for text in returned):
        return []
    return [] if not returned and never_ends(body, function) else body


def _body(function: FunctionType) -> list[ast.stmt]:
    """Return the statements of a function; the list is empty for a stub or without the source."""
    try:
        (read,) = ast.parse(textwrap.dedent(inspect.getsource(function.__code__))).body
    # A function that is made at run time, or in a shell, has no source file.
    except (OSError, TypeError, SyntaxError, ValueError):
        return []
    body: list[ast.stmt] = getattr(read, "body", [])
    is_stub = all(isinstance(one, ast.Pass) or _constant(one) in (..., None) for one in body[1:])
    first = body[0] if body else None
    is_empty = isinstance(first, ast.Pass) or _constant(first) is ...
    is_documented = len(body) > 1 and isinstance(_constant(first), str)
    return [] if is_stub and (is_empty or is_documented) else body


def _returns(body: list[ast.stmt]) -> Iterator[ast.Return]:
    """Yield each `return` of a function."""
    waiting: list[ast.AST] = [*body]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Return):
            yield node
        # The functions inside have returns of their own.
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef):
            waiting += ast.iter_child_nodes(node)


def _ends_in_unused_value(body: list[ast.stmt]) -> bool:
    """Return whether the last statement is a value that nothing uses, such as a text or a dict."""
    last = body[-1] if len(body) > 1 or not isinstance(_constant(body[0]), str) else None
    return isinstance(last, ast.Expr) and isinstance(
        last.value, ast.Constant | ast.JoinedStr | ast.Dict | ast.List | ast.Tuple
    )


def _constant(statement: ast.stmt | None) -> object:
    """Return the constant if a statement is only a constant, such as a docstring; else False."""
    value = statement.value if isinstance(statement, ast.Expr) else None
    return value.value if isinstance(value, ast.Constant) else False


def _remedy(body: list[ast.stmt], code: CodeType) -> str:
    last = body[-1]
    if not isinstance(last, ast.Expr):
        return "Write return and the value at the end of the method, or annotate it with -> None."
    line = code.co_firstlineno + last.lineno - 1
    written = " ".join(ast.unparse(last).split())
    shown = written if len(written) <= 60 else f"{written[:57]}..."
    return f"Write return in line {line}: return {shown}"
