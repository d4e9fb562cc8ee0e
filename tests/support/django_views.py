"""Django, set up once in a process: each request brings the view that answers it."""

import pytest

from tests.support.apps import KEY


def configured() -> None:
    """Set Django up, or skip the test."""
    pytest.importorskip("django", reason="django is not installed")
    from django.conf import settings

    if not settings.configured:
        settings.configure(
            ALLOWED_HOSTS=["*"],
            ROOT_URLCONF=__name__,
            SECRET_KEY=KEY,
            MIDDLEWARE=[],
        )


def __getattr__(name: str) -> object:
    """Return the URLs, which import Django only where a test uses it."""
    if name != "urlpatterns":
        raise AttributeError(name)
    from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
    from django.urls import re_path

    def answer(request: HttpRequest) -> HttpResponse | StreamingHttpResponse:
        body = request.META["tests.view"](request.META["sessions.session"])
        if isinstance(body, str):
            return HttpResponse(body, content_type="text/plain")
        return StreamingHttpResponse(body, content_type="text/plain")

    return [re_path("", answer)]
