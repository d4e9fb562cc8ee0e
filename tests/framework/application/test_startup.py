"""The start-up report: every mistake, its place, and the remedy."""

import functools
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from framework import Application, Session, component, configuration, controller, get
from framework.report import Mistake, StartupError, location
from sessions import CookieSettings, SessionContainer
from sessions.transports.cookie import CookieTransport
from tests.support.errors_page import PAGE, ShownMistake, message_of, mistakes

HERE = Path(__file__).relative_to(Path.cwd())


def line_of(text: str) -> int:
    lines = Path(__file__).read_text(encoding="utf-8").splitlines()
    return next(number for number, line in enumerate(lines, 1) if line.strip() == text)


class Users:
    def show(self) -> None: ...

    class Inner:
        def show(self) -> None: ...


def logged(function: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(function)
    def wrapper(*args: object) -> None:
        function(*args)

    return wrapper


def test_a_method_is_located_by_class_file_and_line() -> None:
    """A method is described by its class, and its file relative to the working directory."""
    assert location(Users.show) == f"Users.show ({HERE}:{line_of('class Users:') + 1})"


def test_a_class_is_located_by_its_first_line() -> None:
    """A class is described by the line of its statement, inner classes by their full name."""
    assert location(Users.Inner) == f"Users.Inner ({HERE}:{line_of('class Inner:')})"


def test_a_local_class_is_called_by_its_own_name() -> None:
    """The function around a class is left out of its description."""

    class Local:
        def show(self) -> None: ...

    assert location(Local.show).startswith("Local.show (")


def test_a_wrapped_function_is_located_where_it_is_written() -> None:
    """A decorator with functools.wraps does not hide the function inside."""
    assert location(logged(Users.show)) == location(Users.show)


@pytest.mark.parametrize("kind", [staticmethod, classmethod])
def test_static_and_class_methods_are_located(kind: Callable[..., object]) -> None:
    """The objects of static and class methods are described by their function."""
    assert location(kind(Users.show)) == location(Users.show)


def test_a_class_without_source_code_is_still_named() -> None:
    """A class of C, or a class made at run time, is described by its name."""
    made = type("Made", (), {})

    assert [location(int), location(made), location(3)] == ["int", "Made", "3"]


def test_the_report_counts_and_shows_every_problem() -> None:
    """The text of the error is a readable report: the count, then a block for each problem."""
    error = StartupError(
        [
            Mistake("the path is wrong", "Correct it.", where="B.show (b.py:2)"),
            Mistake("two\nlines", "Join them.", where="A.show (a.py:10)"),
        ]
    )

    assert str(error) == (
        "2 mistakes keep the application from starting:\n\n"
        "1. A.show (a.py:10)\n   two\n   lines\n   Fix: Join them.\n\n"
        "2. B.show (b.py:2)\n   the path is wrong\n   Fix: Correct it."
    )


def test_a_problem_is_reported_once() -> None:
    """A mistake that is found twice, as in a handler of two routes, is one problem."""
    problem = Mistake("wrong", "Correct it.", where="A (a.py:1)")

    assert StartupError([problem, problem]).problems == (problem,)


def test_problems_are_sorted_by_file_and_line() -> None:
    """Line 9 comes before line 10, and problems without a place come first."""
    places = ["X (b.py:1)", "X (a.py:10)", "X (a.py:9)", "shop.mail"]

    error = StartupError(Mistake("", "", where=where) for where in places)

    assert [each.where for each in error.problems] == [
        "shop.mail",
        "X (a.py:9)",
        "X (a.py:10)",
        "X (b.py:1)",
    ]


MISTAKES = mistakes()


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.title)
def test_a_mistake_has_the_message_that_the_page_shows(
    mistake: ShownMistake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The whole message is exactly the message on the page."""
    assert message_of(mistake.program, tmp_path, monkeypatch) == mistake.message


def test_the_page_has_the_twenty_most_likely_mistakes() -> None:
    """Every section of the page shows a mistake with its message, and there are over twenty."""
    titles = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line[:3] == "## "]

    assert [f"## {mistake.title}" for mistake in MISTAKES if mistake.message] == titles
    assert len(titles) > 20


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.title)
def test_a_message_has_a_place_and_a_remedy(mistake: ShownMistake) -> None:
    """Every message points into the program, or at a setting, and says what to do."""
    remedies = ("Fix: ", "write ", "serve over ", "use it before ", "store its parts ")

    assert any(remedy in mistake.message for remedy in remedies)


def test_a_transport_that_raises_a_key_error_keeps_the_application_from_starting() -> None:
    """The error is reported, and does not turn sessions off."""

    class Broken(CookieTransport):
        def __getattribute__(self, name: str) -> Any:
            if name == "vary":
                raise KeyError(name)
            return super().__getattribute__(name)

    @configuration
    class Web:
        @component
        def session_container(self) -> SessionContainer:
            return SessionContainer(
                keys=[secrets.token_urlsafe(32)], transports=[Broken("session", CookieSettings())]
            )

    @controller("/")
    class Page:
        @get("/")
        def show(self, session: Session) -> int:
            return len(session)

    with pytest.raises(StartupError, match="KeyError: 'vary'"):
        Application(Page, Web)
