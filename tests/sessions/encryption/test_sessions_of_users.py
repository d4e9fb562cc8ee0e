"""The sessions of a user, when the store cannot read their values."""

from sessions import Session, SessionContainer, SessionManager, Store
from sessions.testing import ManualClock
from tests.support.apps import KEY
from tests.support.encrypting import NEW


def test_encrypted_sessions_of_a_user_are_listed_and_ended(
    store: Store, clock: ManualClock
) -> None:
    """The record has the id of the user, and its entry in the index never changes."""
    container = SessionContainer(keys=[KEY], encryption_keys=[NEW], store=store, clock=clock)
    manager = SessionManager(container)
    here, there = _signed_in(manager), _signed_in(manager)

    listed = {found.handle for found in manager.sessions_of("ada")}
    ended = manager.end_sessions_of("ada", keep=here.handle)

    assert (listed, ended) == ({here.handle, there.handle}, 1)
    assert [found.handle for found in manager.sessions_of("ada")] == [here.handle]
    with manager.get(here.id) as session:
        assert (session.copy(), session.user_id) == ({"a": 1}, "ada")


def _signed_in(manager: SessionManager) -> Session:
    with manager.create({"a": 1}) as session:
        session.set_user("ada")
    return session
