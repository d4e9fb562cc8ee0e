"""One request as the model of sessions sees it: what its handler sees, what becomes of it."""

from copy import deepcopy
from dataclasses import dataclass, field, replace

from sessions.record import Unchanged
from tests.support.model import ABSOLUTE, IDLE, Kept, Pending, Values, View, World, lineage


@dataclass
class Visit:
    """One request: `seen` is the session as this request knows it."""

    world: World
    given: str | None
    began: float = 0.0
    standing: str = "fresh"
    found: str | None = None
    # The session of the given id as the request found it.
    given_kept: Kept | None = None
    id: str | None = None
    seen: Kept | None = None
    view: View = field(default_factory=lambda: View({}))
    base: Values = field(default_factory=dict)
    pending: Pending = field(default_factory=Pending)
    started: float = 0.0
    left: tuple[str | None, Kept | None, str] | None = None
    signs_out: bool = False
    to_end: list[str] = field(default_factory=list)
    loaded: bool = False
    gone: bool = False
    ended: bool = False
    saved: bool = False
    written: bool = False
    brings_cookie: bool = False
    clears_cookie: bool = False

    # Load

    def load(self) -> None:
        """Look at the world, once."""
        if self.loaded:
            return
        self.started = self.world.now
        if self.given is None:
            self._begin(None, None, "fresh")
            return
        self.found, kept = self.world.judge(self.given, self.began)
        self.given_kept = deepcopy(kept)
        known = self.given if self.found != "unknown" else None
        self._begin(known, kept, self.found)

    @property
    def user(self) -> str | None:
        """Return who is signed in."""
        if not isinstance(self.pending.user, Unchanged):
            return self.pending.user
        return None if self.seen is None else self.seen.user

    @property
    def changes(self) -> tuple[Values, set[str]]:
        """Return what the handler set and removed since the last save."""
        base = {} if self.pending.clear else self.base
        changed = {
            key: value for key, value in self.view.items() if key not in base or base[key] != value
        }
        return changed, base.keys() - self.view.keys()

    @property
    def has_changes(self) -> bool:
        """Return whether there is anything to commit."""
        return self.changes != ({}, set()) or not self.pending.changes_values_only

    # What a handler does

    def regenerate(self, new_id: str, grace: float | None = None) -> None:
        """Take another id with the next commit."""
        if self.seen is None:
            if self.standing == "past":
                self._note_left()
                self.standing = "fresh"
            self.id = None
        elif self.standing == "current" and not self.gone:
            leaves_grace = grace is not None and self.pending.may_leave_grace
            until = self.now + grace if grace is not None and leaves_grace else None
            self.pending = replace(self.pending, id=new_id, grace=until)

    def set_user(self, user: str, new_id: str) -> None:
        """Sign in; with an id that counts no more in a session of its own."""
        is_another = self.user not in (None, user)
        if self.gone or self.standing in ("past", "grace"):
            timeout = self.pending.timeout
            self._leave()
            self.gone, self.pending = False, Pending(timeout=timeout)
        if is_another:
            self.view = View({})
            self.pending = replace(self.pending, clear=self.seen is not None)
        if self.seen is None:
            self.started = self.world.now
        self.regenerate(new_id)
        self.pending = replace(self.pending, user=user, grace=None)

    def clear_user(self) -> None:
        """Sign out; with an id that counts no more by ending the session."""
        is_own = self.given and self.seen and lineage(self.given) == lineage(self.seen.id)
        if self.given and not (self.found == "current" and is_own):
            self._end_later(lineage(self.given))
        if self.seen is not None and (self.gone or self.standing == "grace"):
            self._end_later(lineage(self.seen.id))
        if self.seen is not None and self.standing == "current":
            self.signs_out = True
            self.pending = replace(self.pending, user=None)
        elif self.standing == "grace":
            self._leave()
            self.left, self.signs_out = None, False
        elif not isinstance(self.pending.user, Unchanged):
            self.pending = Pending(timeout=self.pending.timeout)

    def set_timeout(self, seconds: float | None) -> None:
        """Take a timeout of its own."""
        if self.standing != "grace":
            self.pending = replace(self.pending, timeout=seconds)

    def destroy(self) -> None:
        """End the session and begin afresh."""
        if self.given is not None:
            self._end_later(lineage(self.given))
        if self.seen is not None:
            self._end_later(lineage(self.seen.id))
        self.started = self.world.now
        self._begin(None, None, "fresh")
        self.left, self.ended = None, True
        self.signs_out = self.gone = self.brings_cookie = self.saved = False

    def save(self, new_id: str) -> bool:
        """Commit now; return whether the session is still there."""
        self._end()
        if self.gone:
            return False
        if self.has_changes:
            if self.standing == "past":
                self.gone = True
            else:
                self._commit(new_id)
        return not self.gone

    def reload(self) -> bool:
        """Look at the world again; return whether the session is still there."""
        if self.seen is None or self.id is None:
            if self.ended or self.gone or self.standing == "past":
                return False
            self._begin(self.id, None, self.standing)
            return True
        standing, kept = self.world.judge(self.id, self.began)
        if kept is None:
            self.gone = True
            if self.signs_out:
                self._end_later(lineage(self.id))
            return False
        self._begin(self.id, kept, standing)
        if self.signs_out:
            self.clear_user()
        return True

    def close(self, new_id: str, *, failed: bool) -> None:
        """End the request."""
        if failed:
            self._give_up(new_id)
        self._end()
        if self.gone:
            return
        saved, self.written = self.saved, False
        if self.has_changes:
            if self.standing == "past":
                self.gone = True
            else:
                self._commit(new_id)
        if self.seen is not None and self._is_used(self.seen, saved=saved):
            self._touch(self.seen)

    @property
    def answer(self) -> str | None:
        """Return the id that the response brings, "" if it clears the cookie, None if neither."""
        sends = self.brings_cookie and not self.gone and self.standing != "grace"
        if sends and self.seen is not None:
            return self.seen.id
        goes_on = self.seen is not None and not self.gone
        return "" if self.clears_cookie and not goes_on else None

    @property
    def now(self) -> float:
        """Return the present."""
        return self.world.now

    # Private

    def _is_used(self, seen: Kept, *, saved: bool) -> bool:
        """Return whether the end of the request writes down a use, or asks for its id that way."""
        if self.gone or self.written:
            return False
        if saved:
            is_known = self.found is not None and lineage(f"{self.given}") == lineage(seen.id)
            return is_known and (self.brings_cookie or self._renews_as_loaded())
        return seen.touch_is_due(self.now)

    def _renews_as_loaded(self) -> bool:
        """Return whether the session was due for its cookie before this request saved it."""
        return self.given_kept is not None and self.given_kept.renews_cookie(self.now)

    def _begin(self, session_id: str | None, kept: Kept | None, standing: str) -> None:
        self.loaded = True
        self.id, self.standing, self.seen = session_id, standing, deepcopy(kept)
        self.pending = Pending()
        self.view = View({} if kept is None else kept.values)
        self.base = deepcopy(self.view.data)
        if kept is not None:
            self.started = kept.created

    def _leave(self) -> None:
        """Begin a session of its own with what this request itself has set."""
        own = {*self.changes[0], *(self.view.assigned & self.view.keys())}
        values = {key: self.view[key] for key in own}
        self._note_left()
        self._begin(None, None, "fresh")
        self.view.update(values)

    def _note_left(self) -> None:
        """Remember what a request that fails goes back to."""
        if self.seen is not None or self.standing == "past":
            self.left = (self.id, self.seen, self.standing)

    def _end_later(self, key: str) -> None:
        if key not in self.to_end:
            self.to_end.append(key)

    def _end(self) -> None:
        """End what is to end; the cookie is cleared unless another request has done that."""
        for key in self.to_end:
            if self.world.delete(key) or self._was_unknown(key):
                self.clears_cookie = True
        self.to_end = []

    def _was_unknown(self, key: str) -> bool:
        if self.given is None or key != lineage(self.given):
            return self.world.judge(key, self.began)[0] == "unknown"
        if self.found is not None:
            return self.found == "unknown"
        return self.world.judge(self.given, self.began)[0] == "unknown"

    def _give_up(self, new_id: str) -> None:
        """Discard what was not saved, but for a sign-out."""
        if self.left is not None and self.seen is None:
            self._begin(*self.left)
            self.left = None
        self.view = View(self.base)
        self.pending = Pending(user=None) if self.signs_out else Pending()
        self._end()
        if self.signs_out and not self.gone:
            self._commit(new_id)

    def _commit(self, new_id: str) -> None:
        if self.seen is None:
            names_more = isinstance(self.pending.user, str), isinstance(self.pending.timeout, float)
            if self.changes[0] or any(names_more):
                self._create(new_id)
            return
        if self.standing == "current" and self.seen.renews_cookie(self.now):
            self.pending = replace(self.pending, renews_cookie=True)
        pending = Pending() if self.standing == "grace" else self.pending
        target = self.world.target(self.seen, pending)
        has_values = self.changes != ({}, set())
        if target == "superseded" and pending.leaves_values(changes_values=has_values):
            self.pending = pending = Pending()
            target = self.world.target(self.seen, pending)
        if isinstance(target, Kept):
            self._apply(target, pending)
        else:
            self._come_too_late(new_id, target)

    def _create(self, new_id: str) -> None:
        own = None if isinstance(self.pending.timeout, Unchanged) else self.pending.timeout
        user = None if isinstance(self.pending.user, Unchanged) else self.pending.user
        created = self.now if user else self.started
        kept = Kept(
            id=new_id,
            since=self.now,
            values=deepcopy(self.view.data),
            created=created,
            accessed=self.now,
            expires=min(self.now + (IDLE if own is None else own), created + ABSOLUTE),
            timeout=own,
            user=user,
        )
        self.world.kept[lineage(new_id)] = kept
        self.id, self.seen, self.standing = new_id, deepcopy(kept), "current"
        self.base, self.pending = deepcopy(self.view.data), Pending()
        self.left, self.signs_out = None, False
        self.saved = self.written = self.brings_cookie = True

    def _apply(self, target: Kept, pending: Pending) -> None:
        """Change the world's session, and what this request knows of it, alike."""
        seen = self.seen
        if seen is None:
            return
        names_timeout = not isinstance(pending.timeout, Unchanged)
        if names_timeout or pending.id is not None or pending.renews_cookie:
            self.brings_cookie = True
        own = seen.timeout if isinstance(pending.timeout, Unchanged) else pending.timeout
        created = self.now if isinstance(pending.user, str) else seen.created
        expires = min(self.now + (IDLE if own is None else own), created + ABSOLUTE)
        for kept in (target, seen):
            self._change(kept, pending, expires)
        self.id = pending.id or self.id
        self.signs_out = self.signs_out and isinstance(pending.user, Unchanged)
        self.base, self.pending = deepcopy(self.view.data), Pending()
        self.saved = self.written = True

    def _change(self, kept: Kept, pending: Pending, expires: float) -> None:
        changed, removed = self.changes
        if pending.clear:
            kept.values = {}
        kept.values.update(deepcopy(changed))
        for key in removed:
            kept.values.pop(key, None)
        names_timeout = not isinstance(pending.timeout, Unchanged)
        kept.use(self.now, expires, names_timeout=names_timeout)
        if not isinstance(pending.timeout, Unchanged):
            kept.timeout = pending.timeout
        if not isinstance(pending.user, Unchanged):
            kept.user = pending.user
        if isinstance(pending.user, str):
            kept.created = self.now
        if pending.id is not None:
            kept.earlier = None if pending.grace is None else kept.id
            kept.earlier_until = pending.grace or 0.0
            kept.id, kept.since = pending.id, self.now

    def _come_too_late(self, new_id: str, target: str) -> None:
        pending = self.pending
        if isinstance(pending.user, str):
            self._leave()
            self.pending = Pending(timeout=pending.timeout, user=pending.user)
            self.started = self.now
            self._create(new_id)
            return
        self.gone, is_dropped = True, self.changes != ({}, set())
        if pending.user is None and self.seen is not None:
            if target == "superseded":
                self._end_later(lineage(self.seen.id))
                self._end()
            self.started = self.now
            self._begin(None, None, "fresh")
            self.ended, self.gone, self.signs_out = True, is_dropped, False

    def _touch(self, seen: Kept) -> None:
        kept = self.world.kept.get(lineage(seen.id))
        if kept is None or self.now >= kept.expires or kept.id != seen.id:
            self.gone = True
            return
        if self._renews_as_loaded() if self.saved else seen.renews_cookie(self.now):
            self.brings_cookie = True
        expires = min(self.now + seen.idle, seen.created + ABSOLUTE)
        for session in (kept, seen):
            session.use(self.now, expires)
        self.written = True
