"""Helpful errors for copies of a session, and for wrong attributes, such as `session.cart`."""

from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, NoReturn


class OwnAttributes:
    """Raise an error for an unknown attribute of a session, and for a copy of a session."""

    __slots__ = ()

    # Type checkers do not see these methods, because they would then accept every attribute.
    if not TYPE_CHECKING:

        def __setattr__(self, name: str, value: object) -> None:
            # A subclass may have attributes of its own: properties with a setter, and `_private`
            # names.
            descriptor = getattr(type(self), name, None)
            is_settable = hasattr(descriptor, "__set__") and getattr(descriptor, "fset", True)
            if not is_settable and not (name.startswith("_") and hasattr(self, "__dict__")):
                raise _unsettable(name, value)
            super().__setattr__(name, value)

        # Python calls this method only for an attribute that was not found.
        def __getattr__(self, name: str) -> Any:
            # A property of a subclass raised AttributeError: read it again to raise its own error.
            if name.startswith("_") or hasattr(type(self), name):
                return object.__getattribute__(self, name)
            raise _missing(name, self)

    def __copy__(self) -> NoReturn:
        raise TypeError(
            "a session cannot be copied, because changes of the copy would not be saved. Fix: use"
            " session.copy(), a plain dict"
        )

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError(
            "a session cannot be pickled or deep-copied, because it belongs to its request. Fix:"
            " pass session.copy(), a plain dict"
        )


def _unsettable(name: str, value: object) -> AttributeError:
    """Return the error for setting an attribute that does not exist or cannot be set."""
    if name in _INSTEAD:
        return AttributeError(f"session.{name} = {value!r} cannot be set. Fix: {_INSTEAD[name]}")
    return AttributeError(
        f"session.{name} = {value!r} cannot be stored, because a session has no attribute {name!r}."
        f" Fix: write session[{name!r}] = {value!r}"
    )


def _missing(name: str, session: object) -> AttributeError:
    """Return the error for reading an attribute that does not exist."""
    instead = next((text for names, text in _VERBS.items() if name in names.split()), None)
    if instead:
        return AttributeError(
            f"a session has no attribute {name!r}. Fix: write {instead}", name=name, obj=session
        )
    public = [known for known in dir(type(session)) if not known.startswith("_")]
    close = get_close_matches(name, public, n=1, cutoff=0.7)
    meant = _ELSEWHERE.get(name) or (close[0] if close else None)
    guess = f"; did you mean session.{meant}?" if meant else ""
    return AttributeError(
        f"a session has no attribute {name!r}. Fix: write session[{name!r}] for the value of that"
        f" key{guess}",
        name=name,
        obj=session,
    )


# Attributes that users try to set, and what to do instead.
_INSTEAD = {
    "user_id": "sign in with session.set_user(user_id), sign out with session.clear_user()",
    "id": "call session.regenerate(), which gives the session a new id",
    "authenticated_at": "sign in with session.set_user(user_id), even for the same user",
    "expires_at": "set session.timeout",
    "expiry": "set session.timeout",
    "permanent": "set session.timeout, or give SessionContainer(idle_timeout=...)",
    "modified": "remove this line, because a session notices every change by itself",
    "accessed": "remove this line, because a session notices every access by itself",
}

# Method names of other frameworks, and what to write here.
_VERBS = {
    "set put setAttribute set_attribute set_item setItem add": 'session["key"] = value',
    "getAttribute get_attribute get_item getItem get_value": 'session.get("key")',
    "remove remove_attribute removeAttribute forget unset remove_item": 'session.pop("key", None)',
    "has contains has_key has_attribute": '"key" in session',
    "all to_dict dict": "session.copy()",
    "commit persist store": "nothing, because the response saves changes; or session.save()",
    "flush invalidate": "session.destroy(), or session.clear() to remove only the data",
    "cycle_key cycle_id": "session.regenerate()",
    "login": "session.set_user(user_id)",
    "logout": "session.destroy(), or session.clear_user()",
}

# Attribute names of other frameworks, and the name of the same thing here.
_ELSEWHERE = {
    "new": "is_new",
    "permanent": "timeout",
    "session_id": "id",
    "session_key": "id",
    "set_expiry": "timeout",
    "sid": "id",
}
