"""Whether the store of an application's sessions can be used now."""

from framework.application import Application
from framework.defaults import told_of_store
from sessions.container import store_of
from sessions.errors import SessionError, StoreUnavailable
from sessions.stores.base import Store

# No session has this key, because the keys of sessions are hashes.
_NO_KEY = "framework-check"


def store_failure(application: Application) -> str | None:
    """Call the store once; return what has failed and what to do, or None if the store answers."""
    store = None if application.sessions is None else store_of(application.sessions.container)
    # An asynchronous store has no event loop here.
    if not isinstance(store, Store):
        return None
    try:
        store.load(_NO_KEY)
    except StoreUnavailable as error:
        return told_of_store(error)
    # The store answers; what else it says is about the key.
    except SessionError:
        return None
    return None
