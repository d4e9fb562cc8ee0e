"""The whole session: the marker `session`, and unmarked parameters of the type `Session`."""

from typing import TYPE_CHECKING, Annotated, Any

from framework.binding.body import BodyMarker
from framework.binding.inject import InjectMarker
from framework.binding.session_name import SessionName
from framework.binding.source import Extract, Field, Marker, Needs
from framework.binding.texts import TextMarker
from framework.http.context import Context
from framework.report import Mistake
from framework.types.signatures import Declared, describe, without_none
from sessions.session import AsyncSession, Session


class SessionMarker(Marker):
    """The marker of the session of the request."""

    source = "session"
    spelling = "session"
    fallible = False
    needs = Needs.SESSION

    @classmethod
    def is_implied_by(cls, annotation: Any) -> bool:
        """Return whether an unmarked parameter of this type is the session."""
        return isinstance(annotation, type) and issubclass(annotation, Session)

    def extractor(self, field: Field) -> Extract:
        """Return the function that opens the session."""
        return _session

    def explained(self, field: Field) -> str:
        """Return a text that says that the argument is the session of this request."""
        return "the session of the request"


if TYPE_CHECKING:
    session = Annotated[Session, SessionMarker()]
else:
    session = SessionName(Session, (SessionMarker(),))


def is_session(kind: Any) -> bool:
    """Return whether a type is `Session` or `AsyncSession`, or a subclass."""
    return isinstance(kind, type) and issubclass(kind, Session | AsyncSession)


def refuse_asynchronous(declared: Declared) -> None:
    """Raise `Mistake` for an asynchronous session: WSGI has blocking sessions only."""
    kind = without_none(declared.annotation)
    if isinstance(kind, type) and issubclass(kind, AsyncSession):
        name, written = declared.name, describe(declared.annotation)
        raise Mistake(
            f"parameter {name!r} is {written}, which needs an event loop, but this handler runs"
            " without one",
            f"Write {name}: session, and call its methods without await.",
        )


def refuse_marked(declared: Declared, marker: Marker) -> None:
    """Raise `Mistake` for a session with the marker of another source, such as `Query[Session]`."""
    kind = without_none(declared.annotation)
    # Such a marker of a user's own may well give a session.
    if is_session(kind) and isinstance(marker, InjectMarker | TextMarker | BodyMarker):
        name = declared.name
        raise Mistake(
            f"parameter {name!r} is a session with the source {marker.source!r}, but the"
            " framework itself finds the session of a request",
            f"Write {name}: session, with `from framework import session`.",
        )


def _session(context: Context) -> object:
    # The attribute is read first, because the property alone would cost a second call.
    session = context.opened
    return context.session if session is None else session
