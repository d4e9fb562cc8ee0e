"""Sessions of another system that move into tokens, without a server."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from sessions import AsyncSessionManager, MemoryStore, Session, SessionContainer
from sessions.migration import HexSignatureCookie
from sessions.stateless import EncryptedToken, SignedToken, TokenFormat
from sessions.testing import ManualClock
from sessions.transports.cookie import CookieHead
from tests.sessions.migration.cookies import (
    BAD,
    HEADERS,
    NAMES,
    VALUES,
    OldSystem,
    cleared,
    native,
    user_and_values,
)
from tests.support.apps import KEY, Site, everything, untouched, writes

FORMATS: dict[str, Callable[[], TokenFormat]] = {
    "signed": SignedToken,
    "encrypted": EncryptedToken,
    "revocable": lambda: SignedToken(revocations=MemoryStore()),
}


@pytest.fixture(params=FORMATS)
def format(request: pytest.FixtureRequest) -> TokenFormat:
    """Return each token format in turn."""
    return FORMATS[request.param]()


@pytest.fixture
def site(format: TokenFormat, clock: ManualClock, old: OldSystem) -> Site:
    """Return a site whose sessions live in tokens."""
    return Site(format, clock, legacy_cookies=old.cookies())


@pytest.mark.parametrize("kind", HEADERS)
def test_nobody_is_logged_out(site: Site, kind: str) -> None:
    """The token has the user and the values; the old cookies are cleared."""
    answer = site.visit(user_and_values, HEADERS[kind])

    values = VALUES if kind == "payload" else {"items": "Dog"}
    assert answer.value == ("ada", values)
    assert cleared(answer) == NAMES[kind]
    assert site.visit(user_and_values, native(answer)).value == ("ada", values)


@pytest.mark.parametrize("header", BAD.values(), ids=BAD)
def test_bad_input_gives_no_session(site: Site, old: OldSystem, header: str) -> None:
    """No error, no cookie, no call of the other system."""
    answer = site.visit(everything, header)

    assert (answer.status, answer.value, answer.set_cookies) == (200, {}, [])
    assert old.loaded == []


def test_a_live_session_of_ours_comes_first(site: Site, old: OldSystem) -> None:
    """The legacy cookie is not looked at."""
    ours = site.visit(writes(a=1)).cookie

    assert site.visit(everything, f"{HEADERS['hex']}; {ours}").value == {"a": 1}
    assert old.loaded == []


def test_an_unknown_id_gives_no_session(site: Site, old: OldSystem) -> None:
    """What is written begins a session of ours."""
    old.sessions.clear()

    answer = site.visit(writes(a=1), HEADERS["hex"])

    assert site.visit(everything, native(answer)).value == {"a": 1}


def test_a_failed_request_leaves_the_old_cookie(site: Site) -> None:
    """The next request moves the session."""
    assert site.visit(everything, HEADERS["hex"], status=500).set_cookies == []
    assert site.visit(everything, HEADERS["hex"]).value == {"items": "Dog"}


def test_a_logout_clears_the_old_cookie(site: Site, old: OldSystem) -> None:
    """Also as the first request."""
    assert set(cleared(site.visit(Session.destroy, HEADERS["hex"]))) >= set(NAMES["hex"])
    assert old.loaded == []


def test_an_untouched_request_moves_nothing(site: Site, old: OldSystem) -> None:
    """It costs nothing, as ever."""
    assert site.visit(untouched, HEADERS["hex"]).set_cookies == []
    assert old.loaded == []


def test_a_broken_other_system_is_unavailable(format: TokenFormat, clock: ManualClock) -> None:
    """503, and the next request tries again."""
    answers: list[Any] = [OSError("no connection"), {"a": 1}]

    def load(content: Any) -> Any:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    cookie = HexSignatureCookie("sid", keys=["secret"], load=load)
    site = Site(format, clock, legacy_cookies=[cookie])

    assert site.visit(everything, HEADERS["hex"]).status == 503
    assert site.visit(everything, HEADERS["hex"]).value == {"a": 1}


def test_a_coroutine_function_loads_on_a_loop(
    format: TokenFormat, clock: ManualClock, old: OldSystem
) -> None:
    """The same on an event loop."""

    async def load(content: Any) -> Any:
        await asyncio.sleep(0)
        return old.load(content)

    async def program() -> None:
        container = SessionContainer(
            keys=[KEY], store=format, clock=clock, legacy_cookies=old.cookies(load=load)
        )
        manager = AsyncSessionManager(container)
        session = manager.open(CookieHead(HEADERS["hex"], "/", "http", None))
        await session.load()
        assert user_and_values(session) == ("ada", {"items": "Dog"})  # type: ignore[arg-type]
        headers = await manager.close(session)
        assert [value.partition("=")[0] for name, value in headers if name == "Set-Cookie"] == [
            "session",
            *NAMES["hex"],
        ]
        await manager.aclose()

    asyncio.run(program())


def test_a_session_that_is_too_large_for_a_cookie(site: Site, old: OldSystem) -> None:
    """The visitor gets pages without the session, and can begin a new one."""
    old.sessions["abc123"] = {"items": "".join(map(str, range(2000)))}

    first = site.visit(user_and_values, HEADERS["hex"])
    second = site.visit(writes(a=1), HEADERS["hex"])

    assert (first.status, first.value) == (200, (None, {}))
    assert site.visit(everything, native(second)).value == {"a": 1}
    assert [event.reason for event in site.events if event.kind == "rejected"] == ["too_big"] * 2
