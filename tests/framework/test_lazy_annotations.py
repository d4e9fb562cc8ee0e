"""Annotations of Python 3.14, which are evaluated when somebody asks for them."""

import sys
from typing import Any

import pytest

import framework
from tests.framework.trials import client_of, problems_of

pytestmark = pytest.mark.skipif(
    sys.version_info < (3, 14), reason="annotations are lazy from Python 3.14 on"
)


def module_of(source: str) -> dict[str, Any]:
    """Run a module that the compiler of older versions would fail to run."""
    names = {name: getattr(framework, name) for name in framework.__all__}
    exec(source, names)  # noqa: S102
    return names


def test_lazy_annotations_are_read_without_what_does_not_exist() -> None:
    """An annotation that names nothing is a problem, not an exception."""
    names = module_of(
        "class NewUser: ...\n"
        "@controller('/')\n"
        "class Pages:\n"
        "    @get('/')\n"
        "    def page(self, x: list[Missing], user: NewUser) -> Nothing: ...\n"
    )

    what = [each.what for each in problems_of(names["Pages"])]

    assert len(what) == 2
    assert "'Missing' does not exist" in what[0]
    assert "'user' is NewUser" in what[1]


def test_an_annotation_that_raises_hides_no_other() -> None:
    """The others of the method are still read."""
    names = module_of(
        "@controller('/')\n"
        "class Pages:\n"
        "    @get('/')\n"
        "    def page(self, x: int | 'User', y: Missing) -> None: ...\n"
    )

    what = [each.what for each in problems_of(names["Pages"])]

    assert len(what) == 2
    assert "TypeError: unsupported operand type(s) for |" in what[0]
    assert "'Missing' does not exist" in what[1]


def test_what_is_returned_need_not_exist() -> None:
    """Nobody needs the types that these promise, wherever they stand."""
    names = module_of(
        "from typing import Annotated, Protocol\n"
        "class Clock(Protocol):\n"
        "    zone: Missing\n"
        "    def now(self) -> Missing: ...\n"
        "@component\n"
        "class Watch(Clock):\n"
        "    zone = 'UTC'\n"
        "    def now(self) -> Missing: return 'noon'\n"
        "@component(scope='request')\n"
        "class Visit:\n"
        "    def __init__(self, clock: Clock) -> None: self.at = clock.now()\n"
        "    def end(self) -> Missing: ...\n"
        "class Open:\n"
        "    def check(self) -> Missing: return True\n"
        "class Now:\n"
        "    def resolve(self, visit: Inject[Visit]) -> Missing: return visit.at\n"
        "def around(request: Missing, next: Missing) -> Missing: return next(request)\n"
        "@configuration\n"
        "class Web:\n"
        "    def on_start(self) -> Missing: ...\n"
        "    @component\n"
        "    def middleware(self) -> list[Middleware]: return [around]\n"
        "    @catch(KeyError)\n"
        "    def caught(self, error: KeyError) -> Missing: return 'caught'\n"
        "@controller('/')\n"
        "class Pages:\n"
        "    @get('/')\n"
        "    @guard(Open)\n"
        "    def page(self, now: Annotated[str, Now]) -> Missing: return now\n"
        "    @get('/fails')\n"
        "    def fails(self) -> Missing: raise KeyError\n"
    )

    with client_of(*(names[each] for each in ("Pages", "Web", "Watch", "Visit"))) as client:
        assert client.get("/").text == "noon"
        assert client.get("/fails").text == "caught"
