"""Middleware in `framework explain`: only the declarations of the middleware are shown."""

from collections.abc import Iterator

from framework import (
    Application,
    Middleware,
    Next,
    Request,
    Response,
    component,
    configuration,
    controller,
    post,
    session,
)
from framework.explaining.explain import explain
from framework.middleware import ExplainedMiddleware


class Limiter:
    """Middleware with attributes that look like declarations of the framework."""

    def __init__(self) -> None:
        self.refusals = 0
        self.session_use: dict[str, int] = {}

    def __call__(self, request: Request, next: Next) -> Response:
        """Pass the request on."""
        return next(request)


class Declared(ExplainedMiddleware):
    """Middleware that declares its behaviour."""

    def __call__(self, request: Request, next: Next) -> Response:
        """Pass the request on."""
        return next(request)

    def refusals(self, method: str) -> Iterator[tuple[int, str]]:
        """Declare one refusal."""
        yield 429, "too many requests"

    def session_use(self, method: str) -> str | None:
        """Declare one use."""
        return "counts the requests"


@controller("/")
class Page:
    """Use the session."""

    @post("/")
    def change(self, session: session) -> None:
        """Change nothing."""


@configuration
class Web:
    """List both."""

    @component
    def middleware(self) -> list[Middleware]:
        """Return both."""
        return [Limiter(), Declared()]


def test_attributes_of_the_same_names_are_the_users_own() -> None:
    """Only a subclass of ExplainedMiddleware declares something."""
    explanation = explain(Application(Page, Web), "POST", "/")

    assert (429, "too many requests") in [(each.status, each.why) for each in explanation.answers]
    assert "counts the requests" in [use.how for use in explanation.session]
