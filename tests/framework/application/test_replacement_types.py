"""The type of a replacement: a wrong object gets a message, as from a type checker."""

import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from framework import Application, controller, get, replace, service


@service
class Clock:
    def now(self) -> str:
        return "now"


@controller("/")
class Page:
    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    @get("/")
    def page(self) -> dict[str, str]:
        return {"now": self._clock.now()}


class Sundial:
    """A class with all members of a Clock."""

    def now(self) -> str:
        return "noon"


@pytest.fixture
def app() -> Application:
    return Application(Page, Clock)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (5, "replace(Clock).to(5) does not give a Clock. Fix: give an instance"),
        (None, "replace(Clock).to(None) does not give a Clock. Fix: give an instance"),
        (
            Clock,
            "replace(Clock).to(Clock) does not give a Clock. Fix: give an object of the class, as"
            " in Clock()",
        ),
        (
            Sundial,
            "replace(Clock).to(Sundial) does not give a Clock. Fix: give an object of the class,"
            " as in Sundial()",
        ),
    ],
)
def test_a_stand_in_has_the_type_that_it_replaces(value: Any, message: str) -> None:
    """A replacement is an instance of the type or looks like one; the class itself is neither."""
    with pytest.raises(TypeError) as caught:
        replace(Clock).to(value)

    assert str(caught.value) == message


def test_a_stand_in_may_just_look_like_the_type(app: Application) -> None:
    """A type checker refuses such an object, but the program accepts it."""
    with app.test(replace(Clock).to(Sundial())) as client:  # type: ignore[arg-type]
        assert client.get("/").json["now"] == "noon"


@pytest.mark.parametrize("key", ["Clock", Clock()])
def test_only_a_type_can_be_replaced(key: Any) -> None:
    """A name or an instance cannot be replaced."""
    with pytest.raises(TypeError) as caught:
        replace(key)

    assert str(caught.value) == f"replace takes a type, not {key!r}. Fix: write replace(Clock)"


@pytest.mark.parametrize(("given", "shown"), [(replace(Clock), "replace(Clock)"), (Clock, "Clock")])
def test_a_replacement_without_a_stand_in_is_refused(
    app: Application, given: Any, shown: str
) -> None:
    """A wrong replacement is refused at once, and not only in `with`."""
    with pytest.raises(TypeError) as caught:
        app.test(given)

    assert str(caught.value) == (
        f"app.test takes replacements, not {shown}. Fix: write app.test(replace(Clock).to(...))"
    )


def test_the_client_needs_with(app: Application) -> None:
    """Before `with`, there is no client."""
    with pytest.raises(AttributeError) as caught:
        app.test().get("/")  # type: ignore[attr-defined]

    assert str(caught.value) == (
        "app.test() is not a client yet. Fix: write `with app.test() as client:`"
    )


@pytest.mark.slow
def test_the_json_of_a_response_needs_no_cast(tmp_path: Path) -> None:
    """mypy --strict accepts what a test does with it."""
    program = tmp_path / "program.py"
    program.write_text(
        "from framework import Application\n\n\n"
        "def show(app: Application) -> None:\n"
        "    with app.test() as client:\n"
        '        print(client.get("/").json["now"], client.open("/").json["now"])\n'
    )
    pytest.importorskip("mypy")

    result = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(tmp_path), str(program)],
        capture_output=True,
        text=True,
    )

    assert result.returncode == 0, result.stdout


PROGRAM = """
    from abc import ABC, abstractmethod
    from typing import NewType, Protocol

    from framework import replace
    from framework.testing import SessionClock
    from sessions import MemoryStore, Store

    class Clock(Protocol):
        def now(self, zone: str) -> float: ...

    class Mailer(ABC):
        @abstractmethod
        def send(self) -> None: ...

    class Users:
        def __init__(self, url: str, *, timeout: float) -> None: ...

    Url = NewType("Url", str)

    class FakeClock:
        def now(self, zone: str) -> float:
            return 0.0

    class WrongClock:
        def now(self, zone: int) -> float:
            return 0.0

    class FakeMailer(Mailer):
        def send(self) -> None: ...

    class FakeUsers(Users):
        def __init__(self) -> None: ...

    replace(Clock).to(FakeClock())
    replace(Mailer).to(FakeMailer())
    replace(Users).to(FakeUsers())
    replace(Url).to(Url("redis://"))
    replace(list[int]).to([1])
    replace(Store).to(MemoryStore())
    replace(SessionClock).to(lambda: 0.0)
"""
WRONG = """
    replace(Clock).to(WrongClock())
    replace(Mailer).to(FakeClock())
    replace(Users).to(None)
    replace(Url).to("redis://")
    replace(list[int]).to(["a"])
    replace(Store).to({})
    replace(SessionClock).to(lambda: "now")
"""


@pytest.mark.slow
@pytest.mark.parametrize(("more", "errors"), [("", 0), (WRONG, 7)])
def test_a_wrong_fake_is_a_type_error(tmp_path: Path, more: str, errors: int) -> None:
    """mypy --strict accepts what fits, protocols and abstract classes too, and nothing else."""
    pytest.importorskip("mypy")
    program = tmp_path / "program.py"
    program.write_text(textwrap.dedent(PROGRAM + more))
    command = [sys.executable, "-m", "mypy", "--strict", "--cache-dir=.mypy_cache", str(program)]
    done = subprocess.run(command, capture_output=True, text=True)

    assert done.stdout.count("error: ") == errors, done.stdout
