"""When a session of another system ends: at a logout, and after it was moved here."""

import logging
from typing import Any

import pytest

from sessions import MemoryStore, Session, StoreUnavailable
from tests.sessions.migration.cookies import (
    HEADERS,
    NAMES,
    UUID,
    VALUES,
    OldSystem,
    SiteOf,
    cleared,
)
from tests.support.apps import Site, everything


@pytest.mark.parametrize("kind", HEADERS)
def test_a_logout_as_the_first_request_ends_the_old_session(
    site_of: SiteOf, old: OldSystem, kind: str, memory: MemoryStore
) -> None:
    """The old cookies are cleared, and the session also ends in the other system."""
    site = site_of(old.cookies(end=old.end))

    answer = site.visit(Session.destroy, HEADERS[kind])

    assert set(cleared(answer)) >= set(NAMES[kind])
    assert old.loaded == []
    assert old.ended == [{"payload": VALUES, "name": UUID, "hex": "abc123"}.get(kind, "A" * 40)]
    assert memory.count() == 0


@pytest.mark.parametrize("kind", HEADERS)
def test_a_logout_clears_a_cookie_that_is_not_valid(site: Site, kind: str) -> None:
    """An invalid legacy cookie is cleared like an invalid cookie of the site."""
    header = HEADERS[kind][:-2] + "__"

    answer = site.visit(Session.destroy, header)

    assert set(cleared(answer)) >= set(NAMES[kind])
    assert answer.all("Cache-Control") == ["no-store"]


def test_a_moved_session_ends_in_the_other_system(site_of: SiteOf, old: OldSystem) -> None:
    """The old session ends only after the new one is stored, so nothing is lost."""
    site = site_of(old.cookies(end=old.end))
    site.store.broken = {"create"}

    with pytest.raises(StoreUnavailable):
        site.manager.from_cookie(HEADERS["hex"])
    assert old.ended == []
    site.store.broken = set()

    assert site.visit(everything, HEADERS["hex"]).value == {"items": "Dog"}
    assert old.ended == ["abc123"]
    assert site.visit(everything, HEADERS["hex"]).value == {"items": "Dog"}


def test_a_failed_end_is_logged(
    site_of: SiteOf, old: OldSystem, caplog: pytest.LogCaptureFixture
) -> None:
    """The page is served, because the new session is stored."""

    def end(content: Any) -> None:
        raise OSError("no connection")

    site = site_of(old.cookies(end=end))
    with caplog.at_level(logging.ERROR, "sessions"):
        assert site.visit(everything, HEADERS["hex"]).value == {"items": "Dog"}

    assert "was not ended in the other system" in caplog.text
    assert "abc123" not in "".join(record.getMessage() for record in caplog.records)
