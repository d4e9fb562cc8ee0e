"""The page of the OpenAPI document: the application serves everything that it loads."""

import re
import subprocess
import sys
from typing import Any

import pytest

from framework import (
    Application,
    StartupError,
    component,
    configuration,
    controller,
    get,
)
from framework.openapi import OpenAPI
from tests.support.openapi_shop import Configuration, Items, Pages
from tests.support.small_applications import only_problem_of

ASSETS = ("/page.js", "/send.js", "/page.css")


@configuration
class AtTheRoot:
    @component
    def openapi(self) -> OpenAPI:
        return OpenAPI(title="Root", path="/")


def test_the_page_and_its_assets_are_served() -> None:
    """Each has its type, and a policy that allows nothing from other servers."""
    with Application(Items, Configuration).test() as client:
        served = [
            client.get(f"/docs{each}") for each in ("", "/", "/page.js", "/send.js", "/page.css")
        ]

    assert [each.mimetype for each in served] == [
        "text/html",
        "text/html",
        "text/javascript",
        "text/javascript",
        "text/css",
    ]
    assert all("default-src 'none'" in each.headers["Content-Security-Policy"] for each in served)


def test_nothing_comes_from_another_server() -> None:
    """No served text contains the name of another server."""
    with Application(Items, Configuration).test() as client:
        texts = [
            client.get(f"/docs{each}").text for each in ("", "/page.js", "/send.js", "/page.css")
        ]

    assert not re.search(r"(https?:)?//[a-z]", "\n".join(texts).replace("// ", ""))


@pytest.mark.parametrize(
    ("base_url", "wiring", "page", "assets"),
    [
        ("http://localhost", Configuration, "/docs", "/docs"),
        ("http://localhost/shop", Configuration, "/docs", "/shop/docs"),
        ("http://localhost", AtTheRoot, "/", ""),
    ],
    ids=["plain", "mounted", "root"],
)
def test_the_page_finds_its_assets(base_url: str, wiring: type, page: str, assets: str) -> None:
    """This also works below a mount point, and at the root."""
    with Application(Items, wiring).test() as client:
        text = client.get(page, base_url=base_url).text

    assert f'src="{assets}/page.js"' in text
    assert f'href="{assets}/page.css"' in text
    assert f'data-document="{assets}/openapi.json"' in text


def test_a_title_is_text() -> None:
    """HTML in the title is shown as text."""
    with Application(Items, Configuration).test() as client:
        text = client.get("/docs").text

    assert "<h1>Shop &lt;1&gt;</h1>" in text


def test_the_document_is_json() -> None:
    """Each request gets the same document."""
    with Application(Items, Pages, Configuration).test() as client:
        first, second = (client.get("/docs/openapi.json") for _ in range(2))

    assert first.mimetype == "application/json"
    assert first.data == second.data


def test_a_handler_at_the_same_path_is_a_startup_problem() -> None:
    """No request could reach one of the two."""

    @controller("/docs")
    class Docs:
        @get("/")
        def show(self) -> str:
            return "mine"

    with pytest.raises(StartupError, match="GET /docs"):
        Application(Docs, Configuration)


@pytest.mark.parametrize(
    ("settings", "what"),
    [
        ({"version": 1.2}, "OpenAPI.version is 1.2"),
        ({"path": "/docs/<name>"}, "OpenAPI.path is '/docs/<name>'"),
        ({"path": "//docs"}, "OpenAPI.path is '//docs'"),
        ({"path": None}, "OpenAPI.path is None"),
        ({"servers": "https://shop.example"}, "OpenAPI.servers is 'https://shop.example'"),
        ({"include": None}, "OpenAPI.include is None"),
        ({"amend": {}}, "OpenAPI.amend is {}"),
    ],
)
def test_settings_that_cannot_work_are_startup_problems(
    settings: dict[str, Any], what: str
) -> None:
    """The mistakes name the setting and its place."""

    @configuration
    class Wrong:
        @component
        def openapi(self) -> OpenAPI:
            return OpenAPI(**{"title": "Shop", **settings})

    problem = only_problem_of(Items, Wrong)

    assert problem.what == what
    assert "Wrong.openapi (" in problem.where


def test_without_the_component_there_is_nothing() -> None:
    """There is no path, and the package is not imported."""
    program = """
import sys
from framework import Application, controller, get

@controller("/")
class Plain:
    @get("/")
    def show(self) -> str:
        return "plain"

with Application(Plain).test() as client:
    print(client.get("/docs").status_code, "framework.openapi" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)

    assert done.stdout.split() == ["404", "False"], done.stderr
