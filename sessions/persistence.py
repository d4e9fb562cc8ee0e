"""Sessions whose records live in a store: when it is asked, and what its answers mean."""

import contextlib

from sessions.bearers import Bearer
from sessions.calls import StoreCalls
from sessions.errors import (
    SessionError,
    SessionNotFound,
    StoreUnavailable,
    UnreadableValue,
)
from sessions.record import FORMAT_VERSION, Changes, Record, new_id
from sessions.rules import Rules, check_size
from sessions.session import Session
from sessions.stores.base import Outcome

_ID_ATTEMPTS = 3

Values = dict[str, bytes]


class StoredSession(StoreCalls):
    """Stand behind one session: say when the store is asked, and what its answers mean."""

    __slots__ = (
        "_written",
        "bearer",
        "ended",
        "gone",
        "id_is_news",
        "previous_id",
    )

    def __init__(self, rules: Rules, bearer: Bearer, *, in_request: bool) -> None:
        super().__init__(rules, in_request=in_request)
        self.bearer = bearer
        self._written = False
        self.id_is_news = False
        self.gone = False
        self.ended = False
        self.previous_id: str | None = None

    # What a session asks

    def now(self) -> float:
        return self._rules.clock()

    def idle_timeout(self) -> float:
        return self._rules.idle

    def lifetime(self, created_at: float, timeout: float | None, used_at: float) -> float:
        return self._rules.lifetime(created_at, timeout, used_at)

    def make_id(self) -> str:
        return new_id(self._rules.gen_id)

    def load(self) -> tuple[str, Record] | None:
        given = self.bearer.identify()
        if given is None:
            return None
        record = self._ask(self._rules.store.load, self._key(given))
        if record is None or not self._rules.is_live(record):
            return None
        if record.version > FORMAT_VERSION:
            self._rules.emit(
                "unreadable",
                f"its record has format {record.version}, this release knows {FORMAT_VERSION}",
            )
            return None
        return given, record

    def unreadable(self, error: UnreadableValue) -> None:
        self._rules.emit("unreadable", str(error))

    def save(self, session: Session) -> None:
        """Create or commit what changed; nothing if nothing did."""
        if self.gone:
            return
        changed, removed = session._changed_values()
        record = session._record
        if record is None:
            if changed or session._timeout is not None:
                self._create(session, changed)
        elif changed or removed or session._timeout is not None:
            self._commit(session, record, changed, removed)

    def reload(self, session: Session) -> None:
        own = session._id
        if own is None or session._record is None:
            if self.ended:
                raise SessionNotFound("the session was ended in this request; nothing is left")
            session._begin(own, None)
            return
        record = self._ask(self._rules.store.load, self._key(own))
        if record is None or not self._rules.is_live(record):
            self._lose("reload() found that it had ended")
            raise SessionNotFound("the session was ended by another request; nothing is left")
        session._begin(own, record)

    def regenerate(self, session: Session) -> None:
        if session._id is None or session._record is None:
            session._id = None
        elif not self.gone:
            self._rename(session, session._id)

    def destroy(self, session: Session) -> None:
        # A session that was not read, or could not be, may have a record all the same.
        given = self.bearer.identify() if session._record is None else session._id
        if given is not None and self._do(self._rules.store.delete, self._key(given)):
            self._rules.emit("destroyed", "destroy() ended it")
        self.ended = True
        self.gone = False
        self.id_is_news = False
        self.previous_id = None
        session._begin(None, None)

    # What the manager asks

    def finish(self, session: Session) -> None:
        """Do at the end of a request what is left to do."""
        if self._failure is not None and self._unfinished:
            raise self._failure
        if session._values is None and not self._opens_unasked(session):
            return
        saved, self._written = self._written, False
        self.save(session)
        if self._written or self.gone:
            return
        if session._record is None:
            if self._rules.save_uninitialized and not self.ended:
                self._create(session, {})
        elif saved:
            self._confirm(session, session._record)
        elif self._rules.resave:
            self._commit(session, session._record, {}, frozenset())
        else:
            self._touch(session, session._record)

    def check(self, session: Session) -> None:
        """Refuse values that cannot be encoded, or are too large together."""
        if not self.gone:
            changed, removed = session._changed_values()
            check_size(session._record.values if session._record else {}, changed, removed)

    def discard(self, session: Session) -> None:
        """Forget what was not saved; note only that the session was used."""
        # The response is an error already; that the store fails as well changes nothing.
        with contextlib.suppress(SessionError):
            if session._values is None and not self._opens_unasked(session):
                return
            record = session._record
            session._begin(session._id, record)
            if record is None or self.gone or self._failure:
                return
            if self._written:
                self._confirm(session, record)
            else:
                self._touch(session, record)

    def undo_regenerate(self, session: Session) -> None:
        """Give the session its old id back, for the client will never learn the new one."""
        if self.previous_id is not None and session._id is not None and not self.gone:
            with contextlib.suppress(StoreUnavailable):
                old = self._key(self.previous_id)
                self._ask(self._rules.store.rename, self._key(session._id), old)

    def create(self, session: Session) -> None:
        """Store a new session, also an empty one."""
        self._create(session, session._changed_values()[0])

    # Private

    def _opens_unasked(self, session: Session) -> bool:
        rules = self._rules
        if rules.save_uninitialized or (rules.rolling and self.bearer.identify() is not None):
            session._load()
        return session._values is not None

    def _create(self, session: Session, values: Values) -> None:
        obstacle = self.bearer.obstacle()
        if obstacle is not None:
            self._rules.emit("insecure", obstacle)
            return
        now = self.now()
        record = Record(
            values=values,
            created_at=session._started_at,
            accessed_at=now,
            updated_at=now,
            expires_at=self._rules.lifetime(session._started_at, session._timeout, now),
            timeout=session._timeout,
        )
        check_size({}, values)
        session._saved(self._take_id(session.id, record), record)
        self._written = self.id_is_news = True
        self._rules.emit("created", "its first value was saved")

    def _take_id(self, free: str, record: Record) -> str:
        for _ in range(_ID_ATTEMPTS):
            if self._do(self._rules.store.create, self._key(free), record):
                return free
            free = self.make_id()
        raise _taken()

    def _commit(
        self, session: Session, record: Record, changed: Values, removed: frozenset[str]
    ) -> None:
        rules = self._rules
        now = rules.clock()
        timeout = record.timeout if session._timeout is None else session._timeout
        changes = Changes(
            accessed_at=now,
            updated_at=now if changed or removed else record.updated_at,
            expires_at=rules.lifetime(record.created_at, timeout, now),
            set=changed,
            removed=removed,
            timeout=session._timeout,
        )
        check_size(record.values, changed, removed)
        own = session._id or session.id
        if self._do(rules.store.commit, self._key(own), changes) is Outcome.GONE:
            self._lose("a write was dropped, for the session ended during the request")
            return
        if session._timeout is not None or self._renews_cookie(record):
            self.id_is_news = True
        self.previous_id = None
        self._written = True
        record.apply(changes)
        session._timeout = None

    def _confirm(self, session: Session, record: Record) -> None:
        """Send no cookie of a session that another request ended since this one saved it."""
        others_know_it = session._id == self.bearer.identify()
        if others_know_it and (self._rules.rolling or self.id_is_news):
            self._note_use(session, record)

    def _touch(self, session: Session, record: Record) -> None:
        if self._rules.rolling or self._rules.touch_is_due(record):
            self._note_use(session, record)

    def _note_use(self, session: Session, record: Record) -> None:
        now = self.now()
        expires_at = self._rules.lifetime(record.created_at, record.timeout, now)
        if self._ask(self._rules.store.touch, self._key(session.id), expires_at, now):
            self._written = True
            self.id_is_news = self.id_is_news or self._renews_cookie(record)
        else:
            self._lose("it ended during the request")

    def _renews_cookie(self, record: Record) -> bool:
        """Tell whether the browser is to keep the cookie as long as the store keeps the record."""
        return record.timeout is not None and self._rules.touch_is_due(record)

    def _rename(self, session: Session, old: str) -> None:
        for _ in range(_ID_ATTEMPTS):
            new = self.make_id()
            if self._do(self._rules.store.rename, self._key(old), self._key(new)):
                session._id = new
                self.id_is_news = True
                # What was saved in between may be a login: no id from before it comes back.
                self.previous_id = None if self._written else self.previous_id or old
                self._rules.emit("regenerated", "regenerate() gave it a new id")
                return
            if self._do(self._rules.store.load, self._key(old)) is None:
                self._lose("regenerate() came too late, the session had ended")
                return
        raise _taken()

    def _lose(self, detail: str) -> None:
        self.gone = True
        self._rules.emit("gone", detail)


def _taken() -> SessionError:
    return SessionError(
        f"gen_id returned {_ID_ATTEMPTS} ids that other sessions have; it must be random, "
        "such as secrets.token_urlsafe(32)"
    )
