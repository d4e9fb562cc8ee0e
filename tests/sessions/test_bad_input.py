"""Cookies that this application did not set: no session, one event, and no change in the store."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessions import MemoryStore, Session
from sessions.core.ids import new_id, random_secret
from sessions.core.signing import IdSigner
from sessions.testing import ManualClock
from tests.support.apps import KEY, Answer, Handler, Site, everything, in_turn, untouched, writes
from tests.support.watched import WatchedStore

SIGNER = IdSigner([KEY], purpose="session id:session")


class Victim:
    """Be a site with one session, whose token an attacker changes."""

    def __init__(self, **settings: object) -> None:
        self.clock = ManualClock()
        self.store = WatchedStore(MemoryStore(clock=self.clock))
        self.site = Site(self.store, self.clock, **settings)
        self.cookie = self.site.visit(writes(a=1)).cookie
        self.token = self.cookie.partition("=")[2]
        self.id, _, self.signature = self.token.partition(".")
        self.forget()

    def forget(self) -> None:
        """Count events and calls from now on."""
        self.site.events.clear()
        self.store.calls.clear()

    def send(self, cookies: str, handler: Handler = everything) -> Answer:
        """Send a request with a raw Cookie header."""
        return self.site.visit(handler, cookies)

    @property
    def is_well(self) -> bool:
        """Return whether the session is unchanged."""
        return bool(self.send(self.cookie).value == {"a": 1})


@pytest.fixture
def victim() -> Victim:
    """Return a site with one session."""
    return Victim()


def an_id() -> str:
    """Return a well-formed id that no session has."""
    return new_id(random_secret).text


def changed(text: str) -> str:
    """Return another text of the same alphabet and length."""
    return ("A" if text[0] != "A" else "B") + text[1:]


REJECTED: dict[str, Callable[[Victim], str]] = {
    "another id": lambda it: f"session={changed(it.id)}.{it.signature}",
    "another signature": lambda it: f"session={it.id}.{changed(it.signature)}",
    "no signature": lambda it: f"session={it.id}",
    "an unsigned id that nobody made": lambda it: f"session={an_id()}.{'A' * 43}",
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
def test_a_forged_cookie_is_anonymous(
    victim: Victim, forge: Callable[[Victim], str], caplog: pytest.LogCaptureFixture
) -> None:
    """There is no exception, no store call and no header but Vary; the event has no id."""
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
def test_a_write_under_a_forged_cookie_begins_a_new_session(
    victim: Victim, forge: Callable[[Victim], str]
) -> None:
    """The answer has one cookie with a new id, and the victim's session is unchanged."""
    answer = victim.send(forge(victim), writes(a=2))

    assert victim.store.calls == ["create"]
    assert victim.site.told == ["rejected", "created"]
    begun = SIGNER.unsign(answer.cookie.removeprefix("session="))
    assert begun is not None
    assert begun.text != victim.id
    assert victim.send(answer.cookie).value == {"a": 2}
    assert victim.is_well


@rejected
def test_a_forged_cookie_that_nobody_looks_at_costs_nothing(
    victim: Victim, forge: Callable[[Victim], str], caplog: pytest.LogCaptureFixture
) -> None:
    """A request that does not use its session causes no event."""
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
def test_a_forged_cookie_without_a_write_never_reaches_the_store(
    victim: Victim, use: Handler
) -> None:
    """This holds for every use of the session that sets no data."""
    answer = victim.send(f"session={changed(victim.token)}", use)

    assert victim.store.calls == answer.set_cookies == []
    assert victim.site.told == ["rejected"]


def test_a_thousand_made_up_ids_leave_the_store_empty(victim: Victim) -> None:
    """Neither unsigned ids nor signed ids of old sessions create a record."""
    for _ in range(500):
        victim.send(f"session={an_id()}.{victim.signature}")
        victim.send(f"session={SIGNER.sign(an_id())}")

    assert victim.store.writes == []
    assert victim.store.calls == ["load"] * 500


def test_a_signed_id_without_a_session_is_not_adopted(victim: Victim) -> None:
    """A leaked key can sign tokens, but no session gets an id that an attacker chose."""
    forged = SIGNER.sign(an_id())

    answer = victim.send(f"session={forged}", writes(a=2))

    assert answer.cookie != f"session={forged}"
    assert victim.send(f"session={forged}").value == {}


class TestDuplicates:
    """Several cookies have the name: only a valid token counts, if it is the only one."""

    def test_the_only_valid_cookie_is_used(self, victim: Victim) -> None:
        """Invalid cookies before and after the valid one do not matter."""
        forged = f"session={changed(victim.token)}"

        answer = victim.send(f"{forged}; a=b; {victim.cookie}; {forged}; session=")

        assert answer.value == {"a": 1}
        assert victim.site.told == []

    def test_the_same_cookie_twice_is_one_session(self, victim: Victim) -> None:
        """A browser may have the same cookie on two paths."""
        assert victim.send(f"{victim.cookie}; {victim.cookie}").value == {"a": 1}
        assert victim.site.told == []

    def test_two_live_sessions_in_one_request_are_ignored(
        self, victim: Victim, caplog: pytest.LogCaptureFixture
    ) -> None:
        """An attacker may have set one of them, so neither session is used or changed."""
        planted = victim.send("", writes(a="planted")).cookie
        victim.forget()
        caplog.clear()

        for header in (f"{planted}; {victim.cookie}", f"{victim.cookie}; {planted}"):
            assert victim.send(header).value == {}

        assert victim.store.calls == ["load"] * 4
        assert victim.site.told == ["ambiguous"] * 2
        assert "2 different live sessions" in caplog.text
        assert victim.id not in caplog.text
        assert victim.is_well

    def test_logging_out_ends_both_live_sessions(self, victim: Victim) -> None:
        """One of them may be an attacker's; the cookie is cleared once."""
        planted = victim.send("", writes(a="planted")).cookie

        answer = victim.send(f"{planted}; {victim.cookie}", Session.destroy)

        assert (answer.clears, len(answer.set_cookies)) == (True, 1)
        assert victim.send(planted).value == victim.send(victim.cookie).value == {}

    def test_each_live_session_is_ended_once(self, victim: Victim) -> None:
        """This holds also if the request took a new id before, and writes afterwards."""
        planted = victim.send("", writes(a="planted")).cookie
        victim.forget()

        handler = in_turn(Session.regenerate, Session.destroy, writes(b=2))
        answer = victim.send(f"{planted}; {victim.cookie}", handler)

        assert victim.store.calls == ["load", "load", "delete", "delete", "create"]
        assert victim.send(answer.cookie).value == {"b": 2}

    @pytest.mark.parametrize("end", ["logout", "another id", "expiry", "a forged lineage"])
    @pytest.mark.parametrize("dead_first", [True, False])
    def test_an_ended_session_beside_a_live_one_is_ignored(
        self, victim: Victim, end: str, dead_first: bool
    ) -> None:
        """A browser may have the cookie of an ended session on another path."""
        dead = dead_cookie(victim, end)
        live = victim.cookie if end != "expiry" else victim.send("", writes(a=1)).cookie
        victim.forget()

        answer = victim.send("; ".join([dead, live] if dead_first else [live, dead]))

        assert (answer.value, answer.set_cookies) == ({"a": 1}, [])
        assert victim.site.told == []

    def test_two_ended_sessions_begin_a_new_session(self, victim: Victim) -> None:
        """The first write sends one cookie, and its session counts beside the ended ones."""
        dead = f"session={SIGNER.sign(an_id())}; session={SIGNER.sign(an_id())}"

        answer = victim.send(dead, writes(a=2))

        assert victim.send(f"{dead}; {answer.cookie}").value == {"a": 2}
        assert victim.site.told == ["created"]


def dead_cookie(victim: Victim, end: str) -> str:
    """Return the cookie of a session that has ended in this way."""
    if end == "a forged lineage":
        return f"session={SIGNER.sign(an_id())}"
    dead = victim.send("", writes(a="dead")).cookie
    if end == "logout":
        victim.send(dead, Session.destroy)
    elif end == "another id":
        victim.send(dead, in_turn(Session.regenerate, Session.destroy))
    else:
        victim.clock.advance(timedelta(days=1))
    return dead


TOO_LARGE = {
    "bytes": lambda it: f"{it.cookie}; filler={'a' * 16_384}",
    "pairs": lambda it: f"{it.cookie}{'; a=b' * 200}",
    "nothing of ours": lambda _: f"a=b; filler={'a' * 100_000}",
    "one cookie of our name": lambda it: f"{it.cookie}{'a' * 100_000}",
}
USES: list[Handler] = [
    everything,
    writes(a=2),
    lambda session: session.destroy(),
    lambda session: session.regenerate(),
    lambda session: session.set_user("ada"),
    lambda session: session.clear_user(),
    lambda session: session.save(),
    lambda session: session.id,
]


class TestTooLargeHeaders:
    """A header over the limits is not searched: the page is served without a session."""

    @pytest.mark.parametrize("header", TOO_LARGE.values(), ids=TOO_LARGE)
    @pytest.mark.parametrize("use", USES)
    def test_a_header_that_is_too_large_gives_no_session(
        self,
        victim: Victim,
        header: Callable[[Victim], str],
        use: Handler,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        """There is one event without the header, and nothing is loaded, stored, sent or cleared."""
        answer = victim.send(header(victim), use)

        assert (answer.status, answer.body) == (200, b"answered")
        assert answer.set_cookies == victim.store.calls == []
        assert victim.site.told == ["rejected"]
        assert len(caplog.records) <= 1
        assert victim.id not in caplog.text
        assert victim.is_well

    @pytest.mark.parametrize("setting", ["rolling", "save_uninitialized", "resave"])
    def test_no_setting_stores_a_session_without_a_cookie(self, setting: str) -> None:
        """This holds also for settings that send a cookie with each response."""
        victim = Victim(**{setting: True})

        answer = victim.send(f"{victim.cookie}; a={'a' * 17_000}", untouched)

        assert answer.status == 200
        assert answer.set_cookies == victim.store.calls == []

    def test_an_untouched_request_is_answered(self, victim: Victim) -> None:
        """The request does not use the session, so there is no event."""
        assert victim.send(f"a={'a' * 17_000}", untouched).status == 200
        assert victim.site.told == []

    def test_the_event_says_what_to_do(self, victim: Victim) -> None:
        """It names the size, the limits and the settings."""
        victim.send(f"b=c; a={'a' * 17_000}", everything)

        (event,) = victim.site.events
        assert "17007 bytes in 2 pairs" in event.detail
        assert "16384 bytes in 200 pairs" in event.detail
        assert "cookie_header_limit or cookie_pairs_limit" in event.detail

    @pytest.mark.parametrize("setting", ["cookie_header_limit", "cookie_pairs_limit"])
    def test_the_limits_are_settings(self, setting: str) -> None:
        """A site whose proxies let more through raises them."""
        victim = Victim(**{setting: 20_000})
        header = {"cookie_header_limit": f"a={'a' * 17_000}", "cookie_pairs_limit": "a=b; " * 400}

        answer = victim.send(f"{header[setting]}; {victim.cookie}")

        assert answer.value == {"a": 1}


@pytest.fixture(scope="module")
def fuzzed() -> Victim:
    """Return one site for all examples, which must not change it."""
    return Victim()


@given(data=st.data())
def test_no_header_raises_and_only_the_exact_token_opens_the_session(
    fuzzed: Victim, data: st.DataObject
) -> None:
    """The examples are all texts from pieces of a real cookie."""
    pieces = [fuzzed.cookie, fuzzed.token, fuzzed.id, fuzzed.signature, "session", "session="]
    pieces += ["__Host-session=", "; ", *'=;., \t\x00%"\\\xff']
    parts = st.sampled_from(pieces) | st.characters(max_codepoint=255)
    header = data.draw(st.lists(parts, max_size=12).map("".join))
    pairs = [pair.removeprefix(" ") if n else pair for n, pair in enumerate(header.split(";"))]

    answer = fuzzed.send(header)

    assert answer.value == ({"a": 1} if fuzzed.cookie in pairs else {})
    assert answer.status == 200
    assert answer.set_cookies == fuzzed.store.writes == []
