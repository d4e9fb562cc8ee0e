"""A module in the place of a class, a function or a marker: what to write instead.

Several modules have the name of what they define: `datetime`, `sessions.session`,
`framework.templates`. Python imports the module without an error. The error comes only where the
program uses the module.
"""

import re
import sys
from collections.abc import Mapping
from types import ModuleType

_PACKAGES = ("framework", "sessions")


def remedy_for_module(module: ModuleType) -> str:
    """Return what to write in place of a module; the text has no full stop at its end."""
    package, _, inner = module.__name__.partition(".")
    last = module.__name__.rpartition(".")[2]
    if package in _PACKAGES and inner:
        return _of_ours(module, last)
    # Such as datetime.datetime, decimal.Decimal and uuid.UUID.
    found = next(iter(classes_like(module)), None)
    if found is not None:
        return f"write {module.__name__}.{found}, the class that the module defines"
    return f"name the class or function that you mean, as in `from {module.__name__} import ...`"


def module_in(line: str, known: Mapping[str, object]) -> ModuleType | None:
    """Return the first module whose name is in a line of code."""
    values = (known.get(name) for name in re.findall(r"(?<![\w.'\"])\w+", line))
    return next((value for value in values if isinstance(value, ModuleType)), None)


def _of_ours(module: ModuleType, last: str) -> str:
    framework = sys.modules.get("framework")
    if last == "session":
        return "write `from framework import session`, and let the handler take session: session"
    if last in getattr(framework, "__all__", ()):
        return f"write `from framework import {last}`"
    found = next(iter(classes_like(module)), None)
    if found is not None:
        return f"write `from {module.__name__} import {found}`"
    own = [name for name in vars(module) if _is_public_class(module, name)]
    names = f", such as {' or '.join(own[:2])}" if own else ""
    return f"import what the module defines{names}: from {module.__name__} import ..."


def classes_like(module: ModuleType) -> list[str]:
    """List the classes whose name is similar to their module's name: `StaticFiles` in `static`."""
    classes = [name for name, value in vars(module).items() if isinstance(value, type)]
    public = [name for name in classes if name[:1] != "_"]
    plain = module.__name__.rpartition(".")[2].replace("_", "").lower()
    same = [name for name in public if name.lower() == plain]
    own = [name for name in public if _is_public_class(module, name)]
    return [*same, *(name for name in own if name.lower().startswith(plain) and name not in same)]


def _is_public_class(module: ModuleType, name: str) -> bool:
    value = getattr(module, name)
    is_own = isinstance(value, type) and value.__module__ == module.__name__
    return is_own and name[:1] != "_"
