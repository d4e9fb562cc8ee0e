"""The device of a sign-in in the list of a user's sessions."""

from typing import Any

import pytest

from sessions import MemoryStore, Session, SessionContainer, SessionManager
from sessions.core.devices import network_of
from sessions.stateless import SignedToken
from sessions.testing import ManualClock
from sessions.users import SessionInfo
from sessions.wsgi import EnvironHead
from tests.support.apps import KEY, writes
from tests.support.refusals import problems
from tests.support.users import signs_in

AGENT = "Mozilla/5.0 (X11; Linux x86_64) Firefox/146.0"
E_KEYS = ["e" + KEY, "f" + KEY]


class Place:
    """A site that remembers devices, and one browser of it."""

    def __init__(self, **settings: Any) -> None:
        self.store = MemoryStore()
        self.container = SessionContainer(
            keys=[KEY], store=self.store, **{"remember_devices": True, **settings}
        )
        self.manager = SessionManager(self.container)
        self.cookie = ""

    def visit(self, handler: Any, agent: str = AGENT, client: str = "203.0.113.7") -> Any:
        """Send a request, and keep its cookie."""
        environ = {"HTTP_COOKIE": self.cookie, "wsgi.url_scheme": "http", "REMOTE_ADDR": client}
        session = self.manager.open(EnvironHead({**environ, "HTTP_USER_AGENT": agent}))
        value = handler(session)
        for name, text in self.manager.close(session):
            if name == "Set-Cookie":
                self.cookie = text.partition(";")[0]
        return value

    @property
    def info(self) -> SessionInfo:
        """Return what is listed of the only session of the user."""
        (info,) = self.manager.sessions_of("ada")
        return info

    @property
    def device(self) -> tuple[str | None, str | None]:
        """Return what is listed of its device."""
        return self.info.user_agent, self.info.address


@pytest.fixture(params=["plain", "encrypted"])
def place(request: pytest.FixtureRequest) -> Place:
    """Return a site, also one whose store can read no value."""
    return Place(**({"encryption_keys": E_KEYS[:1]} if request.param == "encrypted" else {}))


def test_a_sign_in_keeps_its_device(place: Place) -> None:
    """The browser's own text, and the network in place of the address."""
    place.visit(writes(a=1))
    place.visit(signs_in(name="Ada"))

    assert place.device == (AGENT, "203.0.113.0/24")


def test_the_device_is_that_of_the_sign_in(place: Place) -> None:
    """No other request, new id or write changes it; the next sign-in does."""
    place.visit(signs_in())
    for handler in (writes(a=1), Session.regenerate, Session.clear):
        place.visit(handler, "Other", "198.51.100.1")
    before = place.device
    place.visit(signs_in(), "Other", "198.51.100.1")

    assert before == (AGENT, "203.0.113.0/24")
    assert place.device == ("Other", "198.51.100.0/24")


def test_the_device_is_not_among_the_values(place: Place) -> None:
    """It is no value of the session."""
    place.visit(signs_in())
    seen = place.visit(lambda s: (dict(s), len(s), [*s], "\0device" in s, s.user_data))

    assert seen == ({}, 0, [], False, {})


@pytest.mark.parametrize("leaves", [Session.clear_user, signs_in("bob")])
def test_a_sign_out_removes_the_device(place: Place, leaves: Any) -> None:
    """After a sign-out, or a sign-in of another user from an unknown device."""
    place.visit(signs_in())
    place.visit(leaves, "", "")
    ((_, record),) = place.store.page(None, 10).records

    assert [name for name in record.values if "device" in name] == []


def test_the_next_sign_in_without_the_setting_removes_it(place: Place) -> None:
    """Whoever switches it off has nothing new."""
    place.visit(signs_in())
    settings = {"encryption_keys": place.container.encryption_keys, "remember_devices": False}
    place.manager = SessionManager(SessionContainer(keys=[KEY], store=place.store, **settings))  # type: ignore[arg-type]
    place.visit(signs_in())

    assert place.device == (None, None)


def test_devices_are_not_kept_by_default() -> None:
    """Who keeps nothing has nothing to protect."""
    place = Place(remember_devices=False)
    place.visit(signs_in())

    assert place.device == (None, None)


def test_programs_have_no_device(place: Place) -> None:
    """Nor has a request without the header, from a socket."""
    with place.manager.create() as session:
        session.set_user("ada")

    assert place.device == (None, None)


def test_an_encrypted_store_cannot_read_the_device() -> None:
    """Nor does another key; an older key still does."""
    place = Place(encryption_keys=E_KEYS[:1])
    place.visit(signs_in())
    ((_, record),) = place.store.page(None, 10).records
    assert not any(b"Mozilla" in value or b"203.0" in value for value in record.values.values())
    devices = []
    for keys in (E_KEYS[::-1], E_KEYS[1:]):
        settings: dict[str, Any] = {"encryption_keys": keys, "remember_devices": True}
        manager = SessionManager(SessionContainer(keys=[KEY], store=place.store, **settings))
        devices += [info.user_agent for info in manager.sessions_of("ada")]

    assert devices == [AGENT, None]


def test_the_user_agent_is_short_and_printable(place: Place) -> None:
    """A list in a terminal or in a page stays a list."""
    place.visit(signs_in(), "\x1b[31mred\r\n" + "x" * 10_000)
    agent = place.info.user_agent or ""

    assert agent.startswith("?[31mred??xxx")
    assert len(agent) == 256


def test_a_damaged_device_is_unknown() -> None:
    """The session is listed all the same."""
    place = Place()
    place.visit(signs_in())
    ((key, record),) = place.store.page(None, 10).records
    for damaged in (b"", b"\xc1", b"\x01", b"\x92\x01\x02"):
        values = {**record.values, "\0device": damaged}
        place.store.delete(key)
        place.store._records.pop(key, None)
        place.store.create(key, type(record)(**{**_fields(record), "values": values}))
        assert place.device == (None, None)


def _fields(record: Any) -> dict[str, Any]:
    return {name: getattr(record, name) for name in record.__struct_fields__}


@pytest.mark.parametrize(
    ("client", "network"),
    [
        ("203.0.113.255", "203.0.113.0/24"),
        ("127.0.0.1", "127.0.0.0/24"),
        ("2001:db8:abcd:1234::1", "2001:db8:abcd::/48"),
        ("fe80::1%eth0", "fe80::/48"),
        ("::ffff:203.0.113.7", "203.0.113.0/24"),
        ("", None),
        (None, None),
        ("unix:", None),
        ("203.0.113.7:8000", None),
        ("999.1.1.1", None),
    ],
)
def test_an_address_becomes_a_network(client: str | None, network: str | None) -> None:
    """Nobody can be found by it alone."""
    assert network_of(client) == network


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"remember_devices": 1}, "is not a bool"),
        (
            {"remember_devices": True, "store": SignedToken()},
            "needs a store that lists the sessions of a user",
        ),
    ],
)
def test_wrong_settings_are_refused(settings: dict[str, Any], told: str) -> None:
    """Nobody could ever list the devices."""
    (problem,) = problems(SessionContainer, keys=[KEY], clock=ManualClock(), **settings)

    assert told in problem
