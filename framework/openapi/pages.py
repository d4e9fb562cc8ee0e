"""`OpenAPI`: serves the document and its page at the path that a configuration chooses."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any, TypeVar

from markupsafe import escape
from werkzeug.wrappers import Request, Response

from framework.advice.objects import OF_DOCUMENTS
from framework.decorators import component, controller, get
from framework.dispatch.handlers import AddsController, Handler, ReadsHandlers
from framework.http.routes import Route
from framework.openapi.document import describe_handlers
from framework.report import Mistake, Report, location
from framework.results import encode_json
from sessions.errors import ConfigurationError
from sessions.names import explains_settings

A = TypeVar("A")
R = TypeVar("R")
_VERSION = "3.1.0"
_ASSETS = resources.files("framework.openapi")
# The page shows only the document, and loads nothing from other origins.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:;"
    " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


@explains_settings(OF_DOCUMENTS)
@dataclass(frozen=True, kw_only=True)
class OpenAPI(AddsController):
    """Describe an application in OpenAPI 3.1, at one path, for programs and for people.

    Return an `OpenAPI` from a component method of a configuration. `include` chooses the
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

            def __init__(self) -> None:
                super().__init__(settings)

        return APIDocumentation


class Documentation(ReadsHandlers):
    """Serve the OpenAPI document that start-up makes, and the page that shows the document."""

    def __init__(self, settings: OpenAPI) -> None:
        self._settings = settings
        self._document = b""
        self._page = (_ASSETS / "page.html").read_text(encoding="utf-8")
        self._script = (_ASSETS / "page.js").read_bytes()
        self._sending = (_ASSETS / "send.js").read_bytes()
        self._style = (_ASSETS / "page.css").read_bytes()

    @get("/")
    def page(self, request: Request) -> Response:
        """Return the HTML page that shows the document."""
        base = request.script_root + "/" + self._settings.path.strip("/")
        page = self._page.replace("{title}", escape(self._settings.title))
        page = page.replace("{base}", escape(base.rstrip("/")))
        page = page.replace("{root}", escape(request.script_root))
        return _asset(page, "text/html")

    @get("/openapi.json")
    def document(self) -> Response:
        """Return the document, for programs."""
        return Response(self._document, mimetype="application/json")

    @get("/page.js")
    def script(self) -> Response:
        """Return the script that fills the page."""
        return _asset(self._script, "text/javascript")

    @get("/send.js")
    def sending(self) -> Response:
        """Return the script that sends requests from the page."""
        return _asset(self._sending, "text/javascript")

    @get("/page.css")
    def style(self) -> Response:
        """Return the style sheet of the page."""
        return _asset(self._style, "text/css")

    def read_handlers(self, handlers: Sequence[Handler], report: Report) -> None:
        """Make the document, so that start-up reports what cannot be described."""
        settings = self._settings
        with report.at(f"the OpenAPI document at {settings.path}"):
            chosen = [handler for handler in handlers if self._describes(handler)]
            document = {**self._head(), **describe_handlers(chosen, report)}
            _call("amend", settings.amend, document)
            self._document = _encoded(document)

    def _describes(self, handler: Handler) -> bool:
        if issubclass(handler.route.controller, Documentation):
            return False
        return bool(_call("include", self._settings.include, handler.route))

    def _head(self) -> dict[str, Any]:
        settings = self._settings
        info = {"title": settings.title, "version": settings.version}
        if settings.description:
            info["description"] = settings.description
        head: dict[str, Any] = {"openapi": _VERSION, "info": info}
        if settings.servers:
            head["servers"] = [{"url": url} for url in settings.servers]
        return head


def _call(name: str, function: Callable[[A], R], argument: A) -> R:
    """Call the function `include` or `amend`; raise `Mistake` if the function fails."""
    try:
        return function(argument)
    # The function is the user's own code and may raise anything.
    except Exception as error:
        what = f"OpenAPI.{name} fails: {type(error).__name__}: {error}"
        raise Mistake(what, f"Correct the function {location(function)}.") from error


def _encoded(document: dict[str, Any]) -> bytes:
    try:
        return encode_json(document)
    # msgspec raises ValueError or OverflowError for a value of a type that JSON can hold.
    except (TypeError, ValueError, OverflowError) as error:
        raise Mistake(
            f"the document holds a value that JSON cannot hold: {error}",
            "Let OpenAPI.amend add only dicts with text keys, lists, texts, numbers and booleans.",
        ) from error


def _setting_mistakes(settings: OpenAPI) -> Iterator[str]:
    for name in ("title", "version", "description", "path"):
        value = getattr(settings, name)
        if not isinstance(value, str):
            yield f"OpenAPI.{name} is {value!r}. Fix: give a text"
        elif name == "path" and ("//" in value or "<" in value):
            yield f"OpenAPI.path is {value!r}. Fix: give a path without variables, such as '/docs'"
    servers: object = settings.servers
    if isinstance(servers, str):
        yield f"OpenAPI.servers is {servers!r}. Fix: give a list, [{servers!r}]"
    elif not isinstance(servers, Collection):
        yield f"OpenAPI.servers is {servers!r}. Fix: give a list, as in ['https://shop.example']"
    for name in ("include", "amend"):
        value = getattr(settings, name)
        if not callable(value):
            yield f"OpenAPI.{name} is {value!r}. Fix: give a function, or leave {name} out"


def _asset(content: str | bytes, media_type: str) -> Response:
    headers = {"Content-Security-Policy": _POLICY}
    return Response(content, content_type=f"{media_type}; charset=utf-8", headers=headers)
