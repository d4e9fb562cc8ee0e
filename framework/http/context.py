"""`Context`: the data, the session and the components of one request.

Each part is read, opened or made when code first asks for the part.
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
    """A copy of a session value: a handler can change the copy, and a changed copy is stored."""

    def put_back(self) -> None: ...


# Most requests hold and resolve nothing, so they share these two empty dictionaries, which no
# request changes.
_NOTHING_HELD: dict[object, HeldValue] = {}
_NOTHING_RESOLVED: dict[object, object] = {}


class Context(RequestReader):
    """One request: its data, its session, and the components with `scope="request"`."""

    __slots__ = ("_resolved", "held", "manager", "opened", "responses", "scope")

    # The functions that make the components with `scope="request"`; all requests share them.
    per_request: ClassVar[Mapping[object, Callable[["Context"], object]]] = {}

    # The session if something has opened it; to read this attribute does not open the session.
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
        # None until the request has a component or a file.
        self.scope: Scope | None = None
        # The answers of the handler, as middleware saw them, that have to be closed.
        self.responses: tuple[wrappers.Response, ...] = ()
        # The values that were taken out of the session, each under the key that asked for it.
        self.held: dict[object, HeldValue] = _NOTHING_HELD
        self._resolved: dict[object, object] = _NOTHING_RESOLVED
        # These lines repeat the base's constructor, because a call would cost time in each request.
        self._request = None
        self._body = None
        self._query = None
        self._cookies = None

    @property
    def session(self) -> Session:
        """Return the request's session; the first call opens the session, without a store call."""
        if self.opened is None:
            self.opened = self._open()
        return self.opened

    def fail(self, error: BaseException) -> None:
        """Keep the error, because the components of the request get this error when they end."""
        if self.scope is not None:
            self.scope.failure = error

    def keep(self, file: IO[bytes]) -> None:
        """Register a file that is closed at the end of the request."""
        if self.scope is None:
            self.scope = Scope()
        self.scope.keep(file)

    def resolve(self, key: object, resolve: Callable[["Context"], object]) -> object:
        """Return the result of a resolver; each call with the same key returns the same result."""
        if key not in self._resolved:
            resolved = resolve(self)
            self._resolved = {**self._resolved, key: resolved}
        return self._resolved[key]

    def holder_for(self, key: object, make: Callable[[], HeldValue]) -> Any:
        """Return the copy of a session value; each call with the same key returns the same copy."""
        if key not in self.held:
            self.held = {**self.held, key: make()}
        return self.held[key]

    def put_back(self) -> None:
        """Put all changed copies of session values back into the session."""
        for value in self.held.values():
            value.put_back()

    def resolve_anew(self) -> None:
        """Forget the results of resolvers, because the handler is tried again."""
        self._resolved = _NOTHING_RESOLVED

    def forget(self) -> None:
        """Forget the results of resolvers and the copies of session values, even changed copies."""
        self._resolved = _NOTHING_RESOLVED
        self.held = _NOTHING_HELD

    def _open(self) -> Session:
        if self.manager is None:
            raise RuntimeError(
                "this request has no session, because no part of the application declares that it"
                " uses sessions. Fix: take the session as a parameter of the handler or of a guard;"
                " or write `needs = Needs.SESSION` in the marker that uses the session; or remove"
                " `uses_session = False` from the middleware that uses the session"
            )
        return self.manager.open(EnvironHead(self.environ))


class PerRequest:
    """Make a component of a request when code first asks for it; return the same object later.

    No lock is needed, because no request sees the components of another request.
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

    The class holds the values that all requests share, so no request spends time on them.
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
            f"{request!r} is not a request that the framework made. Fix: pass the request that"
            " the handler or middleware receives"
        )
    return context
