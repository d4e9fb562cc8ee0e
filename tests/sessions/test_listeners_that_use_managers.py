"""Listeners that use a manager themselves, and so cause events."""

import threading

import pytest

from sessions import (
    MemoryStore,
    SessionContainer,
    SessionEvent,
    SessionManager,
    StoreUnavailable,
)
from sessions.testing import ManualClock
from tests.support.apps import KEY
from tests.support.watched import WatchedStore


def test_a_listener_does_not_hear_what_it_causes_itself(clock: ManualClock) -> None:
    """The other listener hears each event once; the first one is called again later."""
    heard: list[str] = []

    def audits(event: SessionEvent) -> None:
        heard.append(f"first {event.kind}")
        manager.create({"audit": event.kind})

    def notes(event: SessionEvent) -> None:
        heard.append(f"second {event.kind}")

    container = SessionContainer(
        keys=[KEY], store=MemoryStore(clock=clock), clock=clock, listeners=[audits, notes]
    )
    manager = SessionManager(container)
    for _ in range(2):
        manager.create({"a": 1})

    assert heard == ["first created", "second created", "second created"] * 2
    assert manager.count() == 4
    assert manager.failed_listeners == 0


def test_a_failure_of_the_store_is_not_repeated_by_its_listener(clock: ManualClock) -> None:
    """A listener that asks the broken store would ask it without an end."""
    store = WatchedStore(MemoryStore(clock=clock))
    calls: list[str] = []

    def looks(event: SessionEvent) -> None:
        calls.append(event.kind)
        manager.create({"audit": True})

    container = SessionContainer(keys=[KEY], store=store, clock=clock, listeners=[looks])
    manager = SessionManager(container)
    store.broken = {"create"}

    with pytest.raises(StoreUnavailable):
        manager.create({"a": 1})

    assert calls == ["store_failed"]
    assert store.calls.count("create") == 2
    assert manager.failed_listeners == 1


def test_an_event_of_another_thread_is_heard(clock: ManualClock) -> None:
    """It is the event of another request, also while the listener is busy."""
    heard: list[str] = []

    def waits(event: SessionEvent) -> None:
        heard.append(event.kind)
        if len(heard) == 1:
            other = threading.Thread(target=manager.create)
            other.start()
            other.join(5)

    container = SessionContainer(
        keys=[KEY], store=MemoryStore(clock=clock), clock=clock, listeners=[waits]
    )
    manager = SessionManager(container)
    manager.create({"a": 1})

    assert heard == ["created", "created"]
