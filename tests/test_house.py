"""Rules of this repository that no linter checks: sizes, names, and forbidden things."""

import ast
import re
import statistics
import subprocess
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("framework", "sessions")
EVERYTHING = (*PACKAGES, "samples", "tests")
TEXTS = ("*.py", "*.md", "*.toml", "Makefile", "run")

FILE_LINES = 400
FUNCTION_LINES = 25
FUNCTION_PARAMETERS = 5
MEDIAN_FUNCTION_LINES = 8

# Spelt in two halves where the rule would otherwise find itself.
UNFINISHED = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X|HA" r"CK)\b")
MACHINE_PATH = re.compile(r"(?<![\w.])/(?:ro" r"ot|ho" r"me|wo" r"rk|Us" r"ers)/\w")
UNCODED_IGNORE = re.compile(r"# type: " r"ignore(?!\[)|# no" r"qa(?!: [A-Z])")
SILENCED = re.compile(r"# (?:ruff: )?no" r"qa|# type: ig" r"nore")
REASON = re.compile(r"#\s+(?!no" r"qa|type:|ruff:)\S+ \S+|# no" r"qa: [A-Z\d, ]+ \(\w")

AT_THE_ROOT = {
    *(".gitignore", "CHANGELOG.md", "LICENSE", "Makefile", "README.md", "pyproject.toml"),
    "satsuma.py",
}
"""All files of the repository that are in no folder."""

Function = ast.FunctionDef | ast.AsyncFunctionDef


def _python_files(*folders: str) -> Iterator[Path]:
    for folder in folders:
        yield from sorted((ROOT / folder).rglob("*.py"))


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def _functions(*folders: str) -> Iterator[tuple[str, Function]]:
    for path in _python_files(*folders):
        for node in ast.walk(_tree(path)):
            if isinstance(node, Function):
                yield f"{path.relative_to(ROOT)}:{node.lineno} {node.name}", node


def _length(function: Function) -> int:
    """Count the lines of a function, without its decorators and its docstring."""
    first = function.body[0]
    is_docstring = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    documented = (first.end_lineno or 0) - first.lineno + 1 if is_docstring else 0
    return (function.end_lineno or 0) - function.lineno + 1 - documented


def _parameters(function: Function) -> list[str]:
    arguments = function.args
    names = [a.arg for a in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)]
    return [name for name in names if name not in {"self", "cls"}]


def test_files_are_short() -> None:
    """No Python file has more than 400 lines."""
    long = [
        f"{path.relative_to(ROOT)}: {lines}"
        for path in _python_files(*EVERYTHING)
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > FILE_LINES
    ]

    assert long == []


def test_functions_are_short() -> None:
    """No function of the packages and samples is above 25 lines."""
    lengths = {where: _length(function) for where, function in _functions(*PACKAGES, "samples")}

    assert {where: n for where, n in lengths.items() if n > FUNCTION_LINES} == {}


def test_the_median_function_is_short() -> None:
    """Half of the functions of the packages have about 8 lines or fewer."""
    lengths = [_length(function) for _, function in _functions(*PACKAGES)]

    assert statistics.median(lengths) <= MEDIAN_FUNCTION_LINES


def test_functions_take_few_parameters() -> None:
    """No function of the packages takes more than five parameters."""
    counts = {where: len(_parameters(function)) for where, function in _functions(*PACKAGES)}

    assert {where: n for where, n in counts.items() if n > FUNCTION_PARAMETERS} == {}


def test_no_object_reaches_into_another_file() -> None:
    """A name with an underscore is used only in its own file."""
    reaching = [
        f"{path.relative_to(ROOT)}:{node.lineno} {ast.unparse(node)}"
        for path in _python_files(*PACKAGES)
        for node in _foreign_privates(_tree(path))
    ]

    assert reaching == []


def _foreign_privates(tree: ast.Module) -> Iterator[ast.Attribute | ast.alias]:
    own = {name for node in ast.walk(tree) for name in _made_here(node)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and _is_private(node.attr):
            is_own = isinstance(node.value, ast.Name) and node.value.id in {"self", "cls"}
            if not is_own and node.attr not in own:
                yield node
        if isinstance(node, ast.alias) and _is_private(node.name):
            yield node


def _made_here(node: ast.AST) -> Iterator[str]:
    """Yield the names that a node gives to attributes, functions and variables."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield node.name
    elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
        yield node.id
    elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
        yield from [node.attr] if ast.unparse(node.value) == "self" else []


def _is_private(name: str) -> bool:
    # The methods of named tuples begin with an underscore, and are public.
    return name.startswith("_") and not name.startswith("__") and name != "_replace"


@pytest.mark.parametrize("name", ["utils", "helpers", "common", "misc"])
def test_no_module_is_a_drawer(name: str) -> None:
    """A module is named after its one subject."""
    assert [path for path in _python_files(*EVERYTHING) if path.stem.strip("_") == name] == []


def test_packages_check_input_with_exceptions() -> None:
    """No `assert` guards the packages: `python -O` would remove it."""
    asserts = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in _python_files(*PACKAGES)
        for node in ast.walk(_tree(path))
        if isinstance(node, ast.Assert)
    ]

    assert asserts == []


def test_a_broad_except_gives_its_reason() -> None:
    """A comment beside each `except Exception` says why it catches all errors."""
    silent = [
        f"{path.relative_to(ROOT)}:{line}"
        for path in _python_files(*PACKAGES)
        for line in _broad_excepts(path)
        if not _has_reason(path.read_text().splitlines(), line)
    ]

    assert silent == []


def test_a_silenced_rule_gives_its_reason() -> None:
    """A comment beside each `noqa` and `type: ignore` says why the rule does not apply."""
    silent = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in _python_files(*PACKAGES)
        for number, line in enumerate(path.read_text().splitlines(), start=1)
        if SILENCED.search(line) and not _has_reason(path.read_text().splitlines(), number)
    ]

    assert silent == []


def _has_reason(lines: Sequence[str], number: int) -> bool:
    """Return whether there is a comment of words in a line, in the line above or just below."""
    return any(REASON.search(line) for line in lines[max(number - 2, 0) : number + 1])


def _broad_excepts(path: Path) -> Iterator[int]:
    """Yield the lines of the broad handlers that do not end by raising the same error again."""
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.ExceptHandler):
            broad = node.type is None or re.search(r"\b(Base)?Exception\b", ast.unparse(node.type))
            if broad and ast.unparse(node.body[-1]) != "raise":
                yield node.lineno


@pytest.mark.parametrize("module", ["pickle", "marshal", "shelve"])
def test_nothing_is_unpickled(module: str) -> None:
    """No package imports a format that can run code when it is read."""
    importing = [
        path
        for path in _python_files(*PACKAGES)
        if re.search(rf"^\s*(import|from) {module}\b", path.read_text(), re.MULTILINE)
    ]

    assert importing == []


@pytest.mark.parametrize("unwanted", [UNFINISHED, MACHINE_PATH, UNCODED_IGNORE])
def test_no_text_holds(unwanted: re.Pattern[str]) -> None:
    """No file contains unfinished work, a path of one machine, or a silenced rule without code."""
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in _texts()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if unwanted.search(line)
    ]

    assert found == []


def _texts() -> Iterator[Path]:
    for pattern in TEXTS:
        for path in sorted(ROOT.rglob(pattern)):
            folders = path.relative_to(ROOT).parts[:-1]
            if not any(part.startswith(".") and part != ".ci" for part in folders):
                yield path


def test_only_the_known_files_are_at_the_root() -> None:
    """A file that a test has left behind is not committed with the next change."""
    command = ["git", "ls-files", "-z", "--", ":(glob)*"]
    try:
        listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    except (OSError, subprocess.CalledProcessError) as error:
        # The files may have been copied without their history.
        pytest.skip(f"git does not know the files: {error}")

    assert set(filter(None, listed.stdout.split("\0"))) == AT_THE_ROOT
