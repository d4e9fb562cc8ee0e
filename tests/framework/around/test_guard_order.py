"""Guards are inherited, and run from the outermost to the handler's own."""

from collections.abc import Callable
from typing import Any

import pytest

from framework import (
    configuration,
    controller,
    get,
    guard,
)
from tests.support.guards import Answering, Named, page_guarded_by
from tests.support.small_applications import client_of, passing_on


def test_guards_run_from_the_outermost_to_the_handlers_own() -> None:
    """Guards run in this order: configuration, base of the controller, controller, handler."""
    checks: list[str] = []

    @configuration
    @guard(Named("application", checks))
    class Everywhere: ...

    @guard(Named("base", checks))
    class Base: ...

    @controller("/")
    @guard(Named("first", checks), Named("second", checks))
    @guard(Named("third", checks))
    class Page(Base):
        @get("/")
        @guard(Named("handler", checks))
        def show(self) -> str:
            return "shown"

    with client_of(Page, Everywhere) as client:
        client.get("/?refuse=handler")

    assert checks == ["application", "base", "first", "second", "third", "handler"]


def test_the_first_refusal_ends_the_request() -> None:
    """The guards after it do not run."""
    checks: list[str] = []
    page = page_guarded_by(Named("outer", checks), Named("inner", checks))
    with client_of(page) as client:
        response = client.get("/?refuse=outer")

    assert response.status_code == 403
    assert checks == ["outer"]


def test_guards_of_a_base_apply_where_a_subclass_decorates_again() -> None:
    """The subclass has only the new path, and still the guard of the base."""
    checks: list[str] = []

    class Base:
        @get("/old")
        @guard(Named("base", checks))
        def show(self) -> str:
            return "old"

    @controller("/")
    class Page(Base):
        @get("/new")
        @guard(Named("own", checks))
        def show(self) -> str:
            return "new"

    with client_of(Page) as client:
        assert client.get("/old").status_code == 404
        assert client.get("/new?refuse=base").status_code == 403
        assert client.get("/new").text == "new"

    assert checks == ["base", "base", "own"]


def test_guards_of_a_base_class_apply_in_the_subclass() -> None:
    """They also guard handlers that the subclass adds."""

    @guard(Answering(False))
    class Base:
        @get("/inherited")
        def inherited(self) -> str:
            return "inherited"

    @controller("/")
    class Page(Base):
        @get("/added")
        def added(self) -> str:
            return "added"

    with client_of(Page) as client:
        assert client.get("/inherited").status_code == 403
        assert client.get("/added").status_code == 403


def test_a_guard_of_a_subclass_leaves_the_base_alone() -> None:
    """Two controllers share a method, and only one of them guards it."""

    @controller("/open")
    class Open:
        @get("/")
        def show(self) -> str:
            return "shown"

    @controller("/closed")
    @guard(Answering(False))
    class Closed(Open): ...

    with client_of(Open, Closed) as client:
        assert client.get("/open").status_code == 200
        assert client.get("/closed").status_code == 403


def test_a_guard_that_is_named_twice_checks_once() -> None:
    """The base and the subclass may both name the guard."""
    checks: list[str] = []
    asked = Named("asked", checks)

    @guard(asked)
    class Base: ...

    @controller("/")
    @guard(asked)
    class Page(Base):
        @get("/")
        def show(self) -> str:
            return "shown"

    with client_of(Page) as client:
        client.get("/")

    assert checks == ["asked"]


@pytest.mark.parametrize("above", [True, False])
def test_a_guard_survives_a_decorator_that_wraps(above: bool) -> None:
    """The guard may be above or below the verb, and above or below functools.wraps."""

    def show(self: object) -> str:
        return "shown"

    decorate: Callable[..., Any] = guard(Answering(False))
    method = passing_on(get("/")(decorate(show))) if above else decorate(passing_on(get("/")(show)))
    with client_of(controller("/")(type("Page", (), {"show": method}))) as client:
        assert client.get("/").status_code == 403
