"""The components of one request: each made when first asked for, and ended with the request."""

from contextlib import AbstractContextManager, ExitStack
from typing import TypeVar

T = TypeVar("T")


class Scope:
    """Hold the components of one request."""

    __slots__ = ("_endings", "components", "failure")

    def __init__(self) -> None:
        self.components: dict[object, object] = {}
        # What the handler raised, which is raised in the generators of components, too.
        self.failure: BaseException | None = None
        self._endings = ExitStack()

    def enter(self, component: AbstractContextManager[T]) -> T:
        """Begin a component that has an ending, and return it."""
        return self._endings.enter_context(component)

    def close(self) -> None:
        """End the components, the last one first; a second call does nothing.

        What the handler raised is not raised again, but what an ending itself raises is.
        """
        error = self.failure
        self._endings.__exit__(
            type(error) if error else None, error, error.__traceback__ if error else None
        )
