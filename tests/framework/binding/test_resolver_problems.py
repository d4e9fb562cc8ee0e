"""Wrong objects in place of resolvers, and resolvers with a wrong return type."""

from collections.abc import Mapping, Sequence, Sized
from typing import Annotated, Any, NewType, Protocol, TypedDict

import pytest

from framework import Session, component
from framework.report import location
from tests.support.small_applications import echo_of, only_problem_of, problems_of


class User: ...


class Admin(User): ...


class Account: ...


class UserWithAccount(User, Account): ...


class AnyOfThem(type):
    def __instancecheck__(cls, instance: object) -> bool:
        return True


class Special(metaclass=AnyOfThem): ...


class Named(Protocol):
    name: str


class Shape(TypedDict):
    size: int


UserId = NewType("UserId", int)


class Shop: ...


def current_user() -> User:
    return User()


def resolver_of(returned: Any) -> type:
    """Make a resolver that is annotated to return something."""

    class Current:
        def resolve(self, session: Session) -> Any: ...

    Current.resolve.__annotations__["return"] = returned
    return Current


def test_a_component_in_place_of_a_resolver_has_a_remedy() -> None:
    """The remedy names the annotated type, not the component."""

    @component
    class Current: ...

    problem = only_problem_of(echo_of(Annotated[User, Current]))

    assert problem.what == "Current has no method resolve"
    assert problem.remedy == "Write the method: def resolve(self, session: session) -> User."


def test_a_function_is_not_a_resolver() -> None:
    """A resolver is a class."""
    problem = only_problem_of(echo_of(Annotated[User, current_user]))

    assert problem.what == (
        "the Annotated[...] of parameter 'x' contains the function"
        f" {location(current_user)}, which is not a marker"
    )
    assert problem.remedy == (
        "Move the code of the function to the method resolve() of a class, and write the class"
        " in Annotated[...]."
    )


def test_a_resolver_that_returns_another_class_is_a_problem() -> None:
    """A type checker cannot find this mistake."""
    current: Any = resolver_of(str)

    problem = only_problem_of(echo_of(Annotated[User, current]))

    assert problem.what == f"parameter 'x' is User, but {location(current.resolve)} returns str"
    assert problem.remedy == "Let resolve return User, or write Annotated[str, Current]."


@pytest.mark.parametrize("returned", [None, int, "Session", Shop])
def test_a_type_that_a_resolver_never_gives_is_reported(returned: Any) -> None:
    """This includes None, and a type in a string."""
    problem = only_problem_of(echo_of(Annotated[User, resolver_of(returned)]))

    assert problem.what.startswith("parameter 'x' is User, but Current.resolve (")


@pytest.mark.parametrize(
    ("returned", "wanted"),
    [
        (Admin, User),
        (User, Admin),
        (User | None, User),
        (User, User | None),
        (User | str, User),
        (User, Named),
        (User, Account),
        (User, Special),
        (str, Special),
        (User, Sized),
        (User, Any),
        (Any, User),
        (object, User),
        (int, float),
        (int, UserId),
        (UserId, int),
        (dict, Shape),
        (list[str], Sequence[str]),
        (dict, Mapping),
        ("Missing", User),
    ],
)
def test_a_resolver_may_return_a_type_that_might_fit(returned: Any, wanted: Any) -> None:
    """If the types might fit, no mistake is reported."""
    assert problems_of(echo_of(Annotated[wanted, resolver_of(returned)])) == ()


@component(scope="request")
class Anew:
    def resolve(self) -> str:
        return "anew"


def test_a_resolver_that_is_built_for_each_request_is_a_problem() -> None:
    """A resolver is built once, and resolves in each request."""
    problem = only_problem_of(echo_of(Annotated[str, Anew]), Anew)

    assert problem.what.endswith('Anew has scope="request", but resolvers are built once')
