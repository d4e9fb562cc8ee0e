"""The store deadline: how long a request may wait for its store, and the error after that."""

import logging

from sessions.core.limits import CALL_DEADLINE, DEADLINE
from sessions.core.state import State
from sessions.errors import SessionError, StoreUnavailable

logger = logging.getLogger("sessions")

NESTED = (
    "the function of update_with() used a verb that asks the store, while it is itself carried out;"
    " use that verb before update_with() or after it"
)

# A call that began later might end after the request's time.
LATEST_ASK = DEADLINE - CALL_DEADLINE


def check_budget(state: State) -> None:
    """Refuse to ask again a store that has failed, or that has taken its time."""
    if state.failure is not None:
        raise state.failure
    if state.spent > LATEST_ASK:
        raise StoreUnavailable(
            f"the session's store took {state.spent:.1f} s of this request's {DEADLINE} s; look at"
            " the store's load and at the network between"
        )


def keep_or_raise(state: State, error: BaseException, *, failed: bool) -> None:
    """Raise what kept a session from being closed; a request that failed anyway only logs it."""
    if failed and isinstance(error, SessionError):
        logger.error("a session could not be closed after its request had failed: %s", error)
        return
    # Whoever answers the error may still use the session.
    state.closed = False
    raise error
