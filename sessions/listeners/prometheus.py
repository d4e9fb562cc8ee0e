"""A listener that counts events for Prometheus. It needs the extra `metrics`."""

from typing import Literal

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


class PrometheusListener:
    """Count the events by kind and reason: `sessions_events_total{kind="…",reason="…"}`.

    Also count the calls of listeners that failed or were slow:
    `sessions_events_listener_calls_total{problem="…"}`. No label names a session or a user, so the
    number of time series is small.
    """

    def __init__(
        self, *, registry: CollectorRegistry = REGISTRY, name: str = "sessions_events"
    ) -> None:
        self._counter = Counter(
            name, "Events of sessions, by kind and reason.", ["kind", "reason"], registry=registry
        )
        self._calls = Counter(
            f"{name}_listener_calls",
            "Calls of listeners of sessions that failed or were slow.",
            ["problem"],
            registry=registry,
        )

    def __call__(self, event: SessionEvent) -> None:
        """Count an event."""
        self._counter.labels(event.kind, f"{event.reason or ''}").inc()

    def count_call(self, problem: Literal["failed", "slow"]) -> None:
        """Count a call of a listener that failed or was slow."""
        self._calls.labels(problem).inc()
