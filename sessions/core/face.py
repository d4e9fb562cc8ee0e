"""The methods that `Session` and `AsyncSession` share: everything that happens in memory.

A face is the session object that handlers use. A face reads the state of its session, and lets the
class `Persistence` make every decision.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, Generic, Self, TypeVar

from sessions.core.attributes import OwnAttributes
from sessions.core.closed import CLOSED, HEADERS_LEFT
from sessions.core.codec import unpack, unreadable
from sessions.core.driving import Driver
from sessions.core.in_links import InLinks
from sessions.core.lifetime import is_span
from sessions.core.limits import LONGEST_GRACE, LONGEST_SESSION
from sessions.core.locks import lock_across_forks
from sessions.core.program_cookies import ProgramCookies
from sessions.core.signed_in import SignedIn, utc
from sessions.core.state import ENCODED, MISSING, State
from sessions.core.values import FIRST_PLAIN, RESERVED, plain_key
from sessions.core.views import Viewed
from sessions.core.wrong_values import timedelta_instead
from sessions.errors import SessionClosed
from sessions.flash import Flashes

T = TypeVar("T")
D = TypeVar("D", bound=Driver)

_decoding = lock_across_forks()


class SessionFace(OwnAttributes, Flashes, Viewed, ProgramCookies, SignedIn, InLinks, Generic[D]):
    """Keep a user's data over many requests; the base class of `Session` and `AsyncSession`.

    Changes of nested values are noticed too: `session["cart"].append(x)` is enough. A write raises
    SessionClosed after the headers of the response were sent.
    """

    __slots__ = ("__weakref__", "_driver", "_state")

    _state: State
    _driver: D

    def __init__(self, *_: object, **__: object) -> None:
        raise TypeError(
            f"a {type(self).__name__} cannot be made with {type(self).__name__}(...). Fix: use"
            " manager.open(head), manager.create() or manager.get(id)"
        )

    def __repr__(self) -> str:
        state = self._state
        loaded = "untouched" if state.values is None else f"{len(state.values)} values"
        return f"<{type(self).__name__}: {'closed' if state.closed else 'open'}, {loaded}>"

    # Data

    def __getitem__(self, key: str) -> Any:
        state = self._state
        values = state.values
        if values is None:
            values = self._driver.loaded(state)
        state.accessed = True
        value = values[key]
        return self._decoded(key, MISSING) if value is ENCODED else value

    def __setitem__(self, key: str, value: object) -> None:
        if type(key) is not str or key < FIRST_PLAIN:
            key = plain_key(key)
        state = self._state
        if state.closed:
            raise SessionClosed(CLOSED)
        values = state.values
        if values is None:
            values = self._driver.loaded(state)
        state.accessed = True
        if state.assigned is None:
            state.assigned = {key}
        else:
            state.assigned.add(key)
        values[key] = value

    def __delitem__(self, key: str) -> None:
        values = self._writable()
        if key in RESERVED:
            raise KeyError(key)
        del values[key]

    def __contains__(self, key: object) -> bool:
        # Decode the value first: a key whose value cannot be read must not count as present.
        self._read(key)
        return key in self._readable() and key not in RESERVED

    def __iter__(self) -> Iterator[str]:
        # An unreadable value begins a new session, so decode all values before the loop begins.
        for key in self._readable().copy():
            self._read(key)
        # This is a copy, because another thread of the request may set a key during the loop.
        return iter([key for key in self._readable().copy() if key not in RESERVED])

    def __len__(self) -> int:
        values = self._readable()
        # The number of reserved keys is small; an intersection would look at every value.
        return len(values) - sum([key in values for key in RESERVED])

    def __ior__(self, other: Mapping[str, Any] | Iterable[tuple[str, Any]]) -> Self:
        self.update(other)
        return self

    def __or__(self, other: Mapping[str, Any]) -> dict[str, Any]:
        return {**self.copy(), **other} if isinstance(other, Mapping) else NotImplemented

    def __ror__(self, other: Mapping[str, Any]) -> dict[str, Any]:
        return {**other, **self.copy()} if isinstance(other, Mapping) else NotImplemented

    def get(self, key: str, default: Any = None) -> Any:
        """Return the value of the key, or the default."""
        state = self._state
        values = state.values
        if values is None:
            values = self._driver.loaded(state)
        state.accessed = True
        value = values.get(key, default)
        return self._decoded(key, default) if value is ENCODED else value

    def clear(self) -> None:
        """Remove all data; the session and its user stay."""
        values = self._writable()
        reserved = {key: values[key] for key in RESERVED if key in values}
        values.clear()
        values.update(reserved)

    def copy(self) -> dict[str, Any]:
        """Return the data as a plain dict."""
        return dict(self.items())

    # What is known of the session

    @property
    def id(self) -> str:
        """Return the id, which is a secret; directly after `regenerate()`, this is the new id."""
        self._readable()
        return self._driver.sessions.id_of(self._state).text

    @property
    def handle(self) -> str:
        """Return the public name of the session, which never changes and is safe to log."""
        self._readable()
        return self._driver.sessions.id_of(self._state).key

    @property
    def is_new(self) -> bool:
        """Return whether the session has not been stored yet."""
        self._readable()
        return self._state.record is None

    @property
    def is_past(self) -> bool:
        """Return whether the id of the request stopped working a moment ago.

        Another request has just ended the session or changed its id. This object then has no data
        and stores nothing. Its `id` is the id from the request.
        """
        self._readable()
        return self._state.is_past

    @property
    def accessed(self) -> bool:
        """Return whether the session was used in this request."""
        return self._state.accessed

    @property
    def modified(self) -> bool:
        """Return whether the session has unsaved changes."""
        return self._state.has_changes()

    @property
    def loaded(self) -> bool:
        """Return whether the data of the session are loaded."""
        return self._state.values is not None

    @property
    def saved(self) -> bool:
        """Return whether the store accepted a write of this request."""
        return self._state.saved

    @property
    def ended(self) -> bool:
        """Return whether the session was destroyed in this request."""
        return self._state.ended

    @property
    def gone(self) -> bool:
        """Return whether another request ended the session while this request used it."""
        return self._state.gone

    @property
    def closed(self) -> bool:
        """Return whether the session is closed, so that a write raises SessionClosed."""
        return self._state.closed

    @property
    def created_at(self) -> datetime:
        """Return when the session began; `set_user()` sets this time to now."""
        self._readable()
        return utc(self._state.started_at)

    @property
    def last_access(self) -> datetime:
        """Return the time of the last stored use; only one use in each touch interval is stored."""
        self._readable()
        record = self._state.latest_record()
        return utc(self._state.started_at if record is None else record.accessed_at)

    @property
    def last_update(self) -> datetime:
        """Return when the session's data last changed."""
        self._readable()
        record = self._state.latest_record()
        return utc(self._state.started_at if record is None else record.updated_at)

    @property
    def expires_at(self) -> datetime:
        """Return when the session ends, if no later request uses the session."""
        self._readable()
        return utc(self._driver.sessions.expires_at(self._state))

    @property
    def revocable(self) -> bool:
        """Return whether `destroy()` also makes copies of the token useless."""
        return self._driver.sessions.revocable

    @property
    def timeout(self) -> timedelta:
        """Return the session's idle timeout: its own, or that of the SessionContainer."""
        self._readable()
        seconds = self._driver.sessions.idle_timeout(self._state)
        return timedelta(seconds=min(seconds, timedelta.max.total_seconds() - 1))

    @timeout.setter
    def timeout(self, timeout: timedelta | None) -> None:
        if timeout is not None and not is_span(timeout, LONGEST_SESSION):
            raise ValueError(
                f"session.timeout = {timeout!r} is not a timeout. Fix: "
                + timedelta_instead(
                    timeout,
                    f"give a positive timedelta of at most {LONGEST_SESSION.days} days, or None for"
                    " the container's timeout, or end the session with destroy()",
                )
            )
        self._writable()
        seconds = None if timeout is None else timeout.total_seconds()
        self._driver.sessions.set_timeout(self._state, seconds)

    # Ids

    def regenerate(self, *, grace: timedelta | None = None) -> None:
        """Give the session a new id at the next commit; the data stay, the old id stops working.

        With `grace`, requests with the old id still work for this time. Use `grace` only where the
        rights of the user do not change.
        """
        if grace is not None and not is_span(grace, LONGEST_GRACE):
            raise ValueError(
                f"session.regenerate(grace={grace!r}) is refused. Fix: "
                + timedelta_instead(grace, "give a positive timedelta of at most one day")
            )
        self._writable()
        self._check_headers()
        self._driver.sessions.regenerate(self._state, grace)

    def keep_expiry(self) -> None:
        """Do not extend the session, for example in a request that a script repeats.

        The session expires as if this request had not come. The changes of the request are saved. A
        sign-in extends the session in any case.
        """
        self._check_open()
        self._driver.sessions.keep_expiry(self._state)

    def destroy(self) -> None:
        """End the session at the next commit, even if the rest of the request fails.

        The middleware or the framework clears the cookie in the response. In a program without
        them, call `clear_cookie()`. Later reads and writes in this request belong to a new, empty
        session.
        """
        self._check_open()
        self._driver.sessions.destroy(self._state)
        self._tell_of_other_values()

    def on_reload(self, call: Callable[[], None]) -> None:
        """Call the function after each `reload()` and `destroy()`, which replace all values."""
        self._state.after_reload = (*self._state.after_reload, call)

    # Private

    def _readable(self) -> dict[str, Any]:
        state = self._state
        values = state.values
        if values is None:
            values = self._driver.loaded(state)
        state.accessed = True
        return values

    def _writable(self) -> dict[str, Any]:
        self._state.check_open()
        return self._readable()

    def _check_open(self) -> None:
        self._state.check_open()
        self._state.accessed = True

    def _read(self, key: Any) -> None:
        """Decode the value of the key, if the value is still encoded."""
        if self._readable().get(key) is ENCODED:
            self._decoded(key, None)

    def _decoded(self, key: str, default: Any) -> Any:
        """Return a stored value, decoded once; begin a new session if the value cannot be read."""
        state = self._state
        data = state.base.get(key)
        try:
            value = default if data is None else unpack(data)
        # The bytes come from outside. Every error of the decoder means that they are unreadable.
        except Exception as error:  # noqa: BLE001
            state.begin_undamaged(unreadable(data, error))
            self._driver.tell_soon(state)
            value = default
        else:
            value = self._keep_decoded(key, data, value, default)
        if value is MISSING:
            raise KeyError(key)
        return value

    def _keep_decoded(self, key: str, data: bytes | None, value: Any, default: Any) -> Any:
        state = self._state
        with _decoding:
            # Another thread of the request may have set, decoded or removed the value in the
            # meantime.
            values = state.values if state.values is not None else {}
            present = values.get(key, default)
            if present is ENCODED and data is not None and state.base.get(key) is data:
                values[key] = present = value
        return self._decoded(key, default) if present is ENCODED else present

    def _check_headers(self) -> None:
        if self._state.headers_left:
            raise SessionClosed(HEADERS_LEFT)

    def _tell_of_other_values(self) -> None:
        for call in self._state.after_reload:
            call()


def face(kind: type[T], state: State, driver: Driver) -> T:
    """Return a session of this class that shows the state."""
    made = object.__new__(kind)
    _set_state(made, state)
    _set_driver(made, driver)
    # Lifecycle methods such as `suspend` are called on this first object of the session.
    if driver.keeps_faces and state.face is None:
        state.face = made
    return made


def state_of(session: SessionFace[Any]) -> State:
    """Return the state of a session; raise TypeError for any other object."""
    try:
        return session._state
    except AttributeError:
        # The value is not shown, because it may be an id or a token.
        raise TypeError(
            f"a value of type {type(session).__name__} is not a session of a manager. Fix: give"
            " what manager.open(head), manager.create() or manager.get(id) returned"
        ) from None


# These are the setters of the slots. They skip our slow `__setattr__`, which would take most of the
# time of opening a session.
_set_state = SessionFace.__dict__["_state"].__set__
_set_driver = SessionFace.__dict__["_driver"].__set__
