"""One request, as the parameters of a handler see it: everything is read at first use."""

from collections.abc import Callable, Mapping
from typing import IO, TYPE_CHECKING, Any, ClassVar, Protocol
from urllib.parse import unquote_plus

from werkzeug import wrappers
from werkzeug.exceptions import (
    UnsupportedMediaType,
)
from werkzeug.sansio.http import parse_cookie

from framework.settings import HTTPSettings
from framework.sources.form_data import FORM_TYPES, FormData, FormParser
from framework.sources.raw_body import content_length, read_body
from framework.wiring.scopes import Scope
from sessions.manager import SessionManager
from sessions.session import Session
from sessions.wsgi import EnvironHead

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

BODY_LIMIT = HTTPSettings.body_limit

# The place of an exchange in the environ of the request object that it has made.
_KEY = "framework.exchange"


class Loan(Protocol):
    """Hold a value out of the session, and put it back before the session is closed."""

    def give_back(self) -> None: ...


# Most requests borrow and resolve nothing; no request changes these two.
_NOTHING_LENT: dict[object, Loan] = {}
_NOTHING_RESOLVED: dict[object, object] = {}


class Request(wrappers.Request):
    """Let the files that are uploaded with a request be closed with it."""

    def _get_file_stream(self, *args: Any, **kwargs: Any) -> IO[bytes]:
        file = super()._get_file_stream(*args, **kwargs)
        exchange_of(self).keep(file)
        return file


class Exchange:
    """Read one request, each part at most once and only when something asks for it."""

    __slots__ = (
        "_body",
        "_cookies",
        "_query",
        "_request",
        "_resolved",
        "environ",
        "lent",
        "manager",
        "opened",
        "path_values",
        "responses",
        "scope",
    )

    # The same for all requests of an application.
    settings: ClassVar[HTTPSettings] = HTTPSettings()
    # What makes the components that each request has anew.
    makers: ClassVar[Mapping[object, Callable[["Exchange"], object]]] = {}

    # The session if something has opened it: asking here opens nothing.
    opened: Session | None

    def __init__(
        self,
        environ: "WSGIEnvironment",
        path_values: Mapping[str, object],
        manager: SessionManager | None,
    ) -> None:
        self.environ = environ
        self.path_values = path_values
        self.manager = manager
        self.opened = None
        # None until a component of the request is made.
        self.scope: Scope | None = None
        # What the handler answered, as middleware has seen it, if it has something to close.
        self.responses: tuple[wrappers.Response, ...] = ()
        self._request: Request | None = None
        self._body: bytes | None = None
        self._query: dict[str, list[str]] | None = None
        self._cookies: dict[str, list[str]] | None = None
        # What holds values out of the session, by what has asked for them.
        self.lent: dict[object, Loan] = _NOTHING_LENT
        self._resolved: dict[object, object] = _NOTHING_RESOLVED

    @property
    def session(self) -> Session:
        """Return the request's session, opened without I/O when first asked for."""
        if self.opened is None:
            self.opened = self._open()
        return self.opened

    @property
    def request(self) -> Request:
        """Return the request as Werkzeug knows it, always the same object."""
        if self._request is None:
            if not self.environ.get("CONTENT_LENGTH"):
                # Werkzeug cuts such a body off at the limit, and does not say so.
                _ = self.body
            self._request = Request(self.environ)
            self._request.max_content_length = self.settings.body_limit
            self._request.max_form_memory_size = self.settings.form_memory_limit
            self._request.max_form_parts = self.settings.form_parts_limit
            self._request.form_data_parser_class = FormParser
            self.environ[_KEY] = self
        return self._request

    def fail(self, error: BaseException) -> None:
        """Note what was raised, for the components of the request to end accordingly."""
        if self.scope is not None:
            self.scope.failure = error

    def keep(self, file: IO[bytes]) -> None:
        """Let a file be closed with the request."""
        if self.scope is None:
            self.scope = Scope()
        self.scope.keep(file)

    @property
    def form(self) -> FormData:
        """Return the fields and files of the body; refuse one over the limit before reading it.

        A body of another type than a form's is refused, too; no body is an empty form.
        """
        length = content_length(self.environ, self.settings.body_limit)
        request = self.request
        if request.mimetype not in FORM_TYPES and (length or self._body):
            raise UnsupportedMediaType(
                f"The body has the type {request.content_type!r}: send {' or '.join(FORM_TYPES)}."
            )
        return FormData(request.form, request.files)

    @property
    def query(self) -> dict[str, list[str]]:
        """Return the values of each query key in their order; `?x` is `?x=`.

        Bytes that are no UTF-8 become surrogates, which no converter lets pass.
        """
        if self._query is None:
            text = self.environ.get("QUERY_STRING")
            self._query = _parse_query(text) if text else {}
        return self._query

    @property
    def cookies(self) -> dict[str, list[str]]:
        """Return the values of each cookie, the one with the most specific path first."""
        if self._cookies is None:
            header = self.environ.get("HTTP_COOKIE", "")
            text = header.encode("latin-1").decode(errors="replace")
            self._cookies = parse_cookie(text).to_dict(flat=False)
        return self._cookies

    @property
    def body(self) -> bytes:
        """Return the whole body; refuse one over the limit before reading it.

        What was read stays readable for the request object.
        """
        if self._body is None:
            request, limit = self._request, self.settings.body_limit
            self._body = read_body(self.environ, limit) if request is None else request.get_data()
        return self._body

    def check_session(self) -> None:
        """Raise what keeps the session from being saved, as far as the store need not be asked."""
        if self.manager is not None and self.opened is not None:
            self.take_back()
            self.manager.check(self.opened)

    def unsaved(self) -> Any:
        """Return what the session has not saved yet, for `forget` to keep."""
        if self.manager is None or self.opened is None:
            return None
        return self.manager.unsaved(self.opened)

    def resolve_anew(self) -> None:
        """Forget what was resolved: what answers now is another try."""
        self._resolved = _NOTHING_RESOLVED

    def forget(self, *, keep: Any = None) -> None:
        """Forget what was resolved and lent, and what the session has not saved."""
        self._resolved = _NOTHING_RESOLVED
        self.lent = _NOTHING_LENT
        if self.manager is not None and self.opened is not None:
            self.manager.discard(self.opened, keep=keep)

    def resolve(self, key: object, resolve: Callable[["Exchange"], object]) -> object:
        """Return what a resolver makes of the request, the same to all who ask under one key."""
        if key not in self._resolved:
            resolved = resolve(self)
            self._resolved = {**self._resolved, key: resolved}
        return self._resolved[key]

    def lend(self, key: object, make: Callable[[], Loan]) -> Any:
        """Return what holds a value out of the session, the same to all who ask under one key."""
        if key not in self.lent:
            self.lent = {**self.lent, key: make()}
        return self.lent[key]

    def take_back(self) -> None:
        """Let the session have what was lent of it."""
        for loan in self.lent.values():
            loan.give_back()

    def _open(self) -> Session:
        if self.manager is None:
            raise RuntimeError(
                "this application has no sessions, since nothing in it asks for one: let a handler"
                " or a guard take the session as a parameter, or remove `uses_session = False` from"
                " the middleware that uses it"
            )
        return self.manager.open(EnvironHead(self.environ))


def exchange_class(
    settings: HTTPSettings, makers: Mapping[object, Callable[[Exchange], object]]
) -> type[Exchange]:
    """Return the class of an application's exchanges.

    What all of its requests share costs none of them anything there.
    """
    if settings == Exchange.settings and not makers:
        return Exchange
    return type("Exchange", (Exchange,), {"__slots__": (), "settings": settings, "makers": makers})


def exchange_of(request: wrappers.Request) -> Exchange:
    """Return the exchange that has made a request object."""
    exchange = request.environ.get(_KEY)
    if not isinstance(exchange, Exchange):
        raise LookupError(
            f"{request!r} is no request of a handler or of middleware: pass on the one they get"
        )
    return exchange


def _parse_query(text: str) -> dict[str, list[str]]:
    if not text.isascii():
        text = text.encode("latin-1").decode(errors="surrogateescape")
    values: dict[str, list[str]] = {}
    for pair in text.split("&"):
        if not pair:
            continue
        key, _, value = pair.partition("=")
        if "%" in pair or "+" in pair:
            key = unquote_plus(key, errors="surrogateescape")
            value = unquote_plus(value, errors="surrogateescape")
        values.setdefault(key, []).append(value)
    return values
