"""Call `suspend` of an asynchronous session after the response of its request."""

from collections.abc import Awaitable
from typing import Any, Protocol


class Suspends(Protocol):
    """A manager that can suspend a session."""

    @property
    def suspends(self) -> bool: ...

    async def suspend(self, session: Any) -> None: ...


def suspended(running: Awaitable[None], manager: Suspends, session: object) -> Awaitable[None]:
    """Return an awaitable that runs the request and then, if needed, suspends its session."""
    return _then_suspend(running, manager, session) if manager.suspends else running


async def _then_suspend(running: Awaitable[None], manager: Suspends, session: object) -> None:
    """Suspend the session, even if the request failed."""
    try:
        await running
    except GeneratorExit:
        # The event loop has ended, so nothing can be awaited.
        raise
    # The request may end in any way, such as a cancellation, and `suspend` is called after each.
    except BaseException:
        await manager.suspend(session)
        raise
    await manager.suspend(session)
