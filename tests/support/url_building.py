"""A controller that builds URLs, and a bare call of its application."""

from typing import Any

from werkzeug.test import create_environ, run_wsgi_app

from framework import Application, Inject, Request, controller, get


@controller("/users")
class Users:
    """Have users under their ids."""

    @get("/<int:user_id>")
    def show(self, user_id: int, app: Inject[Application], request: Request) -> dict[str, str]:
        return {
            "path": app.url_for("Users.show", user_id=user_id),
            "mounted": app.url_for("Users.show", request, user_id=user_id),
            "external": app.url_for("Users.show", request, user_id=user_id, _external=True),
        }

    @get("/named/<name>")
    def named(self, name: str) -> str:
        return name

    @get("/")
    @get("/all")
    def index(self) -> str:
        return "users"


def answer(app: Any, path: str, **environ: Any) -> tuple[int, str]:
    """Return the status and the body that an application answers."""
    body, status, _ = run_wsgi_app(app, create_environ(path, **environ), buffered=True)
    return int(status[:3]), b"".join(body).decode()
