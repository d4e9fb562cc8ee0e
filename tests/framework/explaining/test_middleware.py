"""What explain says of middleware: nothing but what the middleware declares."""

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
    """Have attributes that are called like the declarations of the framework."""

    def __init__(self) -> None:
        self.refusals = 0
        self.session_use: dict[str, int] = {}

    def __call__(self, request: Request, next: Next) -> Response:
        """Pass the request on."""
        return next(request)


class Declared(ExplainedMiddleware):
    """Declare what it does."""

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
    """Only middleware that says so declares something."""
    explanation = explain(Application(Page, Web), "POST", "/")

    assert (429, "too many requests") in [(each.status, each.why) for each in explanation.answers]
    assert "counts the requests" in [use.how for use in explanation.session]
