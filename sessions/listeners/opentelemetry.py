"""A listener that sends spans and counters to OpenTelemetry. It needs the extra `otel`."""

from typing import Literal

from sessions.errors import ConfigurationError

try:
    from opentelemetry import metrics, trace
except ImportError as error:
    raise ConfigurationError(
        "OpenTelemetryListener needs the package opentelemetry-api, which is not installed. Fix:"
        " run pip install 'satsuma[otel]'"
    ) from error

from sessions.events import SessionEvent

__all__ = ["OpenTelemetryListener"]

SCOPE = "satsuma.sessions"


class OpenTelemetryListener:
    """Count each event, and make a span for it, as a child of the span of the request.

    The span has the handle of the session; the counter `sessions.events` has only kind and reason.
    The counter `sessions.listener_calls` has the failed and the slow calls of listeners.
    """

    def __init__(
        self,
        *,
        tracer_provider: trace.TracerProvider | None = None,
        meter_provider: metrics.MeterProvider | None = None,
    ) -> None:
        self._tracer = trace.get_tracer(SCOPE, tracer_provider=tracer_provider)
        meter = metrics.get_meter(SCOPE, meter_provider=meter_provider)
        self._counter = meter.create_counter(
            "sessions.events", unit="{event}", description="Events of sessions."
        )
        self._calls = meter.create_counter(
            "sessions.listener_calls",
            unit="{call}",
            description="Calls of listeners of sessions that failed or were slow.",
        )

    def __call__(self, event: SessionEvent) -> None:
        """Count an event, and make its span."""
        attributes: dict[str, str] = {"session.event": event.kind}
        if event.reason:
            attributes["session.reason"] = f"{event.reason}"
        self._counter.add(1, attributes)
        if event.handle is not None:
            attributes["session.handle"] = event.handle
        span = self._tracer.start_span(f"session {event.kind}", attributes=attributes)
        if event.kind == "store_failed":
            span.set_status(trace.Status(trace.StatusCode.ERROR, event.detail))
        span.end()

    def count_call(self, problem: Literal["failed", "slow"]) -> None:
        """Count a call of a listener that failed or was slow."""
        self._calls.add(1, {"session.problem": problem})
