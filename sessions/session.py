"""The session: a watched mapping with a life. It knows no HTTP and no store."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from sessions.errors import SessionClosed, UnencodableValue, UnreadableValue
from sessions.flash import Flashes
from sessions.mapping import WatchedMapping
from sessions.record import Record


class Backing(Protocol):
    """Bring a session's record from where it lives, and take it back.

    Times are epoch seconds, timeouts are seconds. `load` is asked once, at the first access; the
    others do at once what the session's methods of these names promise.
    """

    def load(self) -> tuple[str, Record] | None: ...
    def save(self, session: "Session") -> None: ...
    def reload(self, session: "Session") -> None: ...
    def regenerate(self, session: "Session") -> None: ...
    def destroy(self, session: "Session") -> None: ...
    def unreadable(self, error: UnreadableValue) -> None: ...
    def make_id(self) -> str: ...
    def now(self) -> float: ...
    def idle_timeout(self) -> float: ...
    def lifetime(self, created_at: float, timeout: float | None, used_at: float) -> float: ...


class Session(Flashes, WatchedMapping):
    """Hold a user's data over many requests; loaded on first access, saved when it changed.

    Nested values are watched too: `session["cart"].append(x)` is enough. After the response's
    headers have left, a write raises SessionClosed.
    """

    # What each one begins with, so that opening it costs next to nothing.
    _record: Record | None = None
    _id: str | None = None
    _timeout: float | None = None
    _started_at = 0.0
    _is_new = False
    _accessed = False
    _closed = False
    _after_reload: tuple[Callable[[], None], ...] = ()

    def __init__(self, backing: Backing) -> None:
        super().__init__()
        self._backing = backing

    def __repr__(self) -> str:
        state = "closed" if self._closed else "open"
        loaded = "untouched" if self._values is None else f"{len(self._values)} values"
        return f"<{type(self).__name__}: {state}, {loaded}>"

    # What is known of it

    @property
    def id(self) -> str:
        """Return the id, a secret."""
        self._loaded()
        return self._id or self._new_id()

    @property
    def is_new(self) -> bool:
        """Tell whether no request before this one has stored the session."""
        self._loaded()
        return self._is_new

    @property
    def accessed(self) -> bool:
        """Tell whether the session was used in this request."""
        return self._accessed

    @property
    def modified(self) -> bool:
        """Tell whether there is something to save."""
        with self._lock:
            try:
                changed, removed = self._changed_values()
            except UnencodableValue:
                return True
            return bool(changed or removed or self._timeout is not None)

    @property
    def created_at(self) -> datetime:
        """Return when the session began."""
        return self._time("created_at")

    @property
    def last_access(self) -> datetime:
        """Return when the session was last used before this request, to the touch interval."""
        return self._time("accessed_at")

    @property
    def last_update(self) -> datetime:
        """Return when the session's data last changed."""
        return self._time("updated_at")

    @property
    def expires_at(self) -> datetime:
        """Return when the session ends unless it is used again."""
        used_at = self._backing.now() if self._timeout is not None else self.last_access.timestamp()
        created_at = self.created_at.timestamp()
        return _utc(self._backing.lifetime(created_at, self._own_timeout(), used_at))

    @property
    def timeout(self) -> timedelta:
        """Return the session's idle timeout: its own, or the container's."""
        own = self._own_timeout()
        return timedelta(seconds=self._backing.idle_timeout() if own is None else own)

    @timeout.setter
    def timeout(self, timeout: timedelta) -> None:
        if not isinstance(timeout, timedelta) or timeout <= timedelta(0):
            raise ValueError(
                f"session.timeout = {timeout!r} is no time to live; "
                "give a positive timedelta, or end the session with destroy()"
            )
        with self._lock:
            self._writable()
            self._timeout = timeout.total_seconds()

    # What can be done with it

    def regenerate(self) -> None:
        """Give the session a new id and keep its data; the old id is dead at once."""
        with self._lock:
            self._writable()
            self._backing.regenerate(self)

    def destroy(self) -> None:
        """End the session: the record is gone, the cookie is cleared.

        What is read or written after it belongs to a fresh, empty session.
        """
        with self._lock:
            self._check_open()
            self._accessed = True
            self._backing.destroy(self)
            self._tell_of_other_values()

    def save(self) -> None:
        """Commit what changed so far."""
        with self._lock:
            self._writable()
            self._backing.save(self)

    def reload(self) -> None:
        """Read what other requests committed; changes that are not saved are dropped.

        Raises SessionNotFound if the session has ended.
        """
        with self._lock:
            self._writable()
            self._backing.reload(self)
            self._tell_of_other_values()

    def on_reload(self, call: Callable[[], None]) -> None:
        """Call this after each reload and destroy: for whoever holds a copy of a value."""
        self._after_reload = (*self._after_reload, call)

    def _tell_of_other_values(self) -> None:
        for call in self._after_reload:
            call()

    # For whoever opened it

    def _begin(self, id: str | None, record: Record | None) -> None:
        """Begin with a stored record, or afresh."""
        self._id = id
        self._record = record
        self._timeout = None
        self._is_new = record is None
        self._started_at = self._backing.now() if record is None else record.created_at
        self._watch({} if record is None else record.values)

    def _saved(self, id: str, record: Record) -> None:
        """Take the record as what the store has now."""
        self._id = id
        self._record = record
        self._timeout = None
        self._stored = record.values

    # Private

    def _loaded(self) -> dict[str, Any]:
        """Return the values, loaded at the first access."""
        values = self._values
        return self._load() if values is None else values

    def _load(self) -> dict[str, Any]:
        with self._lock:
            if self._values is None:
                self._check_open()
                self._accessed = True
                self._begin(*(self._backing.load() or (None, None)))
            return {} if self._values is None else self._values

    def _unreadable(self, error: UnreadableValue) -> None:
        self._backing.unreadable(error)
        # What this request has set is none of the damage.
        values, (changed, _) = self._loaded(), self._changed_values()
        self._begin(None, None)
        self._loaded().update({key: values[key] for key in changed})

    def _own_timeout(self) -> float | None:
        self._loaded()
        if self._timeout is not None or self._record is None:
            return self._timeout
        return self._record.timeout

    def _time(self, name: str) -> datetime:
        self._loaded()
        return _utc(self._started_at if self._record is None else getattr(self._record, name))

    def _new_id(self) -> str:
        with self._lock:
            if self._id is None:
                self._check_open()
                self._id = self._backing.make_id()
            return self._id

    def _writable(self) -> dict[str, Any]:
        if self._closed:
            self._check_open()
        values = self._values
        return self._load() if values is None else values

    def _check_open(self) -> None:
        if self._closed:
            raise SessionClosed(
                "the session is closed: its response's headers have left, or it was closed by hand;"
                " use it before that, in a response before the first byte of the body"
            )


def _utc(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
