"""Find replaced definitions in a source file: a later definition has the same name.

Python keeps only the last definition of a name, and says nothing about the others.
"""

import ast
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

Block = Sequence[ast.stmt]
# The branches that lead to a statement: each is a statement with blocks, and the number of a block.
Branches = tuple[tuple[int, int], ...]

Defining = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
# The beginning of a line that defines a name, gives a name a value, or begins a block.
_DEFINING = re.compile(
    rb"^(?P<indent>[ \t]*)(?:(?:async[ \t]+)?(?:def|class)[ \t]+(?P<defined>\w+)"
    rb"|(?:if|for|while|with|match|async|else|try|finally)\b"
    rb"|(?P<assigned>\w+)[ \t]*(?=[:=]))",
    re.MULTILINE,
)
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


@dataclass(frozen=True)
class Definition:
    """A definition of a name in a class, a function or a module."""

    name: str
    # The names of the class or function around it, such as `Shop.Orders`; empty in a module.
    scope: str
    # The first line, with the decorators: Python counts a function's lines from there.
    line: int
    branches: Branches
    # None if the name is bound in another way than by `def` or `class`.
    decorators: tuple[ast.expr, ...] | None
    is_class: bool = False

    @property
    def qualified_name(self) -> str:
        """Return the name as Python's `__qualname__`."""
        return f"{self.scope}.{self.name}" if self.scope else self.name

    def excludes(self, other: "Definition") -> bool:
        """Return whether only one of two definitions can run, as in the two branches of an `if`."""
        mine = dict(self.branches)
        return any(mine.get(node, branch) != branch for node, branch in other.branches)

    def always_follows(self, other: "Definition") -> bool:
        """Return whether this definition always runs after the other definition."""
        return other.branches[: len(self.branches)] == self.branches


@dataclass(frozen=True)
class Replaced:
    """Two definitions of the same name: the second definition replaces the first."""

    first: Definition
    second: Definition


def replaced_in(file: str) -> tuple[Replaced, ...]:
    """List the replaced definitions of a source file; a file that cannot be read has none."""
    try:
        state = os.stat(file)
    except (OSError, ValueError):
        return ()
    return _replaced_in(file, state.st_mtime_ns, state.st_size)


# The answers are kept, because tests start one application many times.
@lru_cache(maxsize=1024)
def _replaced_in(file: str, changed: int, size: int) -> tuple[Replaced, ...]:
    try:
        with open(file, "rb") as source:
            code = source.read()
        if not _may_repeat(code):
            return ()
        module = ast.parse(code)
    # The program may come from a file that is not Python, or that another process writes.
    except (OSError, SyntaxError, ValueError, RecursionError):
        return ()
    return tuple(_in_scope(module.body, "", is_class=False))


def _may_repeat(code: bytes) -> bool:
    """Return whether a scope seems to define a name twice; this is faster than parsing the file."""
    scopes: list[tuple[int, set[bytes]]] = [(-1, set())]
    for line in _DEFINING.finditer(code):
        indent = len(line["indent"])
        while scopes[-1][0] >= indent:
            scopes.pop()
        names = scopes[-1][1]
        if (line["defined"] or line["assigned"]) in names:
            return True
        if line["defined"]:
            names.add(line["defined"])
            scopes.append((indent, set()))
    return False


def _in_scope(body: Block, scope: str, *, is_class: bool) -> Iterator[Replaced]:
    before: dict[str, list[Definition]] = {}
    # In most scopes every name has one definition, and the rest need not be looked at.
    names = [name for statement in _statements(body) for name in _defined(statement)]
    for event in _events(body, scope, ()) if len(names) > len(set(names)) else ():
        if isinstance(event, str):
            # Something has used the name, so the definitions before are not lost.
            before.pop(event, None)
            continue
        earlier = before.get(event.name, [])
        for first in earlier:
            is_code = first.is_class or (is_class and first.decorators is not None)
            if is_code and not first.excludes(event):
                yield Replaced(first, event)
        # A definition of another branch may still be there.
        kept = [first for first in earlier if not event.always_follows(first)]
        before[event.name] = [*kept, event]
    for statement in _statements(body):
        if not isinstance(statement, _DEFINITIONS):
            continue
        inner = f"{scope}.{statement.name}".removeprefix(".")
        if isinstance(statement, ast.ClassDef):
            yield from _in_scope(statement.body, inner, is_class=True)
        else:
            yield from _in_scope(statement.body, f"{inner}.<locals>", is_class=False)


def _events(body: Block, scope: str, branches: Branches) -> Iterator[Definition | str]:
    """Yield the definitions of a scope and the names that it reads, in the order of the text."""
    for statement in body:
        if isinstance(statement, _DEFINITIONS):
            yield from _read(statement)
            yield _definition(statement, scope, branches)
            continue
        blocks = list(_blocks(statement))
        yield from _read(*(_heads(statement) if blocks else (statement,)))
        for number, block in blocks:
            # A block without a number always runs.
            within = () if number is None else ((id(statement), number),)
            yield from _events(block, scope, (*branches, *within))
        for name in _bound(statement):
            yield Definition(name, scope, statement.lineno, branches, None)


def _definition(statement: Defining, scope: str, branches: Branches) -> Definition:
    decorators = tuple(statement.decorator_list)
    line = min(statement.lineno, *(decorator.lineno for decorator in decorators), statement.lineno)
    is_class = isinstance(statement, ast.ClassDef)
    return Definition(statement.name, scope, line, branches, decorators, is_class)


def _blocks(statement: ast.stmt) -> Iterator[tuple[int | None, Block]]:
    """Yield each block of a statement with a number, or with None if the block always runs.

    At most one of the numbered blocks runs.
    """
    if isinstance(statement, ast.If):
        yield from enumerate((statement.body, statement.orelse))
    elif isinstance(statement, ast.Try | ast.TryStar):
        yield 0, [*statement.body, *statement.orelse]
        yield from enumerate((handler.body for handler in statement.handlers), 1)
        yield None, statement.finalbody
    elif isinstance(statement, ast.Match):
        yield from enumerate(case.body for case in statement.cases)
    elif isinstance(statement, ast.For | ast.While | ast.AsyncFor):
        yield 0, [*statement.body, *statement.orelse]
    elif isinstance(statement, ast.With | ast.AsyncWith):
        yield None, statement.body


def _heads(statement: ast.stmt) -> Iterator[ast.AST]:
    """Yield the parts of a statement that are not in its blocks."""
    for child in ast.iter_child_nodes(statement):
        if isinstance(child, ast.expr | ast.withitem):
            yield child


def _read(*nodes: ast.AST) -> Iterator[str]:
    """Yield the names that code reads when it runs; the bodies of its functions do not count."""
    waiting = list(nodes)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            waiting += [*node.decorator_list, node.args, *([node.returns] if node.returns else ())]
        else:
            waiting += ast.iter_child_nodes(node)


def _bound(statement: ast.stmt) -> Iterator[str]:
    """Yield the names to which a simple statement assigns a value."""
    if isinstance(statement, ast.Import | ast.ImportFrom):
        for alias in statement.names:
            yield alias.asname or alias.name.partition(".")[0]
    elif isinstance(statement, ast.Assign) or (
        isinstance(statement, ast.AnnAssign) and statement.value
    ):
        targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
        for target in targets:
            for node in ast.walk(target):
                if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                    yield node.id


def _defined(statement: ast.stmt) -> Iterator[str]:
    """Yield the names that a statement defines or assigns."""
    if isinstance(statement, _DEFINITIONS):
        yield statement.name
    yield from _bound(statement)


def _statements(body: Block) -> Iterator[ast.stmt]:
    """Yield the statements of a scope, including those inside of blocks."""
    for statement in body:
        yield statement
        for _, block in _blocks(statement):
            yield from _statements(block)
