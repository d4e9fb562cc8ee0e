"""Hooks: methods of configurations that run when an application starts and ends."""

import atexit
import inspect
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from types import CodeType, FunctionType

from framework.http.scope import end_all
from framework.injection.graph import Graph
from framework.report import Mistake, Report, location
from framework.types.members import in_class

# The names of the hooks in other frameworks, in lower case and without underscores.
_OTHER_NAMES = {
    "on_start": {"startup", "onstartup", "onstarting", "onstarted", "onappstart", "onlaunch"},
    "on_stop": {"shutdown", "onshutdown", "onstopping", "onstopped", "onappstop", "onexit"},
}
# A name that is at least this similar to the name of a hook counts as misspelt.
_NEAR = 0.8


@dataclass(frozen=True)
class Hook:
    """A hook of the application: its name, its function, and `run`, which calls the function."""

    name: str
    function: object
    run: Callable[[], object]


@dataclass(frozen=True)
class Pair:
    """The hooks of one configuration; None for a hook that the configuration lacks."""

    start: Hook | None
    stop: Hook | None


class Hooks:
    """Run the hooks of an application, once in each process that serves it."""

    def __init__(self, pairs: Sequence[Pair], end_components: Callable[[], object] | None) -> None:
        self._pairs = pairs
        self._end_components = end_components
        self._lock = threading.Lock()
        self._stopping: list[Callable[[], object]] | None = None
        self._is_over = False
        self.mistake: Mistake | None = None
        """The error of the start hook that failed last, as a mistake."""

    @property
    def are_needed(self) -> bool:
        """Return whether there are hooks to run or components to end."""
        return bool(self._pairs) or self._end_components is not None

    def start(self) -> None:
        """Run the start hooks once; undo the start if a start hook raises an error.

        In this case, the stop hooks run for the configurations that have already started.
        """
        with self._lock:
            if self._stopping is not None:
                return
            self.mistake = None
            if self._is_over:
                raise RuntimeError(
                    "this application was stopped, and its generator components have ended. Fix:"
                    " build a new application to serve again"
                )
            stopping: list[Callable[[], object]] = []
            try:
                for pair in self._pairs:
                    if pair.start is not None:
                        self._run(pair.start)
                    if pair.stop is not None:
                        stopping.append(pair.stop.run)
            # The components do not end, because the next request tries to start again.
            except BaseException:
                end_all(reversed(stopping))
                raise
            self._stopping = stopping
            atexit.register(self.stop)

    def _run(self, hook: Hook) -> None:
        try:
            hook.run()
        # A hook is the user's own code and may raise any error, even one that ends the process.
        except BaseException as error:
            self.mistake = Mistake(
                f"{hook.name} raised {type(error).__name__}: {error}",
                "Correct the cause. The traceback shows it.",
                where=location(hook.function),
            )
            raise

    def leave_to_parent(self) -> None:
        """Forget the stop hooks in a forked process, because the parent process runs them."""
        self._lock = threading.Lock()
        self._stopping = None
        atexit.unregister(self.stop)

    def stop(self) -> None:
        """Run the stop hooks in reverse order, if the application was started."""
        with self._lock:
            stopping, self._stopping = self._stopping, None
            atexit.unregister(self.stop)
            if stopping is None:
                return
            self._is_over = self._end_components is not None
        last = [] if self._end_components is None else [self._end_components]
        end_all([*reversed(stopping), *last])


def read_hooks(configurations: Iterable[type], graph: Graph, report: Report) -> Hooks:
    """Read the methods on_start and on_stop of configurations; their parameters are injected."""
    configurations = tuple(configurations)
    for target in configurations:
        _note_misspelt(target, report)
    pairs = [
        Pair(
            _hook(target, "on_start", graph, report),
            _hook(target, "on_stop", graph, report),
        )
        for target in configurations
        if hasattr(target, "on_start") or hasattr(target, "on_stop")
    ]
    return Hooks(pairs, graph.close if graph.has_endings else None)


def _note_misspelt(configuration: type, report: Report) -> None:
    """Report each method whose name is a misspelt hook, because nothing would call the method."""
    methods = {
        name: function
        for owner in configuration.__mro__
        for name, function in vars(owner).items()
        # An object may claim another class with `__class__`, but `type` returns its real class.
        if type(function) is FunctionType
    }
    used = set().union(*(_names_in(function.__code__) for function in methods.values()))
    for name, function in methods.items():
        hook = _meant_hook(name)
        # A decorator of the framework, such as @component, has left a tag.
        if hook is None or hasattr(configuration, hook) or name in used or vars(function):
            continue
        report.at(function).note(
            f"{configuration.__name__}.{name} is never called; did you mean {hook!r}?",
            f"Write def {hook}(self) -> None. If it is not a hook, give the method another name.",
        )


def _names_in(code: CodeType) -> set[str]:
    """Return the names of the attributes that a function and its inner functions use."""
    inner = (constant for constant in code.co_consts if isinstance(constant, CodeType))
    return set(code.co_names).union(*map(_names_in, inner))


def _meant_hook(name: str) -> str | None:
    """Return the hook that a misspelt name means; None if the name is right or means no hook."""
    plain = name.lower().replace("_", "")
    for hook, others in _OTHER_NAMES.items():
        likeness = SequenceMatcher(None, plain, hook.replace("_", "")).ratio()
        is_near = plain.startswith("on") and likeness >= _NEAR and len(plain) <= len(hook)
        if name not in _OTHER_NAMES and (plain in others or is_near):
            return hook
    return None


def _hook(configuration: type, name: str, graph: Graph, report: Report) -> Hook | None:
    definition = inspect.getattr_static(configuration, name, None)
    function = in_class(definition, name, configuration)
    if function is None:
        return None
    with report.at(function if callable(function) else configuration):
        if not callable(function):
            raise Mistake(
                f"{configuration.__name__}.{name} is not a method",
                f"Write def {name}(self) -> None, or give the attribute another name.",
            )
        if inspect.iscoroutinefunction(getattr(function, "__func__", function)):
            raise Mistake(
                f"{name} is an async function, which WSGI cannot run",
                "Write `def` in place of `async def`.",
            )
        return Hook(name, function, graph.call_of(configuration, name, function))
    return None
