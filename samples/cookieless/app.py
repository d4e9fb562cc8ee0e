# samples/cookieless/app.py: the counter of samples/visits, also for a client that refuses cookies.
from pathlib import Path

from framework import (
    Application,
    Form,
    Middleware,
    Request,
    Response,
    component,
    configuration,
    controller,
    get,
    post,
    session,
)
from framework.csrf import CSRF
from framework.redirects import redirect
from framework.results import HTML
from framework.templates import Templates
from sessions import CookieTransport, URLTransport

HERE = Path(__file__).parent


@controller("/")
class Visits:
    def __init__(self, app: Application, templates: Templates) -> None:
        self._app = app
        self._templates = templates

    @get("/")
    def show(self, request: Request, session: session) -> HTML:
        session["visits"] = session.get("visits", 0) + 1
        return self._templates.render("visits.html", request)

    @post("/name")
    def name(self, name: Form[str], request: Request, session: session) -> Response:
        session["name"] = name
        return redirect(self._app.url_for("Visits.show", request, session=session))

    @post("/leave")
    def leave(self, request: Request, session: session) -> Response:
        session.destroy()
        return redirect(self._app.url_for("Visits.show", request))


@configuration
class WebConfiguration:
    @component
    def session_container(self) -> dict[str, object]:
        # Nobody signs in here, so no signed-in session has to be accepted from a URL.
        return {"transports": [CookieTransport(), URLTransport(refuse_users=True)]}

    @component
    def templates(self, application: Application) -> Templates:
        return Templates(application, HERE / "templates")

    @component
    def middleware(self) -> list[Middleware]:
        return [CSRF()]


app = Application(WebConfiguration, Visits)

if __name__ == "__main__":
    app.run()
