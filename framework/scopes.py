"""The components of one request: each made when first asked for, and ended with the request."""

from contextlib import AbstractContextManager, ExitStack
from types import TracebackType
from typing import Generic, TypeVar

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


class Ending(AbstractContextManager[T], Generic[T]):
    """Hold the generator of a component; say whose it is if it does not yield just once."""

    __slots__ = ("_manager", "_name")

    def __init__(self, manager: AbstractContextManager[T], name: str) -> None:
        self._manager = manager
        self._name = name

    def __enter__(self) -> T:
        try:
            return self._manager.__enter__()
        except RuntimeError as error:
            self._explain(error)
            raise

    def __exit__(
        self,
        type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool | None:
        try:
            return self._manager.__exit__(type, error, traceback)
        except RuntimeError as failure:
            self._explain(failure)
            raise

    def _explain(self, error: RuntimeError) -> None:
        # The words are those of contextlib, which does not know whose generator it is.
        if str(error).startswith("generator didn't"):
            error.add_note(f"A component yields once, and {self._name} does not.")
