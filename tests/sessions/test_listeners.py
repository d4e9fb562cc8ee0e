"""The listeners that come with the package: a log, Prometheus, OpenTelemetry."""

import logging
from collections.abc import Callable
from typing import Any

import pytest

from sessions import ConfigurationError, EndReason, Session, SessionEvent
from sessions.listeners.log import LoggingListener
from sessions.testing import ManualClock
from tests.sessions.conftest import SiteMaker
from tests.support.apps import everything, writes

NAME = "sessions.events"


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return the lines of the listener."""
    return [record.getMessage() for record in caplog.records if record.name == NAME]


def fails(event: SessionEvent) -> None:
    """Raise an error for every event."""
    raise LookupError("a bug of the listener")


class Counts:
    """A listener of one's own that counts failures with a function."""

    def __init__(self, count: Callable[[str], object]) -> None:
        self._count = count

    def __call__(self, event: SessionEvent) -> None:
        """Do nothing."""

    def count_call(self, problem: str) -> None:
        """Count."""
        self._count(problem)


def live_a_life(make_site: SiteMaker, listener: Any) -> str:
    """Create, sign in and end a session over a site with this listener; return its handle."""
    site = make_site(listeners=[listener])
    browser = site.browser()
    handle: str = browser.visit(lambda session: (session.update(a=1), session.handle)).value[1]
    browser.visit(lambda session: session.set_user("ann"))
    site.store.broken = {"load"}
    browser.visit(everything)
    site.store.broken = set()
    browser.visit(Session.destroy)
    return handle


def test_the_log_has_one_line_for_each_event(
    make_site: SiteMaker, caplog: pytest.LogCaptureFixture
) -> None:
    """With reason, handle and user; loads are details."""
    caplog.set_level(logging.INFO, NAME)

    handle = live_a_life(make_site, LoggingListener())

    assert lines(caplog) == [
        f"session created handle={handle}: it was stored for the first time",
        f"session regenerated handle={handle}: it has a new id",
        f"session signed_in handle={handle} user=ann: set_user() signed a user in",
        "session store_failed reason=load: the call load failed: the test broke load",
        f"session destroyed reason=logout handle={handle}: this request ended it",
    ]


def test_control_characters_are_escaped(caplog: pytest.LogCaptureFixture) -> None:
    """Nobody can write lines of their own into the log, or colours into a terminal."""
    caplog.set_level(logging.INFO, NAME)

    LoggingListener()(
        SessionEvent("misplaced", "a\nb\r\x1b[31m\u2028\x85\\n ż", user_id="ann\nsession created")
    )

    (line,) = lines(caplog)
    assert line == (
        'session misplaced user="ann\\nsession created": a\\nb\\r\\x1b[31m\\u2028\\x85\\\\n ż'
    )
    assert line.isprintable()


@pytest.mark.parametrize(
    ("user_id", "field"),
    [
        ("ann", "ann"),
        ("zoë.müller+a@shop-1.example", "zoë.müller+a@shop-1.example"),
        ("ann reason=logout handle=0", '"ann reason=logout handle=0"'),
        ("ann: set_user() signed a user in", '"ann: set_user() signed a user in"'),
        ('" user="bob', '"\\" user=\\"bob"'),
        ("ann\\", '"ann\\\\"'),
        ("a\u202eb\u2066c\u200b\x7f", '"a\\u202eb\\u2066c\\u200b\\x7f"'),
        ("auth0|1", '"auth0|1"'),
    ],
)
def test_a_user_writes_no_other_field(
    caplog: pytest.LogCaptureFixture, user_id: str, field: str
) -> None:
    """Nor may the name of a user end before its end, or change the direction of the line."""
    caplog.set_level(logging.INFO, NAME)

    LoggingListener()(SessionEvent("signed_in", "it is so", "handle", user_id=user_id))

    assert lines(caplog) == [f"session signed_in handle=handle user={field}: it is so"]


def test_the_log_has_a_limit_for_each_kind(caplog: pytest.LogCaptureFixture) -> None:
    """A flood of one kind hides no other kind; the next line tells how many were left out."""
    clock = ManualClock(1000.0)
    caplog.set_level(logging.INFO, NAME)
    listener = LoggingListener(per_second=3, clock=clock)
    for number in range(10):
        listener(SessionEvent("rejected", f"{number}"))
    listener(SessionEvent("destroyed", "one", "handle", EndReason.LOGOUT))
    clock.advance(1)
    listener(SessionEvent("rejected", "later"))

    assert lines(caplog) == [
        *(f"session rejected: {number}" for number in range(3)),
        "session destroyed reason=logout handle=handle: one",
        "session rejected: later (7 earlier lines were left out)",
    ]


@pytest.mark.parametrize("limit", [0, -1, True, 1.5, "ten"])
def test_a_wrong_limit_of_the_log_is_refused(limit: Any) -> None:
    """At construction, with the remedy."""
    with pytest.raises(ConfigurationError, match=r"per_second=.*Fix: "):
        LoggingListener(per_second=limit)


def test_prometheus_counts_by_kind_and_reason(make_site: SiteMaker) -> None:
    """No label has a handle or a user, so there are few time series."""
    client = pytest.importorskip("prometheus_client")
    from sessions.listeners.prometheus import PrometheusListener

    registry = client.CollectorRegistry()
    handle = live_a_life(make_site, PrometheusListener(registry=registry))

    text = client.generate_latest(registry).decode()
    assert 'sessions_events_total{kind="created",reason=""} 1.0' in text
    assert 'sessions_events_total{kind="destroyed",reason="logout"} 1.0' in text
    assert 'sessions_events_total{kind="store_failed",reason="load"} 1.0' in text
    assert handle not in text
    assert "ann" not in text


def test_prometheus_counts_listeners_that_fail_or_are_slow(
    make_site: SiteMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An alarm can watch them: a counter has them beside the events."""
    client = pytest.importorskip("prometheus_client")
    from sessions.listeners.prometheus import PrometheusListener

    stopwatch = ManualClock(1000.0)
    monkeypatch.setattr("sessions.core.listening.monotonic", stopwatch)
    registry = client.CollectorRegistry()
    site = make_site(
        listeners=[PrometheusListener(registry=registry), fails, lambda _: stopwatch.advance(2)]
    )

    assert site.visit(writes(a=1)).status == 200
    name = "sessions_events_listener_calls_total"
    counts = [registry.get_sample_value(name, {"problem": one}) for one in ("failed", "slow")]
    assert counts == [1.0, 1.0]
    assert counts == [site.manager.failed_listeners, site.manager.slow_listeners]


def test_prometheus_listeners_of_one_registry_share_their_counters(make_site: SiteMaker) -> None:
    """An application may be built again, in a test or by a second worker thread."""
    client = pytest.importorskip("prometheus_client")
    from sessions.listeners.prometheus import PrometheusListener

    registry, other = client.CollectorRegistry(), client.CollectorRegistry()
    for listener in (
        PrometheusListener(registry=registry),
        PrometheusListener(registry=registry),
        PrometheusListener(registry=other),
        PrometheusListener(registry=registry, name="shop"),
    ):
        make_site(listeners=[listener]).visit(writes(a=1))

    labels = {"kind": "created", "reason": ""}
    assert registry.get_sample_value("sessions_events_total", labels) == 2.0
    assert other.get_sample_value("sessions_events_total", labels) == 1.0
    assert registry.get_sample_value("shop_total", labels) == 1.0


def test_prometheus_counters_come_back_into_an_emptied_registry(make_site: SiteMaker) -> None:
    """Tests empty the global registry between two of them."""
    client = pytest.importorskip("prometheus_client")
    from sessions.listeners.prometheus import PrometheusListener

    registry = client.CollectorRegistry()
    for collector in [*vars(PrometheusListener(registry=registry)).values()]:
        registry.unregister(collector)
    make_site(listeners=[PrometheusListener(registry=registry)]).visit(writes(a=1))

    assert 'kind="created"' in client.generate_latest(registry).decode()


def test_prometheus_names_of_others_are_refused() -> None:
    """The message says what to give."""
    client = pytest.importorskip("prometheus_client")
    from sessions.listeners.prometheus import PrometheusListener

    registry = client.CollectorRegistry()
    client.Counter("taken", "Somebody else's.", registry=registry)

    with pytest.raises(ConfigurationError, match=r"the name 'taken'.*Fix: give another name"):
        PrometheusListener(registry=registry, name="taken")


def test_a_failing_counter_does_not_disturb_others(
    make_site: SiteMaker, caplog: pytest.LogCaptureFixture
) -> None:
    """The request goes on, and the other counters count."""
    counted: list[str] = []
    site = make_site(listeners=[Counts(lambda _: 1 / 0), Counts(counted.append), fails])

    assert site.visit(writes(a=1)).status == 200
    assert counted == ["failed"]
    assert "failed to count a call: division by zero" in caplog.text


def test_opentelemetry_has_spans_and_counters(make_site: SiteMaker) -> None:
    """A span is a child of the request's span, and a failure of the store is an error."""
    pytest.importorskip("opentelemetry.sdk")
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import InMemoryMetricReader
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    from sessions.listeners.opentelemetry import OpenTelemetryListener

    exporter, reader, provider = InMemorySpanExporter(), InMemoryMetricReader(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    listener = OpenTelemetryListener(
        tracer_provider=provider, meter_provider=MeterProvider(metric_readers=[reader])
    )
    with provider.get_tracer("tests").start_as_current_span("request") as request:
        handle = live_a_life(make_site, listener)
        make_site(listeners=[listener, fails]).visit(writes(a=1))

    spans = {span.name: span for span in exporter.get_finished_spans()}
    assert spans["session destroyed"].attributes == {
        "session.event": "destroyed",
        "session.reason": "logout",
        "session.handle": handle,
    }
    parent = spans["session created"].parent
    assert parent is not None
    assert parent.span_id == request.get_span_context().span_id
    assert spans["session store_failed"].status.status_code.name == "ERROR"
    metrics = reader.get_metrics_data()
    assert metrics is not None
    counted = metrics.to_json()
    assert "sessions.events" in counted
    assert '"session.problem": "failed"' in counted
    assert handle not in counted


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the extra that installs it."""
    import sys

    for name in ("prometheus_client", "opentelemetry"):
        monkeypatch.setitem(sys.modules, name, None)
    for name, extra in (("prometheus", "metrics"), ("opentelemetry", "otel")):
        monkeypatch.delitem(sys.modules, f"sessions.listeners.{name}", raising=False)
        with pytest.raises(ConfigurationError, match=rf"pip install 'satsuma\[{extra}\]'"):
            __import__(f"sessions.listeners.{name}")
