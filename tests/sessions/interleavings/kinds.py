"""What a request does with its session, and what it may change in the session."""

from collections.abc import Callable, Generator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, NamedTuple

from sessions.core import codec
from sessions.core.persistence import Flow, Persistence
from sessions.core.state import Ask, State
from sessions.core.values import USER_DATA
from sessions.session import Session

GRACE_TIME = timedelta(seconds=10)
OWN_TIMEOUT = timedelta(minutes=30)


class Handling(NamedTuple):
    """Hold what a handler has: its loaded session, the core for verbs, and a text of its own."""

    session: Session
    sessions: Persistence
    state: State
    own: str


Manage = Callable[[Persistence, State], Flow[object]]
"""What a manager does for an administrator."""

Act = Callable[[Handling], Generator[Ask, Any, object]]
"""What a handler does."""


@dataclass(frozen=True, kw_only=True)
class Kind:
    """Describe what a request does, and which of its effects other requests may see."""

    name: str
    act: Act
    sets: tuple[str, ...] = ()
    """The keys that it sets to its own text."""
    removes: tuple[str, ...] = ()
    counts: bool = False
    user: str | None = None
    """Who is signed in by it."""
    signs_out: bool = False
    destroys: bool = False
    deletes: bool = False
    """Whether an administrator ends the session by its id, without a request."""
    changes_id: bool = False
    has_grace: bool = False
    sets_timeout: bool = False
    fails: bool = False
    """Whether the handler answers 500 after all that."""
    manages: "Manage | None" = None
    """What an administrator does by the manager, without a request."""
    keeps: str | None = None
    """The key of the session that it does not end."""
    is_abandoned: bool = False
    """Whether no answer leaves, for the client has gone or the server gives up."""

    @property
    def is_harmless(self) -> bool:
        """Return whether no other request can lose anything by this one."""
        changes_id = self.changes_id and not (self.has_grace or self.fails)
        return not (changes_id or self.signs_out or self.destroys or self.deletes)

    @property
    def signs_in(self) -> bool:
        """Return whether the request makes a fresh session if its own one is lost."""
        return self.changes_id and bool(self.user or self.sets)

    def own_values(self, own: str) -> dict[str, bytes]:
        """Return the encoded values that the request stores."""
        return {key.format(own=own): codec.encode(_own_value(key, own)) for key in self.sets}


def _own_value(key: str, own: str) -> object:
    return {"by": own} if key == USER_DATA else own


def read(handling: Handling) -> Flow[None]:
    """Read a value."""
    handling.session.get("cart")
    yield from ()


def write(handling: Handling) -> Flow[None]:
    """Set one value of this request alone, and one value that other requests set, too."""
    handling.session[f"of {handling.own}"] = handling.own
    handling.session["last"] = handling.own
    yield from ()


def remove(handling: Handling) -> Flow[None]:
    """Remove a value."""
    handling.session.pop("cart", None)
    yield from ()


def save(handling: Handling) -> Flow[None]:
    """Set values, commit them, and go on."""
    yield from write(handling)
    yield from handling.sessions.save(handling.state)


def increment(handling: Handling) -> Flow[None]:
    """Increment a number."""
    yield from handling.sessions.update(handling.state, "count", _next)


def take(handling: Handling) -> Flow[Any]:
    """Take a value that only one request may get."""
    taken = yield from handling.sessions.take(handling.state, "ticket", None)
    return taken


def sign_in(user: str) -> Act:
    """Return an act that signs the user in."""

    def act(handling: Handling) -> Flow[None]:
        handling.session.set_user(user, by=handling.own)
        handling.session[f"of {handling.own}"] = handling.own
        yield from ()

    return act


def sign_in_at_once(handling: Handling) -> Flow[None]:
    """Sign a user in, commit, and go on."""
    yield from sign_in("ann")(handling)
    yield from handling.sessions.save(handling.state)


def sign_in_by_hand(handling: Handling) -> Flow[None]:
    """Sign a user in without `set_user`, as older applications do."""
    handling.session.regenerate()
    handling.session[f"of {handling.own}"] = handling.own
    yield from ()


def renew(handling: Handling) -> Flow[None]:
    """Change the id."""
    handling.session.regenerate()
    yield from ()


def renew_with_grace(handling: Handling) -> Flow[None]:
    """Change the id with a grace time for the old id, and write."""
    handling.session.regenerate(grace=GRACE_TIME)
    yield from write(handling)


def sign_out(handling: Handling) -> Flow[None]:
    """Sign the user out, and keep the session."""
    handling.session.clear_user()
    yield from ()


def destroy(handling: Handling) -> Flow[None]:
    """End the session."""
    handling.session.destroy()
    yield from ()


def destroy_and_write(handling: Handling) -> Flow[None]:
    """End the session, and write to the next one."""
    handling.session.destroy()
    yield from write(handling)


def set_timeout(handling: Handling) -> Flow[None]:
    """Give the session a timeout of its own, and write."""
    handling.session.timeout = OWN_TIMEOUT
    yield from write(handling)


def _next(count: int | None) -> int:
    return (count or 0) + 1


_WRITES = ("of {own}", "last")
_SIGN_IN = ("of {own}", USER_DATA)

READ = Kind(name="read", act=read)
WRITE = Kind(name="write", act=write, sets=_WRITES)
REMOVE = Kind(name="remove", act=remove, removes=("cart",))
SAVE = Kind(name="save", act=save, sets=_WRITES)
INCREMENT = Kind(name="increment", act=increment, counts=True)
TAKE = Kind(name="take", act=take, removes=("ticket",))
SET_TIMEOUT = Kind(name="set timeout", act=set_timeout, sets=_WRITES, sets_timeout=True)
SIGN_IN = Kind(name="sign in", act=sign_in("ann"), sets=_SIGN_IN, user="ann", changes_id=True)
SIGN_IN_BOB = Kind(
    name="sign in bob", act=sign_in("bob"), sets=_SIGN_IN, user="bob", changes_id=True
)
SIGN_IN_EVE = Kind(
    name="sign in eve", act=sign_in("eve"), sets=_SIGN_IN, user="eve", changes_id=True
)
SIGN_IN_AT_ONCE = Kind(
    name="sign in at once", act=sign_in_at_once, sets=_SIGN_IN, user="ann", changes_id=True
)
SIGN_IN_BY_HAND = Kind(
    name="sign in by hand", act=sign_in_by_hand, sets=("of {own}",), changes_id=True
)
RENEW = Kind(name="renew", act=renew, changes_id=True)
RENEW_WITH_GRACE = Kind(
    name="renew with grace", act=renew_with_grace, sets=_WRITES, changes_id=True, has_grace=True
)
SIGN_OUT = Kind(name="sign out", act=sign_out, removes=(USER_DATA,), signs_out=True)
DESTROY = Kind(name="destroy", act=destroy, destroys=True)
DESTROY_AND_WRITE = Kind(
    name="destroy and write", act=destroy_and_write, sets=_WRITES, destroys=True
)
DELETE = Kind(name="delete", act=read, deletes=True)
FAILING_SIGN_IN = replace(SIGN_IN, name="failing sign in", fails=True)
FAILING_DESTROY = replace(DESTROY, name="failing destroy", fails=True)
ABANDONED_DESTROY = replace(DESTROY, name="abandoned destroy", fails=True, is_abandoned=True)
FAILING_SIGN_OUT = replace(SIGN_OUT, name="failing sign out", fails=True)
