"""A listener that counts events for Prometheus. It needs the extra `metrics`."""

from contextlib import suppress
from threading import Lock
from typing import Literal
from weakref import WeakKeyDictionary

from sessions.errors import ConfigurationError

try:
    from prometheus_client import REGISTRY, CollectorRegistry, Counter
except ImportError as error:
    raise ConfigurationError(
        "PrometheusListener needs the package prometheus-client, which is not installed. Fix: run"
        " pip install 'satsuma[metrics]'"
    ) from error

from sessions.events import SessionEvent

__all__ = ["PrometheusListener"]

_making = Lock()
_counters: "WeakKeyDictionary[CollectorRegistry, dict[str, Counter]]" = WeakKeyDictionary()
"""The counters of all listeners, by name: a registry accepts each name only once."""


class PrometheusListener:
    """Count the events by kind and reason: `sessions_events_total{kind="…",reason="…"}`.

    Also count the calls of listeners that failed or were slow:
    `sessions_events_listener_calls_total{problem="…"}`. No label names a session or a user, so the
    number of time series is small. `name` replaces the name `sessions_events`. Listeners with the
    same registry and the same name share their counters, so an application can be built again.
    """

    def __init__(
        self, *, registry: CollectorRegistry = REGISTRY, name: str = "sessions_events"
    ) -> None:
        self._counter = _counter(
            registry, name, "Events of sessions, by kind and reason.", ["kind", "reason"]
        )
        self._calls = _counter(
            registry,
            f"{name}_listener_calls",
            "Calls of listeners of sessions that failed or were slow.",
            ["problem"],
        )

    def __call__(self, event: SessionEvent) -> None:
        """Count an event."""
        self._counter.labels(event.kind, f"{event.reason or ''}").inc()

    def count_call(self, problem: Literal["failed", "slow"]) -> None:
        """Count a failed or slow call of a listener."""
        self._calls.labels(problem).inc()


def _counter(registry: CollectorRegistry, name: str, text: str, labels: list[str]) -> Counter:
    """Return the counter of this name in the registry; the first call makes it."""
    with _making:
        made = _counters.setdefault(registry, {})
        if name not in made:
            try:
                made[name] = Counter(name, text, labels, registry=registry)
            except ValueError as error:
                raise ConfigurationError(
                    f"PrometheusListener: the registry refuses the name {name!r}: {error}. Fix:"
                    ' give another name, as in PrometheusListener(name="shop_sessions")'
                ) from error
        else:
            # The counter may be missing in the registry, if other code (a test) has removed it.
            with suppress(ValueError):
                registry.register(made[name])
        return made[name]
