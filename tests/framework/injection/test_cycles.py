"""Cycles through components of different scopes."""

from framework import Inject, component, controller, get
from tests.support.small_applications import problems_of


def test_a_cycle_through_a_request_is_drawn() -> None:
    """A component of the application and one of the request need each other."""

    @component
    class Shared:
        def __init__(self, own: "Own") -> None: ...

    @component(scope="request")
    class Own:
        def __init__(self, shared: Shared) -> None: ...

    Shared.__init__.__annotations__["own"] = Own

    @controller("/")
    class Page:
        @get("/")
        def show(self, own: Inject[Own]) -> str:
            return ""

    whats = [each.what for each in problems_of(Page, Shared, Own)]
    assert any("need each other" in what for what in whats), whats
    assert not any("RecursionError" in what for what in whats)


def test_a_longer_lived_user_of_a_broken_component_is_reported_as_well() -> None:
    """There are two mistakes, and one start reports both."""

    @component(scope="request")
    class Broken:
        def __init__(self, name: str) -> None: ...

    @component
    class Keeper:
        def __init__(self, broken: Broken) -> None: ...

    @controller("/")
    class Page:
        @get("/")
        def show(self, keeper: Inject[Keeper]) -> str:
            return ""

    whats = " | ".join(each.what for each in problems_of(Page, Keeper, Broken))
    assert "Keeper is built once" in whats
    assert "nothing provides str" in whats
