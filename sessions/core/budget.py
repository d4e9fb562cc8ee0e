"""The store deadline: how long a request can wait for its store before it gets an error."""

import logging

from sessions.core.limits import CALL_DEADLINE, DEADLINE
from sessions.core.state import State
from sessions.errors import SessionError, StoreUnavailable

logger = logging.getLogger("sessions")

NESTED = (
    "the function of update_with(), or the method resume(), called a session method that calls"
    " the store. Fix: call this method before update_with(), or in the handler"
)

# A call that begins later could end after the deadline of the request.
LATEST_ASK = DEADLINE - CALL_DEADLINE


def check_budget(state: State) -> None:
    """Raise an error if the store has failed in this request, or the store deadline is over."""
    if state.failure is not None:
        raise state.failure
    if state.spent > LATEST_ASK:
        raise StoreUnavailable(
            f"the session store took {state.spent:.1f} s for this request, so too little time is"
            f" left for another call: a request waits at most {DEADLINE} s for its store. Fix:"
            " check whether the store has too much work, and check the network"
        )


def keep_or_raise(state: State, error: BaseException, *, failed: bool) -> None:
    """Raise the error of a close; if the request has failed before, log the error instead."""
    if failed and isinstance(error, SessionError):
        logger.error("a session could not be closed after its request had failed: %s", error)
        return
    # The code that answers the error may still use the session.
    state.closed = False
    raise error
