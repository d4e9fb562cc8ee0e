"""The defaults of a SessionContainer."""

import dataclasses
from datetime import timedelta

from sessions import AsyncSession, CookieSettings, MemoryStore, Session, SessionContainer
from sessions.stores.base import wall_clock
from tests.support.apps import KEY


def test_the_defaults_are_those_of_the_documentation() -> None:
    """To change a default, change this list and the documentation."""
    defaults = SessionContainer(keys=[KEY])

    shown = {field.name: getattr(defaults, field.name) for field in dataclasses.fields(defaults)}
    assert isinstance(shown.pop("store"), MemoryStore)
    assert len(shown.pop("gen_id")()) == 43
    assert shown.pop("clock") is wall_clock
    assert shown == {
        "keys": [KEY],
        "cookie": CookieSettings(
            http_only=True,
            same_site="Lax",
            path="/",
            domain=None,
            partitioned=False,
            secure="auto",
            max_age=None,
        ),
        "session_prefix": "session",
        "encryption_keys": None,
        "resave": False,
        "rolling": False,
        "save_uninitialized": False,
        "idle_timeout": timedelta(hours=24),
        "absolute_timeout": timedelta(days=14),
        "transports": (),
        "legacy_cookies": (),
        "listeners": (),
        "session_class": Session,
        "async_session_class": AsyncSession,
        "cookie_header_limit": 16 * 1024,
        "cookie_pairs_limit": 200,
        "sessions_per_user": None,
        "remember_devices": False,
        "longest_timeout": None,
        "renew_every": None,
        "background_header": None,
    }
