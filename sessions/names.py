"""Names and arguments that do not exist here, and what to write in place of them."""

import dis
import functools
import inspect
from collections.abc import Callable
from typing import Any, TypeVar

Kind = TypeVar("Kind", bound=type)

_NO_SUCH_STORE = (
    "there is no such store: write from sessions import SQLiteStore or MemoryStore, or a Store of"
    " your own, which sessions.testing.StoreContract tests"
)
_SETTINGS = "write from sessions import SessionContainer, which holds all settings"
_ELSEWHERE = {
    "SessionMiddleware": "write from sessions.wsgi or from sessions.asgi import SessionMiddleware",
    "session_of": "write from sessions.asgi import session_of",
    "SQLiteStore": "write from sessions import SQLiteStore",
    "MemoryStore": "write from sessions import MemoryStore",
    "Store": "write from sessions import Store",
    "AsyncStore": "write from sessions import AsyncStore",
    "StoreContract": "write from sessions.testing import StoreContract",
    "AsyncStoreContract": "write from sessions.testing import AsyncStoreContract",
    "Application": "write from framework import Application",
    "controller": "write from framework import controller",
    "session_value": "write from framework import session_value",
    "SessionInterface": _SETTINGS,
    "SessionSettings": _SETTINGS,
    "SessionConfig": _SETTINGS,
}
_STORES = ("Store", "Backend", "Token")


def refusing(module: str) -> Callable[[str], object]:
    """Return the `__getattr__` of a module, which refuses an unknown name with its remedy."""

    def refuse(name: str) -> object:
        remedy = _ELSEWHERE.get(name, _NO_SUCH_STORE if name.endswith(_STORES) else None)
        if remedy is None:
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        told = f"{module} has no {name}. Fix: {remedy}."
        raise ImportError(told, name=module) if is_imported() else AttributeError(told)

    return refuse


def is_imported() -> bool:
    """Return whether `from ... import` has called the caller of this function."""
    asked = inspect.currentframe()
    frame = asked and asked.f_back and asked.f_back.f_back
    if frame is None or frame.f_lasti < 0:
        return False
    return frame.f_code.co_code[frame.f_lasti] == dis.opmap["IMPORT_FROM"]


def takes_container(middleware: Kind) -> Kind:
    """Let the constructor of a middleware say which arguments it takes; it shows no value."""
    kind: Any = middleware
    construct = kind.__init__
    known = [name for name in inspect.signature(construct).parameters if name != "self"]

    @functools.wraps(construct)
    def explained(self: object, *args: object, **settings: object) -> None:
        unknown = [name for name in settings if name not in known]
        if unknown or len(args) + len(settings) < len(("app", "container")):
            given = f", not {', '.join(unknown)}" if unknown else ""
            raise TypeError(
                f"{kind.__name__} takes the application and a SessionContainer{given}; write"
                f" {kind.__name__}(app, SessionContainer(keys=[...])), which has all other settings"
            )
        construct(self, *args, **settings)

    kind.__init__ = explained
    return middleware
