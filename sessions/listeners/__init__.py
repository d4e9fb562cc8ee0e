"""Listeners for the events of sessions: a log, Prometheus and OpenTelemetry."""
