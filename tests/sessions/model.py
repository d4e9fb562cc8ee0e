"""What sessions promise, said with plain dictionaries."""

from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

IDLE, ABSOLUTE = 1000.0, 3000.0
TOUCH_INTERVAL = 60.0

Values = dict[str, Any]


@dataclass
class Kept:
    """What the world keeps of one session."""

    values: Values
    created: float
    accessed: float
    expires: float
    timeout: float = IDLE

    def is_live(self, now: float) -> bool:
        """Tell whether its time is not over."""
        return now < min(self.expires, self.accessed + self.timeout, self.created + ABSOLUTE)

    def use(self, now: float, timeout: float) -> None:
        """Note a use by a request that knows of this timeout: it never ends a session earlier."""
        self.accessed = now
        self.expires = max(self.expires, min(now + timeout, self.created + ABSOLUTE))


@dataclass
class World:
    """All sessions by their ids, and the present."""

    now: float
    kept: dict[str, Kept] = field(default_factory=dict)

    def find(self, id: str | None) -> Kept | None:
        """Return the session with the id if a request would see it."""
        kept = None if id is None else self.kept.get(id)
        return kept if kept is not None and kept.is_live(self.now) else None

    def target(self, id: str | None) -> Kept | None:
        """Return the session with the id if a request that has it may still write it."""
        kept = None if id is None else self.kept.get(id)
        return kept if kept is not None and self.now < kept.expires else None


@dataclass
class Visit:
    """One request: what its handler sees, and what is to become of it."""

    world: World
    given: str | None
    id: str | None = None
    view: Values = field(default_factory=dict)
    base: Values = field(default_factory=dict)
    loaded: bool = False
    stored: bool = False
    gone: bool = False
    ended: bool = False
    written: bool = False
    news: bool = False
    began: float = 0.0
    accessed: float = 0.0
    timeout: float = IDLE
    new_timeout: float | None = None

    def load(self) -> None:
        """Look at the world, once."""
        if not self.loaded:
            self.loaded = True
            self._begin(self.given, self.world.find(self.given))

    @property
    def changes(self) -> tuple[Values, set[str]]:
        """Return what the handler set and removed since the last save."""
        changed = {
            key: value
            for key, value in self.view.items()
            if key not in self.base or self.base[key] != value
        }
        return changed, self.base.keys() - self.view.keys()

    def save(self, new_id: str | None) -> None:
        """Put the changes into the world, under the new id if there was none."""
        changed, removed = self.changes
        if self.gone or not (changed or removed or self.new_timeout is not None):
            return
        kept = self.world.target(self.id) if self.stored else self._create(new_id)
        if kept is None:
            self.gone = True
            return
        kept.values.update(deepcopy(changed))
        for key in removed:
            kept.values.pop(key, None)
        self._use(kept)
        if self.new_timeout is not None:
            self.timeout = kept.timeout = self.new_timeout
            kept.expires = min(self.world.now + self.timeout, kept.created + ABSOLUTE)
            self.news, self.new_timeout = True, None
        self.base, self.written = deepcopy(self.view), True

    def reload(self) -> bool:
        """Look at the world again; tell whether the session is still there."""
        if not self.stored:
            if not self.ended:
                self._begin(self.id, None)
            return not self.ended
        kept = self.world.find(self.id)
        if kept is None:
            self.gone = True
            return False
        self._begin(self.id, kept)
        return True

    def regenerate(self, new_id: str) -> None:
        """Move the session to the new id."""
        if not self.stored or self.gone:
            return
        if self.id is None or self.world.target(self.id) is None:
            self.gone = True
            return
        self.world.kept[new_id] = self.world.kept.pop(self.id)
        self.id, self.news = new_id, True

    def destroy(self) -> None:
        """End the session and begin afresh."""
        self.world.kept.pop(f"{self.id if self.stored else self.given}", None)
        self.loaded = self.ended = True
        self.gone = self.news = False
        self._begin(None, None)

    def close(self, new_id: str | None, *, failed: bool) -> None:
        """End the request."""
        if not self.loaded:
            return
        if failed:
            self.view, self.new_timeout = deepcopy(self.base), None
        saved, self.written = self.written, False
        self.save(new_id)
        # A cookie of what was saved earlier leaves only if nobody has ended it since.
        asks = self.news and self.id == self.given if saved else self._due
        if self.stored and asks and not (self.written or self.gone):
            kept = self.world.target(self.id)
            if kept is None:
                self.gone = True
            else:
                self._use(kept)

    @property
    def answer(self) -> str | None:
        """Return the id that the response brings, "" if it clears the cookie, None if neither."""
        if self.gone or not self.loaded:
            return None
        if self.stored and self.news:
            return self.id
        return "" if self.ended and self.given is not None else None

    @property
    def _due(self) -> bool:
        interval = min(self.timeout / 10, TOUCH_INTERVAL)
        return self.world.now - self.accessed >= interval

    def _use(self, kept: Kept) -> None:
        """Note the use; a browser keeps the cookie as long as we keep a timeout of its own."""
        self.news = self.news or (self.timeout != IDLE and self._due)
        self.accessed = self.world.now
        kept.use(self.world.now, self.timeout)

    def _begin(self, id: str | None, kept: Kept | None) -> None:
        self.id = id if kept is not None else None
        self.stored = kept is not None
        self.began, self.new_timeout = self.world.now, None
        self.view = deepcopy(kept.values) if kept is not None else {}
        self.base = deepcopy(self.view)
        self.accessed = kept.accessed if kept is not None else self.world.now
        self.timeout = kept.timeout if kept is not None else IDLE

    def _create(self, new_id: str | None) -> Kept | None:
        if new_id is None:
            return None
        now = self.world.now
        kept = Kept({}, created=self.began, accessed=now, expires=now)
        self.world.kept[new_id] = kept
        self.id, self.stored, self.news = new_id, True, True
        return kept
