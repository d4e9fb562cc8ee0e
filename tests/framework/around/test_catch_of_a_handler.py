"""`@catch(..., of=handler)`: an exception handler for some handlers of its controller."""

from dataclasses import dataclass
from typing import Any

import pytest

from framework import Form, catch, configuration, controller, get, post
from framework.validation import InvalidRequest
from tests.support.small_applications import client_of, only_problem_of


@dataclass
class Login:
    name: str


@controller("/")
class Forms:
    @post("/login")
    def login(self, form: Form[Login]) -> str:
        return form.name

    @catch(InvalidRequest, of=login)
    def login_again(self, error: InvalidRequest) -> str:
        return f"login: {error.errors[0].where}"

    @post("/register")
    def register(self, form: Form[Login]) -> str:
        return form.name

    @get("/<int:number>")
    def show(self, number: int, size: int) -> int:
        return number * size

    @catch(InvalidRequest, of=[register])
    def register_again(self) -> str:
        return "register"

    @catch(InvalidRequest, of=show)
    def show_again(self, number: int) -> str:
        return f"show {number}"

    @post("/other")
    def other(self, form: Form[Login]) -> str:
        return form.name

    @catch(InvalidRequest)
    def again(self) -> str:
        return "any"


class Inherited(Forms):
    def login(self, form: Form[Login]) -> str:
        return form.name


@pytest.mark.parametrize("forms", [Forms, controller("/")(Inherited)])
@pytest.mark.parametrize(
    ("path", "text"),
    [("/login", "login: form:name"), ("/register", "register"), ("/other", "any")],
)
def test_each_handler_has_its_own_exception_handler(forms: type, path: str, text: str) -> None:
    """The exception handler of the handler answers before the controller's."""
    with client_of(forms) as client:
        response = client.post(path, data={})

    assert (response.status_code, response.text) == (422, text)


def test_the_variables_are_those_of_the_handler() -> None:
    """An exception handler of one handler may take the variables of its path."""
    with client_of(Forms) as client:
        assert client.get("/7").text == "show 7"


def helper() -> None: ...


def test_only_a_handler_of_the_controller_has_an_exception_handler() -> None:
    """A method without a verb, and a handler of another class, are a mistake."""

    @controller("/")
    class Pages:
        @get("/")
        def show(self) -> None: ...

        @catch(LookupError, of=helper)
        def failed(self) -> None: ...

    @configuration
    class Errors:
        @catch(LookupError, of=Forms.login)
        def failed(self) -> None: ...

    assert only_problem_of(Pages).what == (
        "@catch(..., of=helper) names a method that is not a handler of this controller"
    )
    assert "of=login" in only_problem_of(Forms, Errors).what


@pytest.mark.parametrize("of", ["login", 5, None])
def test_a_text_in_place_of_a_handler_is_refused(of: Any) -> None:
    """A text is not a handler, and the message shows the right spelling."""
    with pytest.raises(TypeError, match=r"@catch\(InvalidRequest, of=login\)"):
        catch(InvalidRequest, of=of)
