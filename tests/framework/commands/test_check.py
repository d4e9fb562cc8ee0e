"""`framework check`: every mistake, or a summary; with --deploy also warnings."""

from pathlib import Path

import pytest

from tests.support.commands import Framework

SHOP = """
from framework import Application, controller, get, session

@controller("/orders")
class Orders:
    @get("/<int:order_id>")
    def show(self, order_id: int) -> int:
        return order_id

    @get("/")
    def last(self, session: session) -> int:
        return session.get("last", 0)

app = Application(Orders)
"""
CONFIGURED = SHOP.replace("controller, get", "component, configuration, controller, get").replace(
    "app = Application(Orders)",
    """
from sessions import *

@configuration
class Configuration:
    @component
    def session_container(self) -> SessionContainer:
        return SessionContainer(keys=["correct horse battery staple, a long one"], SETTINGS)

app = Application(Orders, Configuration)
""",
)


def configured(settings: str) -> str:
    return CONFIGURED.replace("SETTINGS", settings)


def with_http(http: str, sessions: str = "") -> str:
    provider = f"""
    @component
    def http(self) -> HTTPSettings:
        return {http}

app ="""
    imported = configured(sessions).replace("controller, get", "HTTPSettings, controller, get")
    return imported.replace("app =", provider)


def test_an_application_that_starts_is_summed_up(framework: Framework, tmp_path: Path) -> None:
    """One line describes the application, and the status is 0."""
    Path("app.py").write_text(SHOP)
    result = framework("check")

    assert result.exit_code == 0
    assert result.output == (
        "app:app starts: 2 routes in 1 controller,"
        f" sessions in SQLiteStore '{tmp_path}/.framework/sessions.db'.\n"
    )


def test_an_application_without_sessions_says_so(framework: Framework) -> None:
    """If no handler takes a session, no store is named."""
    Path("app.py").write_text(SHOP.replace("session: session", "").replace("session.get", "max"))

    assert framework("check").output == ("app:app starts: 2 routes in 1 controller, no sessions.\n")


def test_every_mistake_is_reported(framework: Framework) -> None:
    """The output is only the report of start-up, and the status is 1."""
    mistaken = SHOP.replace("order_id: int)", "number: int)").replace("session: session", "s")
    Path("app.py").write_text(mistaken)
    result = framework("check")

    assert result.exit_code == 1
    assert result.output.startswith("2 mistakes keep the application from starting:\n\n1. ")
    assert "Orders.show (app.py:6)" in result.output
    assert "Orders.last (app.py:10)" in result.output


def test_a_module_that_raises_is_reported(framework: Framework) -> None:
    """The traceback begins in the user's module."""
    Path("app.py").write_text("open('missing.toml')\n")
    result = framework("check")

    assert result.exit_code == 1
    assert 'File "' in result.output
    assert result.output.endswith("No such file or directory: 'missing.toml'\n")


def test_defaults_are_warned_of(framework: Framework) -> None:
    """A key made for development is for one machine; warnings leave the status at 0."""
    Path("app.py").write_text(SHOP)
    result = framework("check", "--deploy")

    assert result.exit_code == 0
    assert (
        ". .framework/session.key\n"
        "   session ids are signed with the key in the project folder. Another machine makes"
        " another key, and anybody who copies the folder can sign ids\n"
        "   Fix: Put the key that `framework secret` prints into SESSION_KEYS.\n"
    ) in result.output


def test_a_memory_store_is_warned_of(framework: Framework) -> None:
    """Each worker would have its own sessions."""
    Path("app.py").write_text(configured("cookie=CookieSettings(secure=True)"))

    assert (
        "Configuration.session_container (app.py:19)\n"
        "   sessions are in a MemoryStore: each worker process has its own sessions, and a"
        " restart ends every session\n"
        "   Fix: Give store=SQLiteStore(…) for one machine, or your own store for several"
        " machines.\n"
    ) in framework("check", "--deploy").output


@pytest.mark.parametrize(
    ("settings", "warning"),
    [
        ("cookie=CookieSettings(secure=False)", "the session cookie has secure=False: a browser"),
        (
            "",
            'the session cookie has secure="auto", and no proxy is trusted. If https ends at a'
            " proxy",
        ),
    ],
)
def test_a_cookie_for_plain_http_is_warned_of(
    framework: Framework, settings: str, warning: str
) -> None:
    """Only secure=True keeps a session cookie from plain http in every deployment."""
    Path("app.py").write_text(configured(settings))

    assert warning in framework("check", "--deploy").output


def test_ids_in_urls_are_warned_of(framework: Framework) -> None:
    """The log of a start is easily missed, so the command says it, too."""
    Path("app.py").write_text(configured("transports=[CookieTransport(), URLTransport('sid')]"))

    assert (
        "Configuration.session_container (app.py:19)\n"
        "   URLTransport(parameter='sid') puts the ids of sessions into URLs. Browsers and servers"
        " keep URLs in histories and logs, and people share URLs\n"
        "   Fix: Leave the URLTransport out if all clients have cookies. If you need it, add"
        " sessions.logs.HideIds to the access log"
    ) in framework("check", "--deploy").output


@pytest.mark.parametrize(
    ("words", "times"),
    [
        (["check"], 1),
        (["check", "--deploy"], 0),
        (["routes"], 0),
        (["explain", "GET", "/"], 0),
        (["shell"], 0),
        (["sessions"], 0),
        (["sessions", "purge"], 0),
    ],
)
def test_only_a_check_logs_the_warning_of_ids_in_urls(
    framework: Framework, words: list[str], times: int, caplog: pytest.LogCaptureFixture
) -> None:
    """The other commands serve no site, and --deploy has the warning in its list."""
    Path("app.py").write_text(configured("transports=[CookieTransport(), URLTransport()]"))
    framework(*words)

    assert caplog.text.count("puts the ids of sessions into URLs") == times


@pytest.mark.parametrize(
    ("transports", "warns"),
    [
        ("HeaderTransport()", False),
        ("CookieTransport('mine', CookieSettings(secure=True))", False),
        ("CookieTransport('mine', CookieSettings(secure=False))", True),
        ("HeaderTransport(), CookieTransport()", True),
    ],
)
def test_only_cookies_that_are_sent_are_warned_of(
    framework: Framework, transports: str, warns: bool
) -> None:
    """A container without a cookie needs no secure one; a transport may have its own settings."""
    Path("app.py").write_text(configured(f"transports=[{transports}]"))

    assert ("the session cookie has" in framework("check", "--deploy").output) is warns


def test_https_of_a_trusted_proxy_is_believed(framework: Framework) -> None:
    """If a trusted proxy reports https, secure="auto" is right."""
    Path("app.py").write_text(with_http("HTTPSettings(trusted_proxies=1)"))

    assert 'secure="auto"' not in framework("check", "--deploy").output


def test_https_of_a_proxy_that_is_trusted_for_addresses_only_is_ignored(
    framework: Framework,
) -> None:
    """A proxy that is trusted only for addresses does not make a cookie Secure."""
    Path("app.py").write_text(with_http("HTTPSettings(trusted_proxies={'for': 1})"))

    assert 'secure="auto"' in framework("check", "--deploy").output


def test_missing_hosts_are_warned_of(framework: Framework) -> None:
    """Without trusted hosts, a client chooses the host in the URLs that are built."""
    Path("app.py").write_text(SHOP)

    assert (
        "the default HTTPSettings\n"
        "   trusted_hosts is empty, so a client can choose the host name in the URLs that the"
        " application builds\n"
        "   Fix: Provide HTTPSettings(trusted_hosts=['shop.example']), with your own"
        " hosts.\n"
    ) in framework("check", "--deploy").output


def test_nothing_is_left_to_warn_of(framework: Framework) -> None:
    """An application with hosts, a Secure cookie, a key and a store has no warnings."""
    settings = "store=SQLiteStore('sessions.db'), cookie=CookieSettings(secure=True)"
    http = "HTTPSettings(trusted_hosts=['shop.example'])"
    Path("app.py").write_text(with_http(http, settings))

    assert framework("check", "--deploy").output.endswith("\nNothing to warn of.\n")


def test_debug_is_warned_of(framework: Framework) -> None:
    """Debug is for development only."""
    Path("app.py").write_text(SHOP.replace("Application(Orders)", "Application(Orders, debug=1)"))

    assert "Application(…, debug=True)\n   debug is on" in framework("check", "--deploy").output


def test_warnings_are_for_deployment(framework: Framework) -> None:
    """Without --deploy, there are no warnings."""
    Path("app.py").write_text(configured(""))

    assert "warning" not in framework("check").output


def test_a_store_that_cannot_be_reached_is_a_warning(
    framework: Framework, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The application starts, so the status is 0; the warning says what to do before a request."""
    pytest.importorskip("redis")
    monkeypatch.setenv("SESSION_STORE", "redis://localhost:1/0")
    Path("app.py").write_text(SHOP)
    result = framework("check")

    assert result.exit_code == 0
    assert "Warning: <RedisStore 'redis://localhost:1/0'> cannot be used: " in result.output
    assert "Fix: start the server, or correct its address in the URL" in result.output
    assert "environment variable SESSION_STORE." in result.output
