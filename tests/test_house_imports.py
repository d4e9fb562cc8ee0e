"""The import rules: each file imports only from its own floor and from lower ones."""

import ast
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

# A line is a floor, the lowest first. A file imports files of its own floor, of which none leads
# back to it, and of the floors above its line. `types.*` stands for all files of a folder.
FLOORS = {
    "sessions": """
        errors public_names events record flash other_gateways names
        stores.* transports.* logs
        core.*
        listeners.*
        session container stateless migration users manager upkeep edges
        wsgi asgi
        testing.*
    """,
    "framework": """
        report
        advice.*
        validation settings redirects
        types.* results
        decorators
        http.*
        middleware
        binding.*
        injection.*
        around.*
        markers defaults hooks cors csrf logins
        dispatch.*
        static
        lints.*
        application
        explaining.* openapi.* serving.* testing templates
        commands.* pytest_plugin
        cli
        __main__
    """,
}
PACKAGES = ("framework", "sessions")

# `app.run()` and `app.test()` open these two when they are called, not when the file is imported.
DOORS = {
    ("framework.application", "framework.serving.server"),
    ("framework.application", "framework.testing"),
}

DRIVERS = (
    *("redis", "sqlalchemy", "pymongo", "jwt", "cryptography", "jinja2", "pydantic", "attrs"),
    *("opentelemetry", "prometheus", "prometheus_client"),
)


def _modules(package: str) -> Iterator[tuple[str, Path]]:
    for path in sorted((ROOT / package).rglob("*.py")):
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        yield name.removesuffix(".__init__"), path


def _is_module(name: str) -> bool:
    path = ROOT.joinpath(*name.split("."))
    return path.with_suffix(".py").exists() or (path / "__init__.py").exists()


def _imports(path: Path) -> Iterator[str]:
    """Yield each imported module of ours."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        yield from (name for name in _imported(node) if name.split(".")[0] in PACKAGES)


def _imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom) and node.module:
        inner = [f"{node.module}.{alias.name}" for alias in node.names]
        return [name if _is_module(name) else node.module for name in inner]
    return []


@pytest.mark.parametrize("package", FLOORS)
def test_every_file_has_its_floor(package: str) -> None:
    """Each file of a package belongs to one floor."""
    homeless = [name for name, path in _modules(package) if _floor(package, name) is None]

    assert [name for name in homeless if name != package] == []


@pytest.mark.parametrize("package", FLOORS)
def test_imports_point_down_the_floors(package: str) -> None:
    """No file imports from a floor above its own floor."""
    upwards = [
        f"{name} imports {imported}"
        for name, imported in _arrows(package)
        if (name, imported) not in DOORS
        and (_floor(package, imported) or 0) > (_floor(package, name) or 0)
    ]

    assert upwards == []


@pytest.mark.parametrize("package", FLOORS)
def test_no_files_import_each_other(package: str) -> None:
    """There is no cycle of imports."""
    arrows = [each for each in _arrows(package) if package not in each and each not in DOORS]
    sources = {name for name, _ in arrows}
    while leaves := {name for name in sources if not any(a == name for a, _ in arrows)}:
        sources -= leaves
        arrows = [(a, b) for a, b in arrows if b not in leaves]
    in_cycles = {(a, b) for a, b in arrows if b in sources}
    while pruned := {(a, b) for a, b in in_cycles if not any(c == b for c, _ in in_cycles)}:
        in_cycles -= pruned

    assert in_cycles == set()


@pytest.mark.parametrize("folder", ["stores", "transports"])
def test_kinds_of_one_thing_stand_side_by_side(folder: str) -> None:
    """Stores do not import transports, and transports do not import stores."""
    other = {"stores": "transports", "transports": "stores"}[folder]
    wrong = [
        f"{name} imports {imported}"
        for name, imported in _arrows("sessions")
        if name.startswith(f"sessions.{folder}") and imported.startswith(f"sessions.{other}")
    ]

    assert wrong == []


def _arrows(package: str) -> Iterator[tuple[str, str]]:
    """Yield each file of a package with the files of the package that it imports."""
    for name, path in _modules(package):
        for imported in _imports(path):
            if imported.split(".")[0] == package and imported != name and name != package:
                yield name, imported


def _floor(package: str, module: str) -> int | None:
    """Return the number of a module's floor, from the lowest; a folder is a floor."""
    name = module.partition(".")[2]
    floors = [line.split() for line in FLOORS[package].strip().splitlines()]
    for number, names in enumerate(floors):
        if name in names or f"{name.partition('.')[0]}.*" in names:
            return number
    return None


def test_imports_are_absolute() -> None:
    """An import names its module from the top, so that these tests see it."""
    relative = [
        f"{path}:{node.lineno}"
        for package in PACKAGES
        for _, path in _modules(package)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and node.level
    ]

    assert relative == []


def test_sessions_never_names_the_framework() -> None:
    """No file of `sessions` imports `framework`, not even inside a function."""
    wrong = [
        f"{name} imports {imported}"
        for name, path in _modules("sessions")
        for imported in _imports(path)
        if imported.split(".")[0] == "framework"
    ]

    assert wrong == []


def test_sessions_runs_where_the_framework_is_absent() -> None:
    """Every module of `sessions` imports in a process that cannot import `framework`."""
    modules = [name for name, _ in _modules("sessions") if not name.endswith(DRIVERS)]

    _run_python(f"""
        import importlib, sys
        sys.modules["framework"] = None
        for name in {modules!r}:
            importlib.import_module(name)
    """)


@pytest.mark.parametrize("package", PACKAGES)
def test_importing_a_package_needs_no_optional_driver(package: str) -> None:
    """Importing a package works in a process where every optional driver is missing."""
    _run_python(f"""
        import sys
        sys.modules.update(dict.fromkeys({DRIVERS!r}))
        import {package}
    """)


def _run_python(code: str) -> None:
    command = [sys.executable, "-c", textwrap.dedent(code)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)

    assert done.returncode == 0, done.stderr
