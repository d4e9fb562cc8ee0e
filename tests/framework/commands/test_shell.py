"""`framework shell`: the names that its prompt knows."""

from pathlib import Path

from tests.support.commands import Framework

SHOP = """
from framework import Application, controller, get, service, session

@service
class Prices:
    tea = 3

@controller("/")
class Shop:
    def __init__(self, prices: Prices) -> None:
        self.prices = prices

    @get("/")
    def show(self, session: session) -> int:
        return self.prices.tea

app = Application(Shop, Prices)
"""


def test_the_application_is_at_hand(framework: Framework) -> None:
    """The prompt knows the application, its sessions, a client and the components."""
    Path("app.py").write_text(SHOP)
    typed = (
        "print('answer', client.get('/').text)\n"
        "print('prices', components.Prices.tea, components.Shop.prices is components.Prices)\n"
        "print('sessions', manager is app.sessions)\n"
    )
    result = framework("shell", typed=typed)

    assert result.exit_code == 0
    assert "answer 3\n" in result.output
    assert "prices 3 True\n" in result.output
    assert "sessions True\n" in result.output


def test_the_banner_names_the_objects_of_the_shell(framework: Framework) -> None:
    """The banner names the components, and a trusted host for the client."""
    trusting = """
from framework import HTTPSettings, Middleware, component, configuration

@configuration
class Web:
    @component
    def http(self) -> HTTPSettings:
        return HTTPSettings(trusted_hosts=[".shop.example"])

    @component
    def middleware(self) -> list[Middleware]:
        return []

app = Application(Shop, Prices, Web)
"""
    Path("app.py").write_text(SHOP.replace("app =", "_ =") + trusting)
    request = 'client.get("/", base_url="https://shop.example").text'
    result = framework("shell", typed=f"print('answer', {request})\n")

    assert f"sends requests to the application: {request}\n" in result.output
    assert "by name: Shop, Prices, Web, HTTPSettings\n" in result.output
    assert "answer 3\n" in result.output


def test_a_mistake_is_shown_and_the_shell_goes_on(framework: Framework) -> None:
    """An exception in the shell does not end it."""
    Path("app.py").write_text(SHOP)
    result = framework("shell", typed="1 / 0\nprint('still', 'here')\n")

    assert result.exit_code == 0
    assert "still here" in result.output


def test_an_application_that_does_not_start_has_no_shell(framework: Framework) -> None:
    """The report is printed in place of a prompt."""
    Path("app.py").write_text(SHOP.replace("session: session", "session"))
    result = framework("shell", typed="print('prompt')\n")

    assert result.exit_code == 1
    assert "1 mistake keeps the application from starting" in result.output
    assert "\nprompt" not in result.output
