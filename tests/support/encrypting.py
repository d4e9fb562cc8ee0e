"""What a store holds of an encrypted session, and how a test changes it there."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sessions.core.ids import Id, read_id
from sessions.record import Record
from sessions.testing import loaded_from
from tests.support.apps import Browser

NEW = "the newest key that encrypts, in 32 bytes and more"
OLD = "an older key that encrypted once, of 32 bytes and more"


def id_of(browser: Browser) -> Id:
    """Return the id in the cookie of a browser."""
    return read_id(browser.cookie.partition("=")[2].partition(".")[0])


def kept_for(browser: Browser) -> Record:
    """Return the record that the store has for the session of a browser."""
    return loaded_from(browser.site.store, id_of(browser).key)


def put(browser: Browser, **changes: Any) -> None:
    """Replace the record of a browser's session in the store."""
    record = replace(kept_for(browser), **changes)
    browser.site.store.delete(id_of(browser).key)
    assert browser.site.store.create(id_of(browser).key, record)


def put_values(browser: Browser, values: Mapping[str, bytes | None]) -> None:
    """Replace the bytes of values in the store; None removes a value."""
    changed = {**kept_for(browser).values, **values}
    put(browser, values={name: value for name, value in changed.items() if value is not None})


def wrapped_names(browser: Browser) -> set[str]:
    """Return the names of the session's data keys in the store."""
    return {name for name in kept_for(browser).values if name.startswith("\0sealed.key.")}
