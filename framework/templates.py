"""Pages made from Jinja2 templates, with the functions that a page of this framework needs."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from werkzeug.wrappers import Request

from framework.advice.other_frameworks import refusing
from framework.application import Application
from framework.csrf import csrf_token
from framework.middleware import session_of
from framework.results import HTML
from sessions.flash import Flash
from sessions.session import AsyncSession, Session

try:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(
        f"framework.templates needs Jinja2 ({error}): pip install 'satsuma[templates]'"
    ) from error


class Templates:
    """Render the templates of a folder, as a component of the application.

    Values are escaped, and a name without a value is an error. A template has `url_for`,
    `csrf_token()`, `get_flashes()` and `session`. This `session` shows neither the id of the
    session nor the methods that change something. `session.rewrite(url)`, `session.hidden_input()`
    and `url_for(..., session=session)` are for clients without cookies. `environment` takes filters
    and globals of your own.
    Raises `ValueError` if the folder does not exist.
    """

    def __init__(self, application: Application, folder: str | Path) -> None:
        if not Path(folder).is_dir():
            raise ValueError(
                f"Templates: there is no folder {str(folder)!r}. Fix: write"
                ' Templates(application, Path(__file__).with_name("templates"))'
            )
        self._application = application
        self.environment: Environment = _Environment(
            loader=FileSystemLoader(Path(folder).resolve()),
            autoescape=True,
            undefined=StrictUndefined,
        )

    def render(
        self, template: str, request: Request, /, *, _status: int | None = None, **values: object
    ) -> HTML:
        """Render a template with the values, as a page for this request.

        Without `_status`, the page has the status of the handler's decorator.
        """
        page = self.environment.get_template(template)
        shown = {name: _shown(value) for name, value in values.items()}
        text = page.render(self._of_request(request) | shown)
        return HTML(text, _status)

    def _of_request(self, request: Request) -> dict[str, object]:
        """Return the template variables of a request; the session opens when a page uses it."""

        def url_for(endpoint: str, /, *, _external: bool = False, **values: object) -> str:
            return self._application.url_for(endpoint, request, _external=_external, **values)

        def get_flashes() -> list[Flash]:
            # An application without sessions has no messages.
            return session_of(request).take_flashes() if self._application.sessions else []

        def open_session() -> Mapping[str, Any]:
            return session_of(request) if self._application.sessions else {}

        return {
            "request": request,
            "url_for": url_for,
            "csrf_token": lambda: csrf_token(session_of(request)),
            "get_flashes": get_flashes,
            "session": TemplateSession(open_session),
        }


# The methods that put the token of a session into a page, where the application has no sessions.
_WITHOUT_SESSIONS: dict[str, Callable[..., str]] = {
    "rewrite": lambda url: url,
    "hidden_input": lambda: "",
}


class TemplateSession(Mapping[str, Any]):
    """Show a session to a template: its values and properties, but not its id, which is secret."""

    __slots__ = ("_open",)

    def __init__(self, open_session: Callable[[], Mapping[str, Any]]) -> None:
        self._open = open_session

    def __getitem__(self, key: str) -> Any:
        return self._open()[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._open())

    def __len__(self) -> int:
        return len(self._open())

    def __repr__(self) -> str:
        return repr(self._open())

    def __getattr__(self, name: str) -> Any:
        session = self._open()
        if name in _WITHOUT_SESSIONS:
            return getattr(session, name, _WITHOUT_SESSIONS[name])
        if name == "id" or not isinstance(getattr(type(session), name, None), property):
            raise AttributeError(name, name=name, obj=self)
        return getattr(session, name)


class _Environment(Environment):
    """Show every session as a `TemplateSession`, including a session inside of another value."""

    def getattr(self, obj: Any, attribute: str) -> Any:
        """Return `obj.attribute` of a template: the attribute, else the item with this name."""
        shown = _shown(obj)
        if not isinstance(shown, TemplateSession):
            return _shown(super().getattr(obj, attribute))
        if not attribute.startswith("_") and hasattr(shown, attribute):
            return getattr(shown, attribute)
        return self._value(shown, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        """Return `obj[argument]` of a template; for a session, `argument` is the key of a value."""
        shown = _shown(obj)
        if isinstance(shown, TemplateSession):
            return self._value(shown, argument)
        return _shown(super().getitem(obj, argument))

    def _value(self, session: TemplateSession, key: Any) -> Any:
        if key in session:
            return session[key]
        return self.undefined(_explained(key), session, key)


def _shown(value: object) -> object:
    """Return a `TemplateSession` in place of a session, and any other value unchanged."""
    if isinstance(value, Session | AsyncSession):
        return TemplateSession(lambda: value)
    return value


def _explained(key: object) -> str:
    """Return why a template gets nothing for a key or an attribute of a session."""
    if isinstance(key, str) and not key.startswith("_") and hasattr(Session, key):
        return (
            f"a template cannot use session.{key}: it gets the values of a session, but neither"
            f" its id nor its methods. Fix: use session.{key} in the handler"
        )
    return (
        f"the session has no {key!r}. Fix: write session.get({key!r}) if the value may be missing"
    )


# Type checkers report unknown names themselves.
if not TYPE_CHECKING:
    __getattr__ = refusing(__name__)
