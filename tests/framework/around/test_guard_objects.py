"""Guards and resolvers whose method is not a function of their class, such as test doubles."""

from collections.abc import Callable
from functools import partial, partialmethod
from types import SimpleNamespace
from typing import Annotated, Any
from unittest.mock import Mock, create_autospec

import pytest

from framework import Application, Session, StartupError, component, controller, get, guard, replace
from tests.support.guards import page_guarded_by
from tests.support.small_applications import client_of, only_problem_of


class Role:
    """A guard that passes if the session has the role."""

    def check(self, session: Session) -> bool:
        return bool(session.get("role") == "admin")


class Forwarding:
    """A guard whose check is the method of another object."""

    def __getattr__(self, name: str) -> Any:
        if name == "check":
            return Role().check
        raise AttributeError(name)


class Slotted:
    __slots__ = ("check",)

    def __init__(self) -> None:
        self.check = Role().check


class Property:
    @property
    def check(self) -> Callable[..., bool]:
        return Role().check


def is_admin(session: Session) -> bool:
    return bool(session.get("role") == "admin")


def has(role: str, session: Session) -> bool:
    return bool(session.get("role") == role)


def has_role(session: Session, role: str) -> bool:
    return bool(session.get("role") == role)


class Method:
    def _has(self, role: str, session: Session) -> bool:
        return bool(session.get("role") == role)

    check = partialmethod(_has, "admin")


@pytest.mark.parametrize(
    "guarding",
    [
        SimpleNamespace(check=Role().check),
        SimpleNamespace(check=is_admin),
        SimpleNamespace(check=partial(has, "admin")),
        SimpleNamespace(check=partial(has_role, role="admin")),
        Forwarding(),
        Slotted(),
        Property(),
        Method(),
    ],
    ids=[
        "bound",
        "function",
        "partial",
        "keyword",
        "getattr",
        "slots",
        "property",
        "partialmethod",
    ],
)
def test_a_check_does_not_read_arguments_that_a_partial_has_set(guarding: Any) -> None:
    """An argument that a partial function has set is not read from the query."""
    with client_of(page_guarded_by(guarding)) as client:
        assert client.get("/?role=").status_code == 403
        with client.session() as session:
            session["role"] = "user"
        assert client.get("/?role=user").status_code == 403
        with client.session() as session:
            session["role"] = "admin"
        assert client.get("/").status_code == 200


@component
class Current:
    def resolve(self, session: Session) -> str:
        return "resolved"


@controller("/")
class Page:
    @get("/")
    @guard(Role)
    def show(self, text: Annotated[str, Current]) -> str:
        return text


@pytest.mark.parametrize("double", [Mock, lambda: create_autospec(Role, instance=True)])
def test_a_test_double_is_a_guard(double: Callable[[], Any]) -> None:
    """A Mock is called without arguments; a double of a class is called like that class."""
    guarding = double()
    with Application(Page).test(replace(Role).to(guarding)) as client:
        guarding.check.return_value = False
        assert client.get("/").status_code == 403
        guarding.check.return_value = True
        assert client.get("/").text == "resolved"


def test_a_test_double_has_the_parameters_of_its_class() -> None:
    """This also holds for a double that knows only the names of the methods."""
    guarding = Mock(spec=Role)
    guarding.check.side_effect = Role().check
    with Application(Page).test(replace(Role).to(guarding)) as client:
        with client.session() as session:
            session["role"] = "admin"

        assert client.get("/").text == "resolved"


@pytest.mark.parametrize("double", [Mock, lambda: create_autospec(Current, instance=True)])
def test_a_test_double_is_a_resolver(double: Callable[[], Any]) -> None:
    """The rules are the same as for a guard."""
    resolving = double()
    resolving.resolve.return_value = "doubled"
    passing = Mock(check=Mock(return_value=True))
    replacements = (replace(Role).to(passing), replace(Current).to(resolving))
    with Application(Page).test(*replacements) as client:
        assert client.get("/").text == "doubled"


def test_an_async_check_of_an_object_is_a_problem() -> None:
    """The object may have the check in its class, or as an attribute."""

    async def check(session: Session) -> bool:
        return True

    problem = only_problem_of(page_guarded_by(SimpleNamespace(check=check)))

    assert problem.what == "the method is an async function, which WSGI cannot run"


def test_a_replacement_without_a_check_is_a_problem() -> None:
    """Such an object cannot guard anything."""

    class Broken(Role):
        check: Any = None

    with (
        pytest.raises(StartupError, match="Broken, which has no method check"),
        Application(Page).test(replace(Role).to(Broken())),
    ):
        pass


def test_a_check_without_a_signature_gets_no_arguments() -> None:
    """A function written in C may have no signature."""
    with client_of(page_guarded_by(SimpleNamespace(check=bool))) as client:
        assert client.get("/").status_code == 403
