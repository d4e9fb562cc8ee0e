"""The session cookie in curl's cookie jar."""

import subprocess
from pathlib import Path


def _visit(jar: Path, url: str, *options: str) -> str:
    command = ["curl", "--silent", "--show-error", "--fail", *options, url]
    cookies = ["--cookie", str(jar), "--cookie-jar", str(jar)]
    return subprocess.run([*command, *cookies], check=True, capture_output=True, text=True).stdout


def _cookies(jar: Path) -> list[list[str]]:
    """Return the fields of each cookie: host, subdomains, path, secure, expiry, name, value."""
    lines = jar.read_text(encoding="utf-8").splitlines()
    return [line.split("\t") for line in lines if "\t" in line]


def test_curl_keeps_the_session(jar: Path, http_site: str) -> None:
    """The jar holds a host-only, HttpOnly session cookie, and the count rises with it."""
    texts = [_visit(jar, http_site), _visit(jar, http_site)]

    [cookie] = _cookies(jar)
    assert texts == ["visits: 1", "visits: 2"]
    assert cookie[:6] == ["#HttpOnly_127.0.0.1", "FALSE", "/", "FALSE", "0", "session"]


def test_curl_forgets_the_session_at_logout(jar: Path, http_site: str) -> None:
    """The deletion empties the jar."""
    _visit(jar, http_site)
    kept = _cookies(jar)
    _visit(jar, f"{http_site}/logout")

    assert len(kept) == 1
    assert _cookies(jar) == []
    assert _visit(jar, http_site) == "visits: 1"


def test_curl_accepts_and_deletes_the_host_prefixed_cookie(
    jar: Path, https_site: str, certificate: tuple[str, str]
) -> None:
    """Over https the cookie is `__Host-session`, and its deletion is accepted."""
    trust = ("--cacert", certificate[0])
    texts = [_visit(jar, https_site, *trust), _visit(jar, https_site, *trust)]
    [cookie] = _cookies(jar)
    _visit(jar, f"{https_site}/logout", *trust)

    assert texts == ["visits: 1", "visits: 2"]
    assert cookie[2:6] == ["/", "TRUE", "0", "__Host-session"]
    assert _cookies(jar) == []


def test_curl_keeps_the_session_of_a_site_of_a_domain(jar: Path, site_of_a_domain: str) -> None:
    """On this machine the cookie has no domain, and over its name it has the domain."""
    _, _, address = site_of_a_domain.partition("//")
    name = f"http://www.shop.example:{address.partition(':')[2]}"
    there = ("--connect-to", f"::{address}")
    texts = [_visit(jar, site_of_a_domain), _visit(jar, site_of_a_domain)]
    texts += [_visit(jar, name, *there), _visit(jar, name, *there)]

    assert texts == ["visits: 1", "visits: 2"] * 2
    assert sorted(cookie[0] for cookie in _cookies(jar)) == [
        "#HttpOnly_.shop.example",
        "#HttpOnly_127.0.0.1",
    ]
