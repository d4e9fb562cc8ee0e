"""The components and files of one request, and how they end with the request."""

from collections.abc import Callable, Generator, Iterable
from contextlib import suppress
from typing import IO, Any, Generic, TypeVar

T = TypeVar("T")

_ONCE = "a component method yields once, and the code after the yield ends the component"


class NothingYielded(RuntimeError):
    """The generator of a component ended without yielding."""


class Ending(Generic[T]):
    """The generator of a component; the code after `yield` ends the component."""

    __slots__ = ("_generator", "_name")

    def __init__(self, generator: Generator[T, Any, Any], name: str) -> None:
        self._generator = generator
        self._name = name

    def begin(self) -> T:
        """Start the generator, and return the component that it yields."""
        for component in self._generator:
            return component
        raise NothingYielded(f"{self._name} yields nothing: {_ONCE}")

    def end(self, failure: BaseException | None = None) -> None:
        """Run the code after `yield`; if there is a failure, raise it at the `yield` first.

        If the code after `yield` raises a new error, this method raises the new error.
        """
        trace = failure.__traceback__ if failure else None
        try:
            if failure is None:
                next(self._generator)
            else:
                self._generator.throw(failure)
        except StopIteration:
            return
        # The generator is the user's own code, and `failure` may be any exception.
        except BaseException as error:
            if failure is None or not _is_passed_on(failure, error):
                raise
            # Remove the frames of the generator, because the failure happened elsewhere.
            failure.__traceback__ = trace
            return
        self._generator.close()
        raise RuntimeError(f"{self._name} yields a second time: {_ONCE}")


class Scope:
    """The components of one request, and the files that were uploaded with it."""

    __slots__ = ("_endings", "_files", "components", "failure")

    def __init__(self) -> None:
        self.components: dict[object, object] = {}
        # The error of the request, which is also raised in the generators of components.
        self.failure: BaseException | None = None
        self._endings: list[Ending[Any]] = []
        self._files: list[IO[bytes]] = []

    @property
    def has_to_decide(self) -> bool:
        """Return whether components still have to commit or roll back, and no failure is known."""
        return self.failure is None and bool(self._endings)

    def enter(self, ending: Ending[T]) -> T:
        """Start the generator of a component, and return the component that it yields."""
        component = ending.begin()
        self._endings.append(ending)
        return component

    def keep(self, file: IO[bytes]) -> None:
        """Keep a file open until the components end, because they can still read the file."""
        self._files.append(file)

    def end(self) -> None:
        """End the components, the last component first; code that asks later gets a new component.

        The failure of the request is raised in the generator of each component, even if another
        generator has caught the failure; this method does not raise the failure. If a generator
        raises a new error, the generators that end later get the new error in place of the failure.
        At the end, this method raises the new error.
        """
        failure, self.failure = self.failure, None
        endings, self._endings = self._endings, []
        self.components = {}
        raised: BaseException | None = None
        for ending in reversed(endings):
            try:
                ending.end(raised or failure)
            # The other components have to end first; the error is raised after them.
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
                # The file is temporary, so data that cannot be written does no harm.
                with suppress(OSError):
                    file.close()


def end_all(endings: Iterable[Callable[[], object]]) -> None:
    """Call all functions, even after an error; then raise this error, or a group of errors."""
    raised: list[Exception] = []
    for end in endings:
        try:
            end()
        # The functions are the user's own code, and an error must not stop the other functions.
        except Exception as error:  # noqa: BLE001
            raised.append(error)
    if len(raised) > 1:
        raise ExceptionGroup("several components raised an exception when they ended", raised)
    if raised:
        raise raised[0]


def _is_passed_on(failure: BaseException, error: BaseException) -> bool:
    # Python replaces a StopIteration that leaves a generator by a RuntimeError (PEP 479).
    return error is failure or (isinstance(failure, StopIteration) and error.__cause__ is failure)
