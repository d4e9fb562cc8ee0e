"""The names of the calls to a store, and the method of the store for each name.

In the code, such a call is named `ask`: a tuple of the name and the arguments.
"""

from collections.abc import Callable
from typing import Any

from sessions.core.outside import CALL, call_here
from sessions.stores.base import AsyncStore, Store

_OF_EVERY_STORE = ("load", "create", "commit", "touch", "delete")
_OF_SOME_STORES = ("has_expired", "take_expired", "purge_expired")
_OF_AN_INDEX = ("add_to_user", "keys_of_user", "remove_from_user")
_OF_SOME_INDEXES = ("create_sign_in", "commit_sign_in")


def verbs_of(store: Store | AsyncStore | None) -> dict[str, Any]:
    """Return the store's methods by name; call them with positional arguments only."""
    verbs = {
        name: getattr(store, name, None)
        for name in (*_OF_EVERY_STORE, *_OF_SOME_STORES, *_OF_AN_INDEX, *_OF_SOME_INDEXES)
    }
    if store is not None:
        verbs["delete_of_user"] = _of_user(store.delete)
    verbs[CALL] = call_here
    return verbs


def _of_user(delete: Callable[..., Any]) -> Callable[[str, str], Any]:
    def delete_of_user(key: str, user_id: str) -> Any:
        return delete(key, user_id=user_id)

    return delete_of_user
