"""Settings under a name that they do not have, where a component method makes them."""

from typing import Any

import pytest

from framework import HTTPSettings, component, configuration, controller, get
from tests.framework.trials import only_problem_of


@controller("/")
class Pages:
    @get("/")
    def show(self) -> None: ...


@pytest.mark.parametrize(("name", "guess"), [("trusted_host", "trusted_hosts"), ("colour", None)])
def test_an_unknown_setting_is_told_with_the_known_ones(name: str, guess: str | None) -> None:
    """Python alone would only say that it is unexpected."""
    given: Any = {name: ["shop.example"]}

    @configuration
    class Web:
        @component
        def http(self) -> HTTPSettings:
            return HTTPSettings(**given)

    problem = only_problem_of(Pages, Web)

    assert problem.what.startswith(
        "Web.http cannot be built: TypeError: HTTPSettings.__init__() got an unexpected keyword"
        f" argument {name!r}"
    )
    assert problem.remedy == (
        (f"Did you mean {guess!r}? " if guess else "")
        + "HTTPSettings takes trusted_hosts, trusted_proxies, body_limit, form_memory_limit,"
        " form_parts_limit, security_headers."
    )


def test_an_argument_that_another_constructor_does_not_have_is_shown_as_it_is() -> None:
    """Only the names of what the method provides are known to be meant."""

    class Wrong:
        def __init__(self) -> None: ...

    @configuration
    class Web:
        @component
        def http(self) -> HTTPSettings:
            made: Any = Wrong
            made(trusted_host=[])
            return HTTPSettings()

    assert only_problem_of(Pages, Web).remedy.startswith("Correct what the last line ")
