"""One request as its handler sees it: what it holds, its session, its components.

Everything is read, opened or made when it is first asked for.
"""

from collections.abc import Callable, Mapping
from typing import IO, TYPE_CHECKING, Any, ClassVar, Protocol

from werkzeug import wrappers

from framework.http.reading import READER_KEY, RequestReader
from framework.http.scope import Scope
from framework.settings import HTTPSettings
from sessions.manager import SessionManager
from sessions.session import Session
from sessions.wsgi import EnvironHead

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment


class HeldValue(Protocol):
    """Hold a value of the session, and put it back before the session is closed."""

    def put_back(self) -> None: ...


# Most requests hold and resolve nothing, and share these two empty dictionaries.
_NOTHING_HELD: dict[object, HeldValue] = {}
_NOTHING_RESOLVED: dict[object, object] = {}


class Context(RequestReader):
    """Know one request: read it, open its session, make the components that it has anew."""

    __slots__ = ("_resolved", "held", "manager", "opened", "responses", "scope")

    # The functions that give a request its own components. They are the same for all requests.
    per_request: ClassVar[Mapping[object, Callable[["Context"], object]]] = {}

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
        # The handler's responses that middleware has seen and that have something to close.
        self.responses: tuple[wrappers.Response, ...] = ()
        # The values that are taken out of the session, by whoever asked for them.
        self.held: dict[object, HeldValue] = _NOTHING_HELD
        self._resolved: dict[object, object] = _NOTHING_RESOLVED
        # Calling the constructor of the base would cost each request a call.
        self._request = None
        self._body = None
        self._query = None
        self._cookies = None

    @property
    def session(self) -> Session:
        """Return the request's session, opened without I/O when first asked for."""
        if self.opened is None:
            self.opened = self._open()
        return self.opened

    def fail(self, error: BaseException) -> None:
        """Note an error, for the components of the request to end accordingly."""
        if self.scope is not None:
            self.scope.failure = error

    def keep(self, file: IO[bytes]) -> None:
        """Let a file be closed with the request."""
        if self.scope is None:
            self.scope = Scope()
        self.scope.keep(file)

    def resolve(self, key: object, resolve: Callable[["Context"], object]) -> object:
        """Return the result of a resolver, the same to all who ask under one key."""
        if key not in self._resolved:
            resolved = resolve(self)
            self._resolved = {**self._resolved, key: resolved}
        return self._resolved[key]

    def hold(self, key: object, make: Callable[[], HeldValue]) -> Any:
        """Return the holder of a session value, the same to all who ask under one key."""
        if key not in self.held:
            self.held = {**self.held, key: make()}
        return self.held[key]

    def put_back(self) -> None:
        """Give the session its values back."""
        for value in self.held.values():
            value.put_back()

    def resolve_anew(self) -> None:
        """Forget the results of resolvers: another try to answer begins."""
        self._resolved = _NOTHING_RESOLVED

    def forget(self) -> None:
        """Forget the results of resolvers and the values of the session, also changed ones."""
        self._resolved = _NOTHING_RESOLVED
        self.held = _NOTHING_HELD

    def _open(self) -> Session:
        if self.manager is None:
            raise RuntimeError(
                "this handler has no session, since nothing around it declares that it needs one:"
                " take the session as a parameter of the handler or of a guard; or write"
                " `needs = Needs.SESSION` in the marker that uses it, or remove"
                " `uses_session = False` from the middleware that uses it"
            )
        return self.manager.open(EnvironHead(self.environ))


class PerRequest:
    """Give a request its component: made when first asked for, then always the same.

    It takes no lock: no request sees the components of another.
    """

    def __init__(self, make: Callable[[Context], Any], parts: Any, *, ends: bool) -> None:
        self.parts = parts
        """The parameters of the function that makes the component."""
        self._make = make
        self._ends = ends

    def __call__(self, context: Context) -> object:
        """Return the component of a request."""
        scope = context.scope
        if scope is None:
            scope = context.scope = Scope()
        elif self in scope.components:
            return scope.components[self]
        made = self._make(context)
        component = scope.components[self] = scope.enter(made) if self._ends else made
        return component


def context_class(
    settings: HTTPSettings, per_request: Mapping[object, Callable[[Context], object]]
) -> type[Context]:
    """Return the class of an application's contexts.

    Values that all requests share stand in the class, so they cost a request nothing.
    """
    if settings == Context.settings and not per_request:
        return Context
    members = {"__slots__": (), "settings": settings, "per_request": per_request}
    return type("Context", (Context,), members)


def context_of(request: wrappers.Request) -> Context:
    """Return the context of a request object."""
    context = request.environ.get(READER_KEY)
    if not isinstance(context, Context):
        raise LookupError(
            f"{request!r} is not the request of a handler or of middleware: pass on the one that"
            " they get"
        )
    return context
