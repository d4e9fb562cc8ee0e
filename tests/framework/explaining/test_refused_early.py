"""Requests that are refused before routing: `explain` shows the real answer."""

from typing import Any

import pytest

from framework import Application, HTTPSettings, component, configuration, controller, get
from framework.explaining.explain import explain
from framework.testing import Client


@controller("/s")
class Pages:
    @get("/<name>")
    def show(self, name: str) -> str:
        return name

    @get("/<name>/<other>")
    def both(self, name: str, other: str) -> str:
        return f"{name} {other}"


def application_with(**settings: Any) -> Application:
    @configuration
    class Web:
        @component
        def http(self) -> HTTPSettings:
            return HTTPSettings(**settings)

    return Application(Pages, Web)


@pytest.mark.parametrize(
    ("path", "outcome"),
    [
        ("/s/%ff", "400: The path is not UTF-8."),
        ("/s/%C5", "400: The path is not UTF-8."),
        ("/s/a%2Fb", "404: An encoded slash (%2F) is not allowed in a path."),
        ("/s/a%2fb", "404: An encoded slash (%2F) is not allowed in a path."),
        ("/nothing%2F", "404: An encoded slash (%2F) is not allowed in a path."),
        ("/s/%ff%2F", "404: An encoded slash (%2F) is not allowed in a path."),
        ("http://localhost/s/%ff?a=b", "400: The path is not UTF-8."),
        ("/s/%C5%BC", None),
        ("/s/\u017c", None),
        ("/s/%252F", None),
        ("/s/a?b=%2F", None),
        ("/s/%", None),
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS"])
def test_the_explanation_agrees_with_the_answer_of_a_request(
    path: str, outcome: str | None, method: str
) -> None:
    """Percent escapes are checked before the rules, as in a request."""
    application = application_with()
    explanation = explain(application, method, path)
    answer = Client(application).open(path.removeprefix("http://localhost"), method=method)

    assert explanation.answers[0].status == answer.status_code
    if outcome is not None:
        assert explanation.outcome == outcome
        assert (explanation.match, explanation.near_misses) == (None, [])


@pytest.mark.parametrize(
    ("url", "status"),
    [
        ("http://evil.example/s/a", 400),
        ("http://evil.example/s/a%2Fb", 400),
        ("http://shop.example.evil.example/s/a", 400),
        ("http://shop.example/s/a", 200),
        ("https://Shop.example:8000/s/a", 200),
        ("/s/a", 200),
    ],
)
def test_a_host_that_is_not_trusted_comes_first(url: str, status: int) -> None:
    """A URL with a host is explained for that host."""
    explanation = explain(application_with(trusted_hosts=["shop.example"]), "GET", url)

    assert explanation.answers[0].status == status
    if status == 400:
        assert "is not one of trusted_hosts" in explanation.outcome
        assert (explanation.match, explanation.middleware) == (None, [])


def test_without_trusted_hosts_any_host_is_explained() -> None:
    """Without the setting, any host is answered."""
    explanation = explain(application_with(), "GET", "http://any.example/s/a")

    assert explanation.answers[0].status == 200


def test_a_proxy_may_cause_a_400() -> None:
    """A header of a proxy may have an unfit value."""
    explanation = explain(application_with(trusted_proxies=1), "GET", "/s/a")

    assert 400 in [answer.status for answer in explanation.answers]
