"""Find mistakes in a session class of the application, because Python reports none of them."""

import inspect
from collections.abc import Iterator
from difflib import get_close_matches
from types import FunctionType, MethodType

from sessions.core.lifecycle import METHODS, lifecycle_problems, overrides

_CALLS = {"resume": ("request",), "suspend": (), "finish": ("reason",)}
"""The arguments of each lifecycle method, in order."""


def class_problems(setting: str, kind: type, base: type, *, is_blocking: bool) -> Iterator[str]:
    """Yield what is wrong with `kind`, the subclass of `base` that the setting names."""
    if is_blocking:
        yield from lifecycle_problems(setting, kind)
    for name in METHODS:
        if overrides(kind, name):
            yield from _wrong_parameters(setting, kind, name)
    for owner in kind.__mro__[: kind.__mro__.index(base)]:
        if not issubclass(owner, base):
            continue
        for name, value in vars(owner).items():
            yield from _wrong_member(setting, owner, base, name, value)


def _wrong_parameters(setting: str, kind: type, name: str) -> Iterator[str]:
    method = inspect.getattr_static(kind, name)
    is_plain = isinstance(method, FunctionType)
    called = MethodType(method, object()) if is_plain else getattr(kind, name)
    try:
        inspect.signature(called).bind(*_CALLS[name])
    # Some callables have no signature. Then only the call can tell.
    except ValueError:
        return
    except TypeError:
        call = ", ".join(("self", *_CALLS[name]))
        yield (
            f"{setting}={kind!r} has a method {name!r} that cannot be called as {name}"
            f"({', '.join(_CALLS[name])}). Fix: write `def {name}({call}):`"
        )


def _wrong_member(setting: str, owner: type, base: type, name: str, value: object) -> Iterator[str]:
    if name in ("__init__", "__new__"):
        yield (
            f"{setting}={owner!r} has a method {name!r}, which is never called. Fix: in"
            " resume(), set the attributes that the session needs, and give them defaults in the"
            " class"
        )
    elif name.startswith("_"):
        return
    elif hasattr(base, name):
        if not (callable(value) or hasattr(type(value), "__get__")):
            yield (
                f"{setting}={owner!r} replaces {name!r} of {base.__name__} by {value!r}, for all"
                " sessions. Fix: give the attribute another name"
            )
    elif isinstance(value, FunctionType):
        near = get_close_matches(name, METHODS, cutoff=0.8)
        if near:
            yield (
                f"{setting}={owner!r} has a method {name!r}, which is never called. Fix: if you"
                f" mean {near[0]}(), write this name; if not, give the method another name"
            )
