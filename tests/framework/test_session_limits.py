"""A limit of sessions per user in an application: the answer to a refused login."""

from framework import component, configuration, controller, post, session
from framework.testing import Client
from sessions.users import SessionLimit
from tests.support.small_applications import client_of


@controller("/")
class Login:
    @post("/<user>")
    def log_in(self, user: str, session: session) -> str:
        session.set_user(user)
        return "welcome"


@configuration
class Limited:
    @component
    def session_container(self) -> dict[str, object]:
        return {"sessions_per_user": SessionLimit(1, "refuse")}


def test_a_refused_login_is_a_problem_document() -> None:
    """The status is 409, the text is for the user, and there is no cookie."""
    with client_of(Login, Limited) as first:
        second = Client(first.app)
        welcome = first.post("/ada")
        refused = second.post("/ada", headers={"Accept": "application/json"})

        assert (welcome.status_code, refused.status_code) == (200, 409)
        assert refused.content_type == "application/problem+json"
        assert refused.json["detail"] == (
            "You are logged in too often. Log out elsewhere, and log in again."
        )
        assert "Set-Cookie" not in refused.headers
        assert first.post("/ada").status_code == 200
