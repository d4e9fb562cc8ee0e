"""Security schemes: the attribute of a guard that says what a client has to send."""

from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from framework import controller, get, guard
from tests.support.openapi_shop import Configuration, document_of
from tests.support.small_applications import only_problem_of

COOKIE = {"type": "apiKey", "in": "cookie", "name": "session"}
BEARER = {"type": "http", "scheme": "bearer"}


class LoggedIn:
    openapi_security = {"session": COOKIE}

    def check(self) -> bool:
        return True


class Token:
    def __init__(self, name: str) -> None:
        self.openapi_security = {name: BEARER}

    def check(self) -> bool:
        return True


class Open:
    def check(self) -> bool:
        return True


@controller("/")
class Pages:
    @get("/open")
    @guard(Open)
    def open(self) -> str:
        return "open"

    @get("/one")
    @guard(LoggedIn)
    def one(self) -> str:
        return "one"

    @get("/both")
    @guard(LoggedIn, Open, Token("token"))
    def both(self) -> str:
        return "both"


def test_an_operation_needs_the_security_schemes_of_its_guards() -> None:
    """It needs the schemes of all guards; the document lists each scheme once."""
    document = document_of(Pages)

    assert list(OpenAPIV31SpecValidator(document).iter_errors()) == []
    assert document["components"]["securitySchemes"] == {"session": COOKIE, "token": BEARER}
    needed = {path: item["get"].get("security") for path, item in document["paths"].items()}
    assert needed == {
        "/open": None,
        "/one": [{"session": []}],
        "/both": [{"session": [], "token": []}],
    }


def test_a_guard_without_a_security_attribute_adds_no_scheme() -> None:
    """A guard without the attribute adds no scheme."""

    @controller("/")
    class Guarded:
        @get("/")
        @guard(Open)
        def show(self) -> str:
            return "shown"

    assert "securitySchemes" not in document_of(Guarded)["components"]


@pytest.mark.parametrize(
    "said", ["session", ["session"], {"session": "cookie"}, {"session": {}}, {1: COOKIE}, None]
)
def test_a_wrong_security_scheme_is_a_startup_problem(said: Any) -> None:
    """The mistake shows the value and an example."""

    class Wrong(Open):
        openapi_security = said

    @controller("/")
    class Guarded:
        @get("/")
        @guard(Wrong)
        def show(self) -> str:
            return "shown"

    problem = only_problem_of(Guarded, Configuration)
    assert f"is {said!r}, which are not security schemes" in problem.what
    assert "Wrong (" in problem.what
    assert '{"session": {"type": "apiKey"' in problem.remedy
    assert "Guarded.show (" in problem.where


def test_two_schemes_with_the_same_name_are_a_startup_problem() -> None:
    """A client could not know which one is meant."""

    @controller("/")
    class Guarded:
        @get("/")
        @guard(LoggedIn, Token("session"))
        def show(self) -> str:
            return "shown"

    problem = only_problem_of(Guarded, Configuration)
    assert "a scheme 'session' that differs from the scheme of another guard" in problem.what
