"""Open and close sessions, in a request or without one; no gateway and no store by name."""

import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from sessions.bearers import Bearer, CookieHead, KnownId, RequestBearer, Wire
from sessions.container import SessionContainer
from sessions.errors import SessionError, SessionExpired, SessionNotFound
from sessions.events import logger
from sessions.mapping import Unsaved
from sessions.persistence import StoredSession
from sessions.record import storage_key
from sessions.rules import Rules
from sessions.session import Session
from sessions.signing import IdSigner
from sessions.transports.base import Headers, RequestHead
from sessions.transports.cookie import CookieTransport


class SessionManager:
    """Give requests, jobs and admin pages the sessions of one container."""

    def __init__(self, container: SessionContainer) -> None:
        self.container = container
        if container.clock is not time.time:
            container.store.clock = container.clock
        self._rules = Rules(container)
        self._session_class = container.session_class
        self._wire = Wire(
            signer=IdSigner(container.keys, purpose=f"session id:{container.session_prefix}"),
            transports=tuple(container.transports)
            or (CookieTransport(container.session_prefix, container.cookie),),
            emit=self._rules.emit,
        )

    @property
    def opens_every_request(self) -> bool:
        """Tell whether to open and close every request, also one that asks for no session."""
        return self._rules.rolling or self._rules.save_uninitialized

    # In a request

    def open(self, head: RequestHead) -> Session:
        """Return the request's session; nothing is read before its first use."""
        bearer = RequestBearer(self._wire, head)
        return self._session_class(StoredSession(self._rules, bearer, in_request=True))

    def close(self, session: Session, *, failed: bool = False) -> Headers:
        """Commit what changed and return the response headers that the session needs.

        With `failed`, for a 5xx or an unhandled exception: discard what was not saved, and return
        the headers of what was. Raises SessionError if the commit fails; answer its `status`, with
        the headers that closing with `failed` then returns.
        """
        backing = _backing(session)
        with session._lock:
            if failed:
                backing.discard(session)
            elif not session._closed:
                backing.finish(session)
            session._closed = True
        return self._headers(session, backing) if session._accessed else []

    def check(self, session: Session) -> None:
        """Raise what `close` would raise without having asked the store: what cannot be saved."""
        backing = _backing(session)
        with session._lock:
            if session._values is not None and not session._closed:
                backing.check(session)

    def unsaved(self, session: Session) -> Unsaved | None:
        """Return what is not saved yet, for `discard` to keep; None if there is nothing."""
        with session._lock:
            if session._values is None or session._closed:
                return None
            try:
                return session._unsaved()
            # What cannot be saved is not kept; closing the session tells.
            except SessionError:
                return None

    def discard(self, session: Session, *, keep: Unsaved | None = None) -> None:
        """Forget what was not saved, but for what `unsaved` gave; the request goes on."""
        backing = _backing(session)
        with session._lock:
            if session._values is not None and not session._closed:
                session._begin(session._id, session._record)
                if keep is not None and not (backing.ended or backing.gone):
                    session._change_again(keep)

    def abandon(self, session: Session) -> None:
        """Close the session of a request whose response cannot carry headers of ours.

        An unhandled exception on its way to the server: discard what was not saved, and undo a
        regenerate, for the client will not learn the new id.
        """
        backing = _backing(session)
        with session._lock:
            session._closed = True
            backing.undo_regenerate(session)

    def report_late_changes(self, session: Session) -> None:
        """Log the changes inside nested values that came too late to raise SessionClosed."""
        backing = _backing(session)
        if session._values is None or backing.gone or backing.bearer.obstacle() is not None:
            return
        try:
            late = [*session._changed_values()[0]]
        except SessionError as error:
            late = [str(error)]
        if late:
            logger.error(
                "changed after the response's headers left, and lost: %s; change it before the"
                " first byte of the body",
                late,
            )

    # Without a request

    def create(self, data: Mapping[str, Any] | None = None) -> Session:
        """Store a new session with the data and return it; `close` it after further changes."""
        session = self._session(KnownId(None))
        # Its life begins now, also if there is no data.
        session._load()
        session.update(data or {})
        _backing(session).create(session)
        return session

    def get(self, id: str) -> Session:
        """Return the session with the id; `close` it after changes.

        Raises SessionNotFound, or SessionExpired where the store still has it.
        """
        session = self._session(KnownId(id))
        if session.is_new:
            if self._rules.store.load(storage_key(id)) is not None:
                raise SessionExpired("the session's time is over, or its record is unreadable")
            raise SessionNotFound("no live session has this id")
        return session

    def delete(self, id: str) -> bool:
        """End the session with the id; return whether there was one."""
        ended = self._rules.store.delete(storage_key(id))
        if ended:
            self._rules.emit("destroyed", "delete() ended it")
        return ended

    def from_cookie(self, header: str | None) -> Session:
        """Return the session of a raw Cookie header, such as a WebSocket's first request has.

        None stands for a request without the header.
        """
        header = header or ""
        path = unquote(self.container.cookie.path, "latin-1")
        secure = RequestBearer(self._wire, CookieHead(header, path, secure=True))
        plain = RequestBearer(self._wire, CookieHead(header, path, secure=False))
        return self._session(secure if secure.bears_token() or not plain.bears_token() else plain)

    def purge(self, limit: int = 1000) -> int:
        """Remove at most `limit` expired records and return how many."""
        return self._rules.store.purge(limit)

    # Private

    def _session(self, bearer: Bearer) -> Session:
        return self._session_class(StoredSession(self._rules, bearer, in_request=False))

    def _headers(self, session: Session, backing: StoredSession) -> Headers:
        bearer = backing.bearer
        headers = bearer.vary()
        record = session._record
        if backing.gone:
            return headers
        if record is not None and (backing.id_is_news or self._rules.rolling):
            return headers + bearer.send(session.id, self._rules.max_age(record))
        return headers + bearer.clear() if backing.ended else headers


def _backing(session: Session) -> StoredSession:
    backing = session._backing
    if not isinstance(backing, StoredSession):
        raise TypeError(f"{session!r} was not opened by a SessionManager")
    return backing
