"""A session class of the user: mistakes in it are refused when the container is made."""

from typing import Any

import pytest

from sessions import AsyncSession, ConfigurationError, EndReason, Session, SessionContainer
from sessions.edges import RequestHead
from tests.support.apps import KEY


class _Mixed:
    """A part for several classes, which needs no session."""

    def __init__(self) -> None:
        self.is_made = True


class Good(Session):
    """Everything that a class of sessions may have."""

    _agent: str | None = None
    LONGEST = 3

    @property
    def cart(self) -> list[str]:
        """A property of the user's own."""
        return list(self.get("cart", []))

    @property
    def user_id(self) -> str | None:
        """A property in place of another one."""
        return super().user_id

    def set_user(self, user_id: str, /, **user_data: Any) -> None:
        """A method in place of another one."""
        super().set_user(user_id, **user_data)

    def resume(self, request: RequestHead, *, is_tried: bool = False) -> bool:
        return True

    @staticmethod
    def finish(reason: EndReason) -> None:
        """A method that needs no session."""

    def _finis(self) -> None:
        """A private method may have any name."""

    def restart(self) -> None:
        """A name that is not near to the names of the lifecycle methods."""


class GoodAndMixed(_Mixed, Good):
    """A class with a part that is no session."""


def made(name: str, value: object, base: type = Session) -> type:
    """Return a class of sessions with one member."""
    return type("Mine", (base,), {name: value})


@pytest.mark.parametrize("kind", [Session, Good, GoodAndMixed])
def test_a_right_class_is_accepted(kind: type[Session]) -> None:
    """Properties, private attributes, constants and replaced methods are allowed."""
    assert SessionContainer(keys=[KEY], session_class=kind).session_class is kind


def no_arguments(self: object) -> None:
    """Take nothing."""


def one_argument(self: object, one: object) -> bool:
    """Take one argument."""
    return True


@pytest.mark.parametrize("setting", ["session_class", "async_session_class"])
@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("__init__", no_arguments, "'__init__', which is never called.*resume"),
        ("__new__", no_arguments, "'__new__', which is never called"),
        ("user_id", "eve", "replaces 'user_id' of .* by 'eve', for all sessions.*another name"),
        ("handle", None, "replaces 'handle'"),
        ("set_user", ["ada"], "replaces 'set_user'"),
        ("resum", one_argument, r"'resum', which is never called.*resume\(\)"),
        ("suspended", no_arguments, r"'suspended', which is never called.*suspend\(\)"),
        ("finsh", one_argument, r"'finsh', which is never called.*finish\(\)"),
        ("resume", no_arguments, r"called as resume\(request\).*def resume\(self, request\)"),
        ("suspend", one_argument, r"called as suspend\(\).*def suspend\(self\)"),
        ("finish", no_arguments, r"called as finish\(reason\).*def finish\(self, reason\)"),
    ],
)
def test_a_mistake_is_reported(setting: str, name: str, value: object, told: str) -> None:
    """Each of these would do nothing, or something wrong, without a word."""
    base = Session if setting == "session_class" else AsyncSession
    settings: dict[str, Any] = {setting: made(name, value, base)}

    with pytest.raises(ConfigurationError, match=f"(?s): {setting}=.*Mine.*{told}"):
        SessionContainer(keys=[KEY], **settings)


def test_the_mistake_of_a_parent_class_is_reported() -> None:
    """The message names the class that has the mistake."""
    kind = type("Child", (made("resum", one_argument),), {})

    with pytest.raises(ConfigurationError, match=r"Mine'>.*'resum'"):
        SessionContainer(keys=[KEY], session_class=kind)


def test_all_mistakes_of_a_class_are_reported_at_once() -> None:
    """Nobody needs a second try to find the second mistake."""
    kind = type("Mine", (Session,), {"resum": one_argument, "user_id": "eve"})

    with pytest.raises(ConfigurationError) as raised:
        SessionContainer(keys=[KEY], session_class=kind)
    assert len(raised.value.problems) == 2
