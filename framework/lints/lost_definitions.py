"""Definitions of an application that are lost, because another definition has the same name."""

import ast
import inspect
import sys
from types import FunctionType, ModuleType
from typing import Any, cast

from framework import decorators
from framework.decorators import (
    CATCHES,
    COMPONENT,
    GUARDS,
    ROUTES,
    is_configuration,
    is_controller,
)
from framework.lints.program import Program
from framework.lints.source_definitions import Definition, Replaced, replaced_in
from framework.report import Report, readable_path
from framework.types.members import tag_of, tagged_members

_RENAME = "Give one of the two another name."
_HOOKS = ("on_start", "on_stop")
_TAGS = (ROUTES, GUARDS, CATCHES, COMPONENT)
_OURS = {
    name: getattr(decorators, name)
    for name in (
        *("controller", "get", "post", "put", "patch", "delete", "head", "options"),
        *("component", "service", "repository", "configuration", "guard", "catch"),
    )
}
# These decorators store a function nowhere else, so a function below them can be lost.
_SILENT = ("staticmethod", "classmethod", "abstractmethod", "override", "cache", "wraps")
# The packages whose classes are not the user's.
_FOREIGN = {"framework", "sessions", "injector", "werkzeug", *sys.stdlib_module_names}


def note_lost(program: Program, report: Report) -> None:
    """Report handlers, components, hooks and so on that another definition replaces or hides."""
    for target in program.classes:
        for base in target.__mro__:
            if base.__module__.partition(".")[0] not in _FOREIGN:
                _note_replaced(base, report)
        _note_hidden_by_bases(target, report)
        _note_hidden_by_attributes(target, program, report)


def _note_replaced(target: type, report: Report) -> None:
    module = sys.modules.get(target.__module__)
    file = getattr(module, "__file__", None)
    if not file or "site-packages" in file:
        return
    for replaced in replaced_in(file):
        first, second = replaced.first, replaced.second
        if _is_lost(replaced, target, module):
            short = first.qualified_name.rpartition("<locals>.")[2]
            again = "defined again" if second.decorators is not None else "given another value"
            report.note(
                f"{short} ({readable_path(file)}:{first.line})",
                f"{short} is {again} in line {second.line}, so this definition is lost",
                _RENAME,
            )


def _is_lost(replaced: Replaced, target: type, module: ModuleType | None) -> bool:
    first, second = replaced.first, replaced.second
    is_ours = any(
        _is_framework_decorator(decorator, module) for decorator in first.decorators or ()
    )
    always = second.always_follows(first)
    if first.qualified_name == target.__qualname__:
        return first.is_class and is_ours and always
    if first.scope != target.__qualname__ or first.name not in vars(target):
        return False
    if not is_ours:
        return always and not first.is_class and _is_silent(first)
    # If the second definition did not run, the first definition is still there.
    line = _line_of(vars(target)[first.name])
    return line != first.line and (always or line is not None)


def _is_framework_decorator(decorator: ast.expr, module: ModuleType | None) -> bool:
    """Return whether a decorator belongs to the framework."""
    called = decorator.func if isinstance(decorator, ast.Call) else decorator
    if isinstance(called, ast.Attribute):
        owner = called.value.id if isinstance(called.value, ast.Name) else ""
        known: Any = getattr(getattr(module, owner, None), called.attr, None)
        return known is not None and known is _OURS.get(called.attr)
    if not isinstance(called, ast.Name):
        return False
    # A name that the module does not know is imported inside of a function.
    found = getattr(module, called.id, _OURS.get(called.id))
    return any(found is ours for ours in _OURS.values())


def _is_silent(first: Definition) -> bool:
    """Return whether no decorator of a definition stores the function, for example in a list.

    For an unknown decorator, the result is False.
    """
    names = [
        getattr(decorator, "id", getattr(decorator, "attr", ""))
        for decorator in first.decorators or ()
    ]
    return all(name in _SILENT for name in names)


def _line_of(member: object) -> int | None:
    """Return the first line of a member that is a function; None for any other member."""
    if not issubclass(type(member), FunctionType | staticmethod | classmethod):
        return None
    function: Any = inspect.unwrap(cast(Any, getattr(member, "__func__", member)))
    return getattr(getattr(function, "__code__", None), "co_firstlineno", None)


def _note_hidden_by_bases(target: type, report: Report) -> None:
    """Report a method that two unrelated bases define, because only one definition works."""
    if all(len(base.__bases__) == 1 for base in target.__mro__[:-1]):
        return
    for name in dict.fromkeys(name for base in target.__mro__ for name in vars(base)):
        owners = [base for base in target.__mro__ if name in vars(base)]
        for at, owner in enumerate(owners[1:], 1):
            hidden = vars(owner)[name]
            is_override = any(owner in other.__mro__ for other in owners[:at])
            nearest = vars(owners[0])[name]
            if not is_override and _is_lost_in(nearest, hidden, name, target):
                first = f"{owners[0].__qualname__}.{name}".rpartition("<locals>.")[2]
                report.at(getattr(hidden, "__func__", hidden)).note(
                    f"{target.__name__} inherits from two classes that have {name}(), and only"
                    f" {first} has an effect",
                    f"{_RENAME} Or write {name}() in {target.__name__} itself.",
                )


def _is_lost_in(nearest: object, hidden: object, name: str, target: type) -> bool:
    if _calls_super(nearest):
        return False
    if name in _HOOKS:
        return is_configuration(target)
    tags = [(tag_of(nearest, tag), tag_of(hidden, tag)) for tag in _TAGS]
    if tag_of(hidden, COMPONENT) is not None:
        return tag_of(nearest, COMPONENT) is not None
    return any(None not in (near, far) and near != far for near, far in tags)


def _calls_super(member: object) -> bool:
    """Return whether a method uses `super` to call the method of the next class, as mixins do."""
    function = getattr(member, "__func__", member)
    return "super" in getattr(getattr(function, "__code__", None), "co_names", ())


def _note_hidden_by_attributes(target: type, program: Program, report: Report) -> None:
    """Report methods that an attribute of the object hides, so that nothing can call them."""
    if not (is_controller(target) or is_configuration(target)):
        return
    with report.at(target):
        attributes = getattr(program.graph.get(target), "__dict__", {})
        # Few controllers have such an attribute, and reading the tags takes long.
        if not any(hasattr(target, name) for name in attributes):
            return
        for member in (found for tag in _TAGS for found in tagged_members(target, tag)):
            if member.name in attributes and not callable(attributes[member.name]):
                report.at(member.function).note(
                    f"self.{member.name} of {target.__name__} has the name of this method, so"
                    " nothing can call the method",
                    f"Give the attribute another name, as in self._{member.name}.",
                )
