"""Replacements as a type checker sees them."""

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

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


@pytest.mark.parametrize(("more", "errors"), [("", 0), (WRONG, 7)])
def test_a_wrong_fake_is_a_type_error(tmp_path: Path, more: str, errors: int) -> None:
    """mypy --strict accepts what fits, protocols and abstract classes too, and nothing else."""
    pytest.importorskip("mypy")
    program = tmp_path / "program.py"
    program.write_text(textwrap.dedent(PROGRAM + more))
    command = [sys.executable, "-m", "mypy", "--strict", "--cache-dir=.mypy_cache", str(program)]
    done = subprocess.run(command, capture_output=True, text=True)

    assert done.stdout.count("error: ") == errors, done.stdout
