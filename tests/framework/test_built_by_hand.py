"""Objects where the framework wants the class, because it builds it with what it needs."""

from pathlib import Path

import pytest

from framework.advice.errors import remedy_for

KINDS = """
from typing import Annotated
from framework import *

@service
class Users:
    pass

class Admin:
    def __init__(self, users: Users) -> None:
        self.users = users
    def check(self) -> bool:
        return True

class Audit:
    def __init__(self, users: Users) -> None:
        self.users = users
    def __call__(self, request: Request, next: Next) -> Response:
        return next(request)
"""


@pytest.mark.parametrize(
    ("line", "remedy"),
    [
        ("@guard(Admin())\nclass Notes: pass", "Write @guard(Admin), the class"),
        ("@guard(Admin(), Admin)\nclass Notes: pass", "Write @guard(Admin), the class"),
        ("Annotated[Users, Admin()]", "Write Annotated[..., Admin], the class"),
        ("Application(Admin())", "Write Admin, the class, without parentheses"),
        ("[Audit()]", "Write Audit, the class, in the list of middleware"),
        ("admin = Admin()", "def __init__(self, admin: Admin)"),
    ],
)
def test_an_object_built_without_arguments_is_explained(
    line: str, remedy: str, tmp_path: Path
) -> None:
    """The remedy is about the class, not about the missing argument."""
    file = tmp_path / "app.py"
    file.write_text(KINDS + line)
    with pytest.raises(TypeError) as caught:
        exec(compile(file.read_text(), str(file), "exec"), {"__name__": "app"})  # noqa: S102

    assert remedy in (remedy_for(caught.value) or "")
