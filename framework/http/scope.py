"""The components and files of one request, and how they end with the request."""

from collections.abc import Callable, Generator, Iterable
from contextlib import suppress
from typing import IO, Any, Generic, TypeVar

T = TypeVar("T")

_ONCE = "a component method yields once, and what follows the yield ends the component"


class NothingYielded(RuntimeError):
    """Say that the generator of a component ended without yielding."""


class Ending(Generic[T]):
    """Hold the generator of a component; the code behind its `yield` ends the component."""

    __slots__ = ("_generator", "_name")

    def __init__(self, generator: Generator[T, Any, Any], name: str) -> None:
        self._generator = generator
        self._name = name

    def begin(self) -> T:
        """Return the component."""
        for component in self._generator:
            return component
        raise NothingYielded(f"{self._name} yields nothing: {_ONCE}")

    def end(self, failure: BaseException | None = None) -> None:
        """Resume the generator, or raise the failure in it; only another error is raised on."""
        trace = failure.__traceback__ if failure else None
        try:
            if failure is None:
                next(self._generator)
            else:
                self._generator.throw(failure)
        except StopIteration:
            return
        # The generator is the user's own code, and has been told of a failure of any kind.
        except BaseException as error:
            if failure is None or not _is_passed_on(failure, error):
                raise
            # The failure happened elsewhere, not in the generator's own frames.
            failure.__traceback__ = trace
            return
        self._generator.close()
        raise RuntimeError(f"{self._name} yields a second time: {_ONCE}")


class Scope:
    """Hold the components of one request, and the files that were uploaded with it."""

    __slots__ = ("_endings", "_files", "components", "failure")

    def __init__(self) -> None:
        self.components: dict[object, object] = {}
        # The error of the request, which is raised in the generators of components, too.
        self.failure: BaseException | None = None
        self._endings: list[Ending[Any]] = []
        self._files: list[IO[bytes]] = []

    @property
    def has_to_decide(self) -> bool:
        """Return whether a component has to decide how to end, since no failure is known."""
        return self.failure is None and bool(self._endings)

    def enter(self, ending: Ending[T]) -> T:
        """Begin a component that has an ending, and return it."""
        component = ending.begin()
        self._endings.append(ending)
        return component

    def keep(self, file: IO[bytes]) -> None:
        """Close a file after the components, whose endings may still read it."""
        self._files.append(file)

    def end(self) -> None:
        """End the components, the last one first; the next that is asked for is a new one.

        Each learns of the failure, whatever the others make of it. The failure itself is not
        raised again, but what an ending raises is, and is the failure of those that follow.
        """
        failure, self.failure = self.failure, None
        endings, self._endings = self._endings, []
        self.components = {}
        raised: BaseException | None = None
        for ending in reversed(endings):
            try:
                ending.end(raised or failure)
            # The others have to end, too; the error is raised when they have.
            except BaseException as error:  # noqa: BLE001
                raised = error
        if raised is not None:
            raise raised

    def close(self) -> None:
        """End the components and close the files; a second call does nothing."""
        try:
            self.end()
        finally:
            files, self._files = self._files, []
            for file in files:
                # The file was temporary, so nothing of value is lost.
                with suppress(OSError):
                    file.close()


def end_all(endings: Iterable[Callable[[], object]]) -> None:
    """Call all functions, also if some of them raise; raise their errors afterwards."""
    raised: list[Exception] = []
    for end in endings:
        try:
            end()
        # The user's own code may raise anything, and must not keep the others from ending.
        except Exception as error:  # noqa: BLE001
            raised.append(error)
    if len(raised) > 1:
        raise ExceptionGroup("several things failed to end", raised)
    if raised:
        raise raised[0]


def _is_passed_on(failure: BaseException, error: BaseException) -> bool:
    # Python makes a RuntimeError of a StopIteration that leaves a generator (PEP 479).
    return error is failure or (isinstance(failure, StopIteration) and error.__cause__ is failure)
