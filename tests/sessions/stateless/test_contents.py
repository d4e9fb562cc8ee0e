"""The content of a token: its format and its size."""

import re
from datetime import timedelta

import pytest

from sessions import CookieSettings, Session, SessionTooLarge
from sessions.core import payloads
from sessions.testing import ManualClock
from tests.sessions.stateless.conftest import KINDS, SiteMaker
from tests.support.apps import Browser, Site, everything, in_turn, session_of, writes

DAY = timedelta(days=1)


class Packs:
    """Return the same bytes for every record."""

    def __init__(self, packed: bytes) -> None:
        self._packed = packed

    def encode(self, record: object) -> bytes:
        """Return the bytes."""
        return self._packed


@pytest.fixture(params=["encrypted", "signed"])
def packing_site(request: pytest.FixtureRequest, clock: ManualClock) -> Site:
    """Return a site whose tokens hold a given number of bytes."""
    return Site(KINDS[request.param](), clock)


def test_a_newer_format_is_anonymous(packing_site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """A token of a later release has a valid seal, but cannot be read; an event says so."""
    monkeypatch.setattr(payloads, "PAYLOAD_VERSION", payloads.PAYLOAD_VERSION + 1)
    token = packing_site.visit(writes(a=1)).cookie
    monkeypatch.undo()

    answer = packing_site.visit(everything, token)

    assert (answer.status, answer.value) == (200, {})
    assert packing_site.told[-1] == "unreadable"


@pytest.mark.parametrize(
    "packed",
    [b"", b"\xc0", b"\x90", b"\x97", b"\xc1", b"\x98" + 8 * b"\xc0", 2000 * b"\x91"],
)
def test_sealed_nonsense_is_anonymous(
    packing_site: Site, packed: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A valid seal over bytes that are not a record, as a faulty release could make."""
    monkeypatch.setattr(payloads, "_encoder", Packs(packed))
    token = packing_site.visit(writes(a=1)).cookie
    monkeypatch.undo()

    assert packing_site.visit(everything, token).value == {}


def test_a_user_id_that_is_not_a_text_is_refused(site: Site) -> None:
    """The commit raises an error for a lone surrogate."""
    with pytest.raises(TypeError, match="lone surrogates"):
        site.visit(lambda session: session.set_user("\ud800"))


@pytest.mark.parametrize(
    "attributes",
    [
        CookieSettings(),
        CookieSettings(max_age=DAY, domain="shop.example", path="/a-rather-long-path/of/it"),
    ],
    ids=["plain", "long"],
)
def test_the_limit_counts_name_and_attributes(
    make_site: SiteMaker, attributes: CookieSettings
) -> None:
    """All cookies of up to 4,096 bytes are sent, and no larger cookie."""
    site = make_site(cookie=attributes, session_prefix="a-long-name")
    path = attributes.path

    def size(letters: int) -> int | None:
        try:
            (cookie,) = site.visit(writes(text="x" * letters), path=path).set_cookies
        except SessionTooLarge:
            return None
        return len(cookie)

    about = max(letters for letters in range(1200, 3200, 100) if size(letters) is not None)
    sizes = [size(letters) for letters in range(about, about + 110)]

    sent = [size for size in sizes if size is not None]
    assert sent == sizes[: len(sent)]
    assert 4085 <= sent[-1] <= 4096


def test_the_error_names_the_size_and_the_biggest_key(site: Site) -> None:
    """The size includes the name and the attributes, and the error says what to do."""
    with pytest.raises(SessionTooLarge) as caught:
        site.visit(writes(small=1, cart="x" * 4000, other="y" * 100))

    message = f"{caught.value}"
    size = int(re.search(r"would have (\d+) bytes", message)[1])  # type: ignore[index]
    assert 5000 < size < 8000
    assert "session['cart']" in message
    assert "4096" in message
    assert "Fix: " in message


def test_the_user_data_can_be_too_large(site: Site) -> None:
    """The error speaks of the user data, and not of their reserved key."""
    with pytest.raises(SessionTooLarge, match="the user data of set_user"):
        site.visit(lambda session: session.set_user("ada", letter="x" * 5000))


def test_a_session_that_is_too_large_stays_as_it_was(browser: Browser) -> None:
    """The earlier token is still good, and a handler that catches the error may go on."""
    browser.visit(writes(a=1))

    def tries(session: Session) -> None:
        session["big"] = "x" * 5000
        with pytest.raises(SessionTooLarge):
            session.save()
        del session["big"]
        session["b"] = 2

    browser.visit(tries)
    assert browser.holds() == {"a": 1, "b": 2}

    with pytest.raises(SessionTooLarge):
        browser.visit(in_turn(writes(a=2), writes(big="x" * 5000)))
    assert browser.holds() == {"a": 1, "b": 2}


def test_check_raises_before_the_answer_begins(site: Site) -> None:
    """Middleware that streams can check the size before the headers leave."""
    session = session_of(site.manager)
    session["big"] = "x" * 5000

    with pytest.raises(SessionTooLarge):
        site.manager.check(session)
    session.destroy()
    site.manager.close(session)


def test_a_token_of_a_program_has_the_limit_of_a_session(site: Site) -> None:
    """A token that a program makes by itself has the limit of a session."""
    session = site.manager.create({"text": "x" * 60_000})

    token = site.manager.token(session)

    found = site.manager.from_token(token)
    assert found is not None
    assert len(found["text"]) == 60_000
    with pytest.raises(SessionTooLarge, match="65536"):
        site.manager.create({"text": "x" * 66_000})
