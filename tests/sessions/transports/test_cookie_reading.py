"""The session cookie as it is read: its exact name, its exact value, on its path."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessions import CookieSettings, CookieTransport
from sessions.transports.cookie import CookieHead


def head(cookies: str, path: str = "/", *, secure: bool = False) -> CookieHead:
    """Make a request."""
    return CookieHead(cookies, path, "https" if secure else "http", None)


def transport(path: str = "/") -> CookieTransport:
    """Make a transport."""
    return CookieTransport("session", CookieSettings(path=path))


SAME = [
    "session=t",
    "a=b; session=t",
    "session=t; a=b",
    "a=b;session=t;c=d",
    "session=x; session=t",
    "a; session=t",
    "=; session=t",
    "; session=t",
    'q="; session=t"; session=t',
    "\xff\xfe=\x80; session=t; \xe9=\xe9",
    "a=session; session=t",
]
OTHERS = [
    "Session=t",
    "SESSION=t",
    "session =t",
    " session=t",
    "a=b;  session=t",
    "a=b;\tsession=t",
    "a=b, session=t",
    "a=b,session=t",
    '"session"=t',
    "sess%69on=t",
    "s\u017fession=t",
    "\u017fe\u017f\u017fion=t",
    "session\x00=t",
    "session",
    "session; =t",
    "xsession=t",
    "x-session=t",
    "__Host-session=t",
    "__Secure-session=t",
    "session-2=t",
    "a=session=t",
    "$Version=1; $session=t",
    "session:=t",
    "session\xa0=t",
    "a=b\n;x; \nsession=t",
]


@pytest.mark.parametrize("header", SAME)
def test_the_cookie_is_found_by_its_name(header: str) -> None:
    """The cookie is found at any place, among any other cookies."""
    assert "t" in transport().read(head(header))


@pytest.mark.parametrize("header", OTHERS)
def test_a_name_that_only_looks_alike_is_another_cookie(header: str) -> None:
    """Names that differ in white space, quotes, case, percent signs or Unicode do not count."""
    assert transport().read(head(header)) == []


@pytest.mark.parametrize(
    "value", ['"t"', " t", "t ", "t\t", "t=u", "%74", "t,u=v", "\u017f", "\xff", "", "t\x00"]
)
def test_the_value_is_read_as_it_is(value: str) -> None:
    """Nothing is stripped, unquoted or decoded."""
    assert transport().read(head(f"a=b; session={value}; c=d")) == [value]


def test_every_cookie_of_the_name_is_read() -> None:
    """The signature decides later which of them counts."""
    assert transport().read(head("session=t; a=b; session=u;session=")) == ["t", "u", ""]


@pytest.mark.parametrize("secure", [True, False])
def test_a_name_is_read_where_it_is_sent(secure: bool) -> None:
    """A cookie that an attacker sets over http does not count over https."""
    both = "session=plain; __Host-session=secure"

    assert transport().read(head(both, secure=secure)) == ["secure" if secure else "plain"]


PIECES = ["session", "session=", "=", ";", "; ", " ", "t", '"', "\t", "\x00", "\xff", "Session="]


@given(st.lists(st.sampled_from(PIECES), max_size=12).map("".join))
def test_reading_agrees_with_splitting(header: str) -> None:
    """A slow reader in the test splits at semicolons, drops one space and compares the name."""
    pairs = header.split(";")
    names = [pairs[0], *[pair.removeprefix(" ") for pair in pairs[1:]]]
    slowly = [name[8:] for name in names if name.startswith("session=")]

    assert transport().read(head(header)) == slowly


PATHS: dict[tuple[str, str], bool] = {
    ("/foo", "/foo"): True,
    ("/foo", "/foo/"): True,
    ("/foo", "/foo/bar"): True,
    ("/foo", "/foobar"): False,
    ("/foo", "/fo"): False,
    ("/foo", "/Foo"): False,
    ("/foo", "/"): False,
    ("/foo", ""): False,
    ("/foo", "/bar/foo"): False,
    ("/foo/", "/foo/"): True,
    ("/foo/", "/foo/bar"): True,
    ("/foo/", "/foo"): False,
    ("/", ""): True,
    ("/", "/anything"): True,
    ("/caf%C3%A9", "/caf\xc3\xa9"): True,
    ("/caf%C3%A9", "/caf\xc3\xa9/menu"): True,
    ("/caf%C3%A9", "/caf\xc3\xa8"): False,
    ("/a%20b", "/a b"): True,
}


@pytest.mark.parametrize(("scope", "path"), PATHS, ids=lambda path: path or "empty")
def test_a_cookie_counts_on_its_path(scope: str, path: str) -> None:
    """The path of the request is compared after the gateway decoded it (RFC 6265, 5.1.4)."""
    obstacle = transport(path=scope).obstacle(head("session=t", path))

    assert (obstacle is None) == PATHS[scope, path]
    if obstacle is not None:
        assert obstacle.event == "misplaced"
        assert f"{path!r}" in obstacle.detail


class TestLimits:
    """A header that is too large is not searched; the event has its size and the limits."""

    def test_the_largest_header_is_searched(self) -> None:
        """A header of 16 KiB with 200 pairs is still searched."""
        pairs = ["a=b"] * 199 + ["session=t"]
        filled = "; ".join(pairs)
        filled = f"x{'=' * (16_384 - len(filled) - 1)}" + filled

        assert len(filled) == 16_384
        assert transport().read(head(filled)) == ["t"]
        assert transport().obstacle(head(filled)) is None

    @pytest.mark.parametrize(
        ("header", "size"),
        [
            ("session=t; a=" + "b" * 16_372, "16385 bytes in 2 pairs"),
            ("session=t; " + "a=b;" * 199 + "c=d", "810 bytes in 201 pairs"),
        ],
    )
    def test_a_header_over_the_limit_has_an_event(self, header: str, size: str) -> None:
        """A larger header is not searched; the event does not show it."""
        obstacle = transport().obstacle(head(header))

        assert obstacle is not None
        assert obstacle.event == "rejected"
        assert size in obstacle.detail
        assert "at most 16384 bytes in 200 pairs" in obstacle.detail
        assert "a=b" not in obstacle.detail
        assert "t" not in transport().read(head(header))

    def test_the_limits_can_be_set(self) -> None:
        """A lower and a higher limit are used."""
        cookie = CookieSettings()
        strict = CookieTransport("session", cookie, header_limit=20, pairs_limit=2)
        generous = CookieTransport("session", cookie, header_limit=10**6, pairs_limit=10**5)

        for header in ("a=b; c=d; session=t", f"session=t; a={'b' * 10}"):
            assert strict.obstacle(head(header)) is not None
        assert strict.obstacle(head("a=b; session=t")) is None
        assert generous.read(head("a=b; " * 10_000 + "session=t")) == ["t"]
