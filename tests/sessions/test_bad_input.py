"""Cookies that no browser of ours would send: anonymous, told once, nothing stored or cleared."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessions import MemoryStore, Session
from sessions.record import new_id
from sessions.signing import IdSigner
from sessions.specimens import ManualClock
from tests.sessions.apps import KEY, Answer, Handler, Site, everything, untouched, writes
from tests.sessions.watched import WatchedStore

SIGNER = IdSigner([KEY], purpose="session id:session")


class Victim:
    """A site with one session, whose token an attacker bends."""

    def __init__(self, **settings: object) -> None:
        clock = ManualClock()
        self.store = WatchedStore(MemoryStore(clock=clock))
        self.site = Site(self.store, clock, **settings)
        self.cookie = self.site.visit(writes(a=1)).cookie
        self.token = self.cookie.partition("=")[2]
        self.id, _, self.signature = self.token.partition(".")
        self.forget()

    def forget(self) -> None:
        """Count events and calls from now."""
        self.site.events.clear()
        self.store.calls.clear()

    def send(self, cookies: str, handler: Handler = everything) -> Answer:
        """Send a request with a raw Cookie header."""
        return self.site.visit(handler, cookies)

    @property
    def is_well(self) -> bool:
        """Tell whether the session is what it was."""
        return bool(self.send(self.cookie).value == {"a": 1})


@pytest.fixture
def victim() -> Victim:
    """Return a site with one session."""
    return Victim()


def changed(text: str) -> str:
    """Return a text of the same alphabet and length that is another."""
    return ("A" if text[0] != "A" else "B") + text[1:]


REJECTED: dict[str, Callable[[Victim], str]] = {
    "another id": lambda it: f"session={changed(it.id)}.{it.signature}",
    "another signature": lambda it: f"session={it.id}.{changed(it.signature)}",
    "no signature": lambda it: f"session={it.id}",
    "an unsigned id that nobody made": lambda it: f"session={new_id()}.{'A' * 43}",
    "half of it": lambda it: f"session={it.token[:40]}",
    "one character less": lambda it: f"session={it.token[:-1]}",
    "one character more": lambda it: f"session={it.token}A",
    "nothing": lambda it: "session=",
    "oversized": lambda it: f"session={it.token * 80}",
    "an oversized signature": lambda it: f"session={it.id}.{'A' * 7000}",
    "octets": lambda it: "session=\x80\xff\xfe\xc3\x28",
    "octets around it": lambda it: f"session=\xff{it.token}\xff",
    "UTF-8": lambda it: f"session={'ż😀'.encode().decode('latin-1')}",
    "controls": lambda it: f"session=\x00\x01\x1b{it.token}",
    "twice": lambda it: "; ".join([f"session={changed(it.token)}"] * 2),
    "twenty": lambda it: "; ".join(f"session={n}.{it.signature}" for n in range(20)),
    "a list": lambda it: f"session={it.token},session={it.token}",
    "quoted": lambda it: f'session="{it.token}"',
    "an SQL wildcard": lambda it: "session=' OR 1=1 --",
    "a path": lambda it: "session=../../etc/passwd",
    "a pickle": lambda it: "session=gASVIAAAAAAAAACMBXBvc2l4lIwGc3lzdGVtlJOUjAJpZJSFlFKULg==",
    "the key of the record": lambda it: f"session={'a' * 64}.{it.signature}",
}

rejected = pytest.mark.parametrize("forge", REJECTED.values(), ids=REJECTED)


@rejected
def test_s49_s79_a_forged_cookie_is_anonymous(
    victim: Victim, forge: Callable[[Victim], str], caplog: pytest.LogCaptureFixture
) -> None:
    """No exception, no store call, no header but Vary, one event and log line without the id."""
    caplog.set_level("DEBUG")

    answer = victim.send(forge(victim), lambda session: [everything(session), session.is_new])

    assert answer.value == [{}, True]
    assert answer.headers == [("Content-Type", "text/plain"), ("Vary", "Cookie")]
    assert victim.store.calls == []
    assert victim.site.told == ["rejected"]
    assert [record.levelname for record in caplog.records] == ["INFO"]
    shown = caplog.text + repr(victim.site.events)
    assert not any(part in shown for part in (victim.id, victim.signature, victim.token[:20]))
    assert victim.is_well


@rejected
def test_s49_a_write_under_a_forged_cookie_begins_a_new_session(
    victim: Victim, forge: Callable[[Victim], str]
) -> None:
    """With an id of our own, in one Set-Cookie; the victim's session stays as it is."""
    answer = victim.send(forge(victim), writes(a=2))

    assert victim.store.calls == ["create"]
    assert victim.site.told == ["rejected", "created"]
    assert SIGNER.unsign(answer.cookie.removeprefix("session=")) not in (None, victim.id)
    assert victim.send(answer.cookie).value == {"a": 2}
    assert victim.is_well


@rejected
def test_p1_a_forged_cookie_that_nobody_looks_at_costs_nothing(
    victim: Victim, forge: Callable[[Victim], str], caplog: pytest.LogCaptureFixture
) -> None:
    """Not even an event."""
    caplog.set_level("DEBUG")

    answer = victim.send(forge(victim), untouched)

    assert answer.headers == [("Content-Type", "text/plain")]
    assert victim.store.calls == victim.site.told == []
    assert caplog.records == []


@pytest.mark.parametrize(
    "use",
    [
        lambda session: session.regenerate(),
        lambda session: session.save(),
        lambda session: session.reload(),
        lambda session: session.id,
        lambda session: session.clear(),
        lambda session: session.timeout,
        lambda session: session.expires_at,
    ],
)
def test_s49_no_use_of_it_reaches_the_store(victim: Victim, use: Handler) -> None:
    """Whatever the application does without data of its own."""
    answer = victim.send(f"session={changed(victim.token)}", use)

    assert victim.store.calls == answer.set_cookies == []
    assert victim.site.told == ["rejected"]


def test_s10_a_thousand_made_up_ids_leave_the_store_empty(victim: Victim) -> None:
    """Well-formed, unsigned; and signed ones whose sessions are long gone."""
    for _ in range(500):
        victim.send(f"session={new_id()}.{victim.signature}")
        victim.send(f"session={SIGNER.sign(new_id())}")

    assert victim.store.writes == []
    assert victim.store.calls == ["load"] * 500


def test_p6_a_signed_id_without_a_session_is_not_adopted(victim: Victim) -> None:
    """A leaked key forges tokens, yet no session gets the id that the forger chose."""
    forged = SIGNER.sign(new_id())

    answer = victim.send(f"session={forged}", writes(a=2))

    assert answer.cookie != f"session={forged}"
    assert victim.send(f"session={forged}").value == {}


class TestDuplicates:
    """Several cookies of the name: only what is signed counts, and it must be one."""

    def test_the_only_valid_one_is_used(self, victim: Victim) -> None:
        """Whatever stands before and behind it."""
        forged = f"session={changed(victim.token)}"

        answer = victim.send(f"{forged}; a=b; {victim.cookie}; {forged}; session=")

        assert answer.value == {"a": 1}
        assert victim.site.told == []

    def test_one_id_twice_is_one(self, victim: Victim) -> None:
        """A browser may hold the same cookie on two paths."""
        assert victim.send(f"{victim.cookie}; {victim.cookie}").value == {"a": 1}
        assert victim.site.told == []

    def test_two_valid_ids_are_none(self, victim: Victim, caplog: pytest.LogCaptureFixture) -> None:
        """One of them is planted, and nobody can tell which: no session, no store call."""
        planted = victim.send("", writes(a="planted")).cookie
        victim.forget()
        caplog.clear()

        for header in (f"{planted}; {victim.cookie}", f"{victim.cookie}; {planted}"):
            assert victim.send(header).value == {}

        assert victim.store.calls == []
        assert victim.site.told == ["ambiguous"] * 2
        assert "2 different valid ids" in caplog.text
        assert victim.id not in caplog.text
        assert victim.is_well


TOO_LARGE = {
    "bytes": lambda it: f"{it.cookie}; filler={'a' * 8192}",
    "pairs": lambda it: f"{it.cookie}{'; a=b' * 50}",
    "nothing of ours": lambda it: "a" * 100_000,
}


class TestTooLargeHeaders:
    """A header over the limits is not searched: 431, where the session is asked for."""

    @pytest.mark.parametrize("header", TOO_LARGE.values(), ids=TOO_LARGE)
    @pytest.mark.parametrize(
        "use",
        [
            everything,
            writes(a=2),
            lambda session: session.destroy(),
            lambda session: session.regenerate(),
            lambda session: session.id,
        ],
    )
    def test_every_use_is_answered_with_431(
        self,
        victim: Victim,
        header: Callable[[Victim], str],
        use: Handler,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        """One log line without the header; nothing loaded, stored or cleared."""
        answer = victim.send(header(victim), use)

        assert (answer.status, answer.body) == (431, b"Request Header Fields Too Large\n")
        assert answer.set_cookies == victim.store.calls == victim.site.told == []
        assert len(caplog.records) == 1
        assert victim.id not in caplog.text
        assert victim.is_well

    @pytest.mark.parametrize("setting", ["rolling", "save_uninitialized"])
    def test_a_session_that_is_opened_unasked_is_answered_with_431(self, setting: str) -> None:
        """The limit is met when the response is ready."""
        victim = Victim(**{setting: True})

        answer = victim.send(f"a={'a' * 9000}", untouched)

        assert answer.status == 431
        assert answer.set_cookies == victim.store.calls == []

    def test_p1_an_untouched_request_is_answered(self, victim: Victim) -> None:
        """Nobody asked for the session."""
        assert victim.send(f"a={'a' * 9000}", untouched).status == 200

    def test_an_application_may_do_without(self, victim: Victim) -> None:
        """It catches the error, and answers as it likes."""

        def careful(session: Session) -> str:
            with pytest.raises(Exception, match="Cookie header"):
                session.get("a")
            return "anonymous"

        answer = victim.send(f"a={'a' * 9000}", careful)

        assert (answer.status, answer.value) == (200, "anonymous")
        assert answer.all("Vary") == ["Cookie"]
        assert answer.set_cookies == []


@pytest.fixture(scope="module")
def fuzzed() -> Victim:
    """Return a site for all examples: none of them may change it."""
    return Victim()


@given(data=st.data())
def test_s79_no_header_raises_and_only_the_exact_token_opens_the_session(
    fuzzed: Victim, data: st.DataObject
) -> None:
    """Whatever an attacker makes of pieces of a real cookie."""
    pieces = [fuzzed.cookie, fuzzed.token, fuzzed.id, fuzzed.signature, "session", "session="]
    pieces += ["__Host-session=", "; ", *'=;., \t\x00%"\\\xff']
    parts = st.sampled_from(pieces) | st.characters(max_codepoint=255)
    header = data.draw(st.lists(parts, max_size=12).map("".join))
    pairs = [pair.removeprefix(" ") if n else pair for n, pair in enumerate(header.split(";"))]

    answer = fuzzed.send(header)

    assert answer.value == ({"a": 1} if fuzzed.cookie in pairs else {})
    assert answer.status == 200
    assert answer.set_cookies == fuzzed.store.writes == []
