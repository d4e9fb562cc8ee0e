"""Types of session values whose objects can be changed in place, although they hide it."""

from dataclasses import dataclass
from typing import Annotated, Any

import msgspec
import pytest

from framework import controller, get, session_value
from tests.framework.trials import only_problem_of, problems_of


@dataclass
class Note:
    """Hold nothing that can be changed, and be changed itself."""

    text: str = ""


class Marks(msgspec.Struct, frozen=True, array_like=True):
    numbers: list[int]


@dataclass(frozen=True)
class Tree:
    name: str
    left: "Tree | None" = None


@dataclass(frozen=True)
class Forest:
    first: "Forest | None"
    names: list[str]


def taking_two(kind: Any) -> type:
    """Make a controller that takes one value of the session as a text and as another type."""

    @controller("/")
    class Pages:
        @get("/")
        def show(
            self,
            one: Annotated[str, session_value("x")],
            two: Annotated[kind, session_value("x")],
        ) -> None: ...

    return Pages


@pytest.mark.parametrize("kind", [Note, Marks, Forest])
def test_what_can_be_changed_in_place_shares_no_value_with_another_type(kind: type) -> None:
    """Its changes would be stored over the other, or not at all."""
    problem = only_problem_of(taking_two(kind))

    assert problem.what.endswith("only one of the two could store its changes")


def test_a_frozen_type_that_holds_itself_cannot_be_changed() -> None:
    """Start-up comes to an end with it."""
    assert problems_of(taking_two(Tree)) == ()
