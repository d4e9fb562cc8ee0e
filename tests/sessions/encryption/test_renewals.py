"""New ids, users and server keys: the data key is wrapped again, and no value changes."""

from datetime import timedelta

import pytest

from sessions import Session, SessionNotFound
from sessions.core.ids import Id
from sessions.core.sealing import wrapped_name
from sessions.testing import ManualClock
from tests.sessions.encryption.conftest import SiteMaker
from tests.support.apps import Browser, Handler, Site, everything, in_turn, session_of, writes
from tests.support.encrypting import NEW, OLD, id_of, kept_for, wrapped_names
from tests.support.users import signs_in, who

GRACE = timedelta(seconds=30)
VALUES = {"cart": ["tea"], "count": 0}


def renews(session: Session) -> None:
    """Change the id, and give the earlier id a grace time."""
    session.regenerate(grace=GRACE)


def sealed_values(browser: Browser) -> dict[str, bytes]:
    """Return the stored values without the reserved names."""
    values = kept_for(browser).values
    return {name: value for name, value in values.items() if not name.startswith("\0sealed.key.")}


def names_of(*ids: Id) -> set[str]:
    """Return the names of the data keys that are wrapped for these ids."""
    return {wrapped_name(id.secret) for id in ids}


@pytest.mark.parametrize("renew", [Session.regenerate, renews], ids=["new id", "with grace"])
def test_a_new_id_touches_no_value(customer: Browser, renew: Handler) -> None:
    """One commit has the new id and the data key that is wrapped for it, and nothing else."""
    before = sealed_values(customer)

    customer.visit(renew)

    assert sealed_values(customer) == before
    assert customer.site.store.writes == ["commit"]
    assert {*customer.site.store.commits[-1].set} == names_of(id_of(customer))
    assert customer.holds() == VALUES


def test_the_data_key_of_the_id_before_is_removed(customer: Browser) -> None:
    """A thief with the earlier id, the store and the server's keys opens nothing."""
    customer.visit(Session.regenerate)

    assert wrapped_names(customer) == names_of(id_of(customer))


def test_an_earlier_id_with_grace_has_its_own_data_key(customer: Browser) -> None:
    """Both ids read and write until the grace time is over."""
    earlier, first = customer.cookie, id_of(customer)
    customer.visit(renews)

    customer.site.visit(writes(late=1), earlier)

    assert wrapped_names(customer) == names_of(first, id_of(customer))
    assert (
        customer.site.visit(everything, earlier).value == customer.holds() == {**VALUES, "late": 1}
    )
    assert customer.site.told == ["regenerated", "renewed"]


def test_a_second_renewal_removes_the_first_id_s(customer: Browser) -> None:
    """Only one earlier id has a grace time."""
    customer.visit(renews)
    second = id_of(customer)
    customer.visit(renews)

    assert wrapped_names(customer) == names_of(second, id_of(customer))
    assert customer.holds() == VALUES


def test_the_end_of_the_grace_removes_its_data_key(customer: Browser, clock: ManualClock) -> None:
    """The first commit after the grace time removes the data key; clocks may differ by a minute."""
    customer.visit(renews)
    clock.advance(GRACE.total_seconds() + 1)
    customer.visit(writes(count=1))
    assert len(wrapped_names(customer)) == 2

    clock.advance(60)
    customer.visit(writes(count=2))

    assert wrapped_names(customer) == names_of(id_of(customer))
    assert customer.holds() == {"cart": ["tea"], "count": 2}


def test_an_id_whose_grace_is_over_reads_nothing(customer: Browser, clock: ManualClock) -> None:
    """The id is past, and no event speaks of damage."""
    earlier = customer.cookie
    customer.visit(renews)
    clock.advance(GRACE.total_seconds())
    customer.site.events.clear()

    assert customer.site.visit(everything, earlier).value == {}
    assert customer.site.told == []


def test_a_renewal_that_loses_leaves_the_winner_s(customer: Browser) -> None:
    """Its values are committed again, without its unused id and data key."""
    earlier, first, site = customer.cookie, id_of(customer), customer.site
    site.store.before["commit"] = lambda: customer.visit(renews)

    lost = site.visit(in_turn(renews, writes(late=1)), earlier)

    assert lost.set_cookies == []
    assert wrapped_names(customer) == names_of(first, id_of(customer))
    assert customer.holds() == {**VALUES, "late": 1}


def test_a_write_beside_a_renewal_keeps_the_new_data_key(make_site: SiteMaker) -> None:
    """This holds also if the write would wrap the data key with a newer server key."""
    browser = make_site(encryption_keys=[OLD]).browser()
    browser.visit(writes(a=1))
    site = make_site(encryption_keys=[NEW, OLD])
    earlier, browser.site = browser.cookie, site
    site.store.before["commit"] = lambda: browser.visit(renews)

    site.visit(writes(b=2), earlier)

    assert browser.holds() == site.visit(everything, earlier).value == {"a": 1, "b": 2}
    assert site.told == ["regenerated", "renewed"]


def test_a_sign_in_keeps_the_values_as_they_are(browser: Browser) -> None:
    """The visitor's data stay, and only the data key is wrapped again."""
    browser.visit(writes(cart=["tea"]))
    before = sealed_values(browser)

    browser.visit(signs_in("ada", role="reader"))

    assert sealed_values(browser).items() >= before.items()
    assert browser.visit(in_turn(who)).value == ("ada", {"role": "reader"})
    assert wrapped_names(browser) == names_of(id_of(browser))


def test_another_user_has_another_data_key(customer: Browser) -> None:
    """A thief with the earlier data key opens nothing of the new user."""
    before = kept_for(customer)
    customer.visit(in_turn(signs_in("bob"), writes(own=1)))

    after = kept_for(customer)
    assert not {*before.values.values()} & {*after.values.values()}
    assert (customer.holds(), customer.visit(who).value) == ({"own": 1}, ("bob", {}))


def test_a_sign_in_goes_on_within_its_request(customer: Browser) -> None:
    """Later saves, counts and another sign-in of the request each have a commit."""

    def handler(session: Session) -> None:
        session.set_user("bob")
        session.save()
        session["own"] = [1]
        assert session.increment("count") == 1
        session.save()
        session.regenerate()
        session.save()
        assert session.increment("count") == 2
        assert session.take("own") == [1]

    customer.visit(handler)

    assert customer.holds() == {"count": 2}
    assert customer.visit(who).value == ("bob", {})


def test_a_sign_out_keeps_the_session(customer: Browser) -> None:
    """Nobody is signed in, and the values are there."""
    customer.visit(Session.clear_user)

    assert customer.visit(who).value == (None, {})
    assert customer.holds() == VALUES
    assert "\0sealed.user" not in kept_for(customer).values


def test_a_lost_reply_to_a_sign_in_as_another_user_loses_nothing(customer: Browser) -> None:
    """The second try uses the data key of the first try, which may be stored already."""

    def handler(session: Session) -> None:
        session.set_user("bob")
        session["own"] = 1
        customer.site.store.loses_reply.add("commit")
        with pytest.raises(Exception, match="lost the reply"):
            session.save()
        customer.site.store.loses_reply.clear()

    with customer.site.manager.get(id_of(customer).text) as session:
        handler(session)
        session.save()
        session["more"] = 2
        id = session.id

    assert dict(customer.site.manager.get(id)) == {"own": 1, "more": 2}


def test_a_lost_reply_to_a_creation_loses_nothing(site: Site) -> None:
    """The second try to create a session uses the data key of the first try."""
    site.store.loses_reply.add("create")
    session = session_of(site.manager)
    session["a"] = 1
    with pytest.raises(Exception, match="lost the reply"):
        session.save()
    site.store.loses_reply.clear()
    session.save()
    session["b"] = 2
    site.manager.close(session)

    assert dict(site.manager.get(session.id)) == {"a": 1, "b": 2}


class TestRotation:
    """The server has a newer key in front of the earlier one."""

    @pytest.fixture
    def old(self, make_site: SiteMaker) -> Browser:
        """Return a browser whose session is wrapped with the earlier key."""
        browser = make_site(encryption_keys=[OLD]).browser()
        browser.visit(in_turn(writes(a=1), signs_in("ada")))
        return browser

    def test_the_older_keys_open(self, old: Browser, make_site: SiteMaker) -> None:
        """A session of the earlier key can be read, and a read changes nothing."""
        before = kept_for(old).values
        old.site = make_site(encryption_keys=[NEW, OLD])

        assert old.holds() == {"a": 1}
        assert kept_for(old).values == before

    @pytest.mark.parametrize(
        "write",
        [
            writes(a=1, b=2),
            lambda session: session.increment("b", 2),
            lambda session: (session.update(b=2), session.save()),
            lambda session: (session.update(b=2), session.regenerate()),
            lambda session: (session.update(b=2), session.regenerate(grace=GRACE)),
        ],
        ids=["write", "increment", "save", "new id", "with grace"],
    )
    def test_the_next_commit_takes_the_newest_key(
        self, old: Browser, make_site: SiteMaker, write: Handler
    ) -> None:
        """The commit wraps the data key again and changes no other value; the old key can go."""
        before = kept_for(old).values["a"]
        old.site = make_site(encryption_keys=[NEW, OLD])

        old.visit(write)

        old.site = make_site(encryption_keys=[NEW])
        assert kept_for(old).values["a"] == before
        assert (old.holds(), old.visit(who).value) == ({"a": 1, "b": 2}, ("ada", {}))
        assert "unreadable" not in old.site.told

    def test_a_renewal_wraps_the_data_key_for_the_id_with_grace_too(
        self, old: Browser, make_site: SiteMaker
    ) -> None:
        """The renewal wraps the data key for the earlier id, too, because it knows this id."""
        earlier = old.cookie
        old.site = make_site(encryption_keys=[NEW, OLD])

        old.visit(renews)

        site = make_site(encryption_keys=[NEW])
        assert site.visit(everything, earlier).value == {"a": 1}

    def test_a_data_key_is_wrapped_again_only_once(
        self, old: Browser, make_site: SiteMaker
    ) -> None:
        """A commit of a later request wraps nothing."""
        old.site = make_site(encryption_keys=[NEW, OLD])
        old.visit(writes(b=2))
        old.visit(writes(b=3))

        wrapping, plain = (set(changes.set) for changes in old.site.store.commits[-2:])
        assert wrapping == names_of(id_of(old)) | {"b"}
        assert plain == {"b"}

    @pytest.mark.parametrize("keys", [[NEW], None], ids=["another key", "no encryption_keys"])
    def test_a_removed_key_is_reported(
        self,
        old: Browser,
        make_site: SiteMaker,
        keys: list[str] | None,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        """The session begins again, the log names the setting, and the record stays."""
        before = kept_for(old)
        old.site = make_site(encryption_keys=keys)

        read = old.visit(lambda session: (dict(session), session.user_id, len(session)))
        cookie = old.cookie
        old.visit(writes(c=3))

        assert (read.status, read.value) == (200, ({}, None, 0))
        assert old.site.told == ["unreadable", "unreadable", "created"]
        assert "encryption_keys" in caplog.messages[0]
        assert old.holds() == {"c": 3}
        old.cookie = cookie
        assert kept_for(old) == before

    def test_other_prefixes_open_nothing(self, old: Browser, make_site: SiteMaker) -> None:
        """Two containers with the same keys do not open each other's sessions."""
        site = make_site(encryption_keys=[OLD], session_prefix="other")
        id = id_of(old).text

        with pytest.raises(SessionNotFound):
            site.manager.get(id)
