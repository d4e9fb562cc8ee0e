"""Small mistakes of writing, running and deploying: each is told in words that help."""

from pathlib import Path
from typing import Any

import pytest

from framework import Application, Body, StartupError, controller, get, post, session
from framework.defaults import SessionDefaults
from framework.startup import Problem, location
from sessions import ConfigurationError, StoreUnavailable
from tests.framework.commands import Framework
from tests.framework.trials import client_of, only_problem_of


def test_a_status_that_is_text_is_a_problem() -> None:
    """As a number out of range is."""

    @controller("/")
    class Page:
        @get("/a", status="201")  # type: ignore[arg-type]
        def page(self) -> str:
            return ""

    assert only_problem_of(Page) == Problem(
        location(Page.page),
        "the status '201' of GET /a is no final HTTP status",
        "Give a number from 200 to 599, or leave it out.",
    )


def test_a_verb_belongs_on_a_method() -> None:
    """A property is none."""
    with pytest.raises(TypeError) as caught:

        class Page:
            @get("/")  # type: ignore[prop-decorator]
            @property
            def page(self) -> str:
                return ""

    assert str(caught.value) == (
        "@get belongs on a method, not on a property: write def below @get('/')"
    )


def test_a_list_of_classes_is_to_be_unpacked() -> None:
    """The classes are arguments of their own."""

    class Page: ...

    with pytest.raises(StartupError) as caught:
        Application([Page])  # type: ignore[arg-type]

    (problem,) = caught.value.problems
    assert problem.what == "this is a list, but Application takes classes and modules"
    assert problem.remedy == (
        "Give them one by one: Application(First, Second), or Application(*classes)."
    )


@pytest.mark.parametrize(
    ("content", "what"),
    [("", "has 0 bytes, at least 32 are needed"), ("schlüssel" * 9, "is no ASCII text")],
)
def test_an_unfit_key_file_is_to_be_deleted(tmp_path: Path, content: str, what: str) -> None:
    """It may have been cut off, or written by hand."""
    file = tmp_path / "session.key"
    file.write_text(content)

    with pytest.raises(ConfigurationError) as caught:
        SessionDefaults(tmp_path, {}).keys()

    assert caught.value.problems == (
        f"the session key in {str(file)!r} is unfit: it {what};"
        " delete the file: the next start makes a new one",
    )


def test_a_body_without_a_content_type_is_told_so() -> None:
    """Its absence is no empty type."""

    @controller("/")
    class Notes:
        @post("/")
        def add(self, note: Body[dict[str, Any]]) -> None: ...

    with client_of(Notes) as client:
        detail = client.post("/", data=b"{}").json["detail"]

    assert detail == "The body has no Content-Type: send application/json in UTF-8."


def test_a_broken_store_is_no_maintenance() -> None:
    """The client is told to come again; nobody has planned this."""

    @controller("/")
    class Visits:
        @get("/")
        def show(self, session: session) -> str:
            raise StoreUnavailable("down")

    with client_of(Visits) as client:
        response = client.get("/")

    assert response.status_code == 503
    assert response.json["detail"] == (
        "The server cannot reach its sessions at the moment. Try again in a moment."
    )


def test_a_misspelt_app_is_told(framework: Framework) -> None:
    """In pyproject.toml."""
    Path("pyproject.toml").write_text('[tool.framework]\nap = "shop:app"\n')

    assert framework("routes").output == (
        "Error: pyproject.toml has 'ap' under [tool.framework]. Did you mean 'app'?\n"
    )


def test_an_app_that_is_no_text_is_told(framework: Framework) -> None:
    """A number names no module."""
    Path("pyproject.toml").write_text("[tool.framework]\napp = 5\n")

    assert framework("routes").output == (
        "Error: pyproject.toml has app = 5 under [tool.framework]. Write it as text:"
        ' app = "shop:app".\n'
    )


def test_what_is_refused_is_not_proposed(framework: Framework) -> None:
    """An attribute of an attribute is no application."""
    assert framework("routes", "app:app.test").output == (
        "Error: The command line names the application as 'app:app.test'. Write module:name, such"
        " as app:app.\n"
    )


def test_a_port_that_is_no_number_is_told(framework: Framework) -> None:
    """In words, not in the names of click."""
    assert "'x' is not a valid port number." in framework("run", "--port", "x").output
