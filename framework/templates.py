"""Pages made from templates: Jinja2, with what a page of this framework needs."""

from pathlib import Path

from werkzeug.wrappers import Request, Response

from framework.application import Application
from framework.csrf import csrf_token
from framework.middleware import session_of
from sessions.flash import Flash

try:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(
        f"framework.templates needs Jinja2 ({error}): pip install 'satsuma[templates]'"
    ) from error


class Templates:
    """Render the templates of a folder; a component of the application.

    Values are escaped, and a name without a value is an error. A template has `url_for`,
    `csrf_token()` and `get_flashes()`; `environment` takes filters and globals of your own.
    Raises `ValueError` if the folder does not exist.
    """

    def __init__(self, application: Application, folder: str | Path) -> None:
        if not Path(folder).is_dir():
            raise ValueError(
                f"Templates: there is no folder {str(folder)!r}; write"
                ' Templates(application, Path(__file__).with_name("templates"))'
            )
        self._application = application
        self.environment = Environment(
            loader=FileSystemLoader(Path(folder).resolve()),
            autoescape=True,
            undefined=StrictUndefined,
        )

    def render(
        self, template: str, request: Request, /, *, _status: int = 200, **values: object
    ) -> Response:
        """Render a template with the values, as a page for this request."""
        page = self.environment.get_template(template)
        text = page.render(self._of_request(request) | values)
        return Response(text, _status, content_type="text/html; charset=utf-8")

    def _of_request(self, request: Request) -> dict[str, object]:
        """Return the names that depend on the request; the session opens when a page uses it."""

        def url_for(endpoint: str, /, *, _external: bool = False, **values: object) -> str:
            return self._application.url_for(endpoint, request, _external=_external, **values)

        def get_flashes() -> list[Flash]:
            # An application without sessions has no messages.
            return session_of(request).take_flashes() if self._application.sessions else []

        return {
            "request": request,
            "url_for": url_for,
            "csrf_token": lambda: csrf_token(session_of(request)),
            "get_flashes": get_flashes,
        }
