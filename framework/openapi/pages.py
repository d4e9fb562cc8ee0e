"""The document and its page, served where a configuration says."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib import resources
from typing import Any

from markupsafe import escape
from werkzeug.wrappers import Request, Response

from framework.application import Application
from framework.decorators import component, controller, get
from framework.dispatch.handlers import AddsController
from framework.http.routes import Route
from framework.openapi.document import describe_handlers
from sessions.errors import ConfigurationError

_VERSION = "3.1.0"
_ASSETS = resources.files("framework.openapi")
# The page shows only the document, and loads nothing from other origins.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:;"
    " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


@dataclass(frozen=True, kw_only=True)
class OpenAPI(AddsController):
    """Describe an application as OpenAPI 3.1, at a path of its own, for programs and for people.

    A configuration has a component method that returns this component. `include` chooses the
    routes, and `amend` completes the document in place, for example with security schemes.
    """

    title: str
    version: str = "1.0"
    description: str = ""
    path: str = "/docs"
    servers: Sequence[str] = ()
    include: Callable[[Route], bool] = lambda route: True
    amend: Callable[[dict[str, Any]], object] = lambda document: None

    def __post_init__(self) -> None:
        mistakes = list(_setting_mistakes(self))
        if mistakes:
            raise ConfigurationError(mistakes)

    def controller(self) -> type:
        """Return the controller of the document and its page."""
        settings = self

        @component
        @controller(self.path)
        class APIDocumentation(Documentation):
            """Show the operations of the application."""

            def __init__(self, application: Application) -> None:
                super().__init__(settings, application)

        return APIDocumentation


class Documentation:
    """Serve the document of an application and its page; the first request makes the document."""

    def __init__(self, settings: OpenAPI, application: Application) -> None:
        self._settings = settings
        self._application = application
        self._page = (_ASSETS / "page.html").read_text(encoding="utf-8")
        self._script = (_ASSETS / "page.js").read_bytes()
        self._style = (_ASSETS / "page.css").read_bytes()

    @get("/")
    def page(self, request: Request) -> Response:
        """Show the document to people."""
        base = request.script_root + "/" + self._settings.path.strip("/")
        page = self._page.replace("{title}", escape(self._settings.title))
        page = page.replace("{base}", escape(base.rstrip("/")))
        return _asset(page, "text/html")

    @get("/openapi.json")
    def document(self) -> dict[str, Any]:
        """Return the document, for programs."""
        return self._document

    @get("/page.js")
    def script(self) -> Response:
        """Return the script that fills the page."""
        return _asset(self._script, "text/javascript")

    @get("/page.css")
    def style(self) -> Response:
        """Return the style sheet of the page."""
        return _asset(self._style, "text/css")

    @cached_property
    def _document(self) -> dict[str, Any]:
        settings = self._settings
        info = {"title": settings.title, "version": settings.version}
        if settings.description:
            info["description"] = settings.description
        document: dict[str, Any] = {"openapi": _VERSION, "info": info}
        if settings.servers:
            document["servers"] = [{"url": url} for url in settings.servers]
        document |= describe_handlers(
            handler
            for handler in self._application.handlers
            if not issubclass(handler.route.controller, Documentation)
            and settings.include(handler.route)
        )
        settings.amend(document)
        return document


def _setting_mistakes(settings: OpenAPI) -> Iterator[str]:
    for name in ("title", "version", "description", "path"):
        value = getattr(settings, name)
        if not isinstance(value, str):
            yield f"OpenAPI.{name} is {value!r}; give a text"
        elif name == "path" and ("//" in value or "<" in value):
            yield f"OpenAPI.path is {value!r}; give a path without variables, such as '/docs'"
    if isinstance(settings.servers, str):
        yield f"OpenAPI.servers is {settings.servers!r}; give a list, [{settings.servers!r}]"
    for name in ("include", "amend"):
        value = getattr(settings, name)
        if not callable(value):
            yield f"OpenAPI.{name} is {value!r}; give a function, or leave it out"


def _asset(content: str | bytes, media_type: str) -> Response:
    headers = {"Content-Security-Policy": _POLICY}
    return Response(content, content_type=f"{media_type}; charset=utf-8", headers=headers)
