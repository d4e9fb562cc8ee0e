# samples/devices/app.py: "your devices": see where you are logged in, and log out there.
from pathlib import Path

from framework import (
    Application,
    Form,
    Middleware,
    Request,
    Response,
    catch,
    component,
    configuration,
    controller,
    get,
    guard,
    post,
    session,
)
from framework.csrf import CSRF
from framework.logins import LoginTooOld, RecentLogin
from framework.redirects import redirect
from framework.results import HTML
from framework.templates import Templates
from sessions import SessionManager
from sessions.users import SessionLimit

HERE = Path(__file__).parent

# A real site keeps hashes of passwords: see samples/notes.
PASSWORDS = {"ada": "lovelace", "grace": "hopper"}


class LoggedIn:
    def check(self, session: session) -> bool:
        if session.user_id is None:
            raise LoginTooOld
        return True


@controller("/")
class Login:
    def __init__(self, app: Application, templates: Templates) -> None:
        self._app = app
        self._render = templates.render

    @get("/")
    def begin(self, request: Request) -> Response:
        return redirect(self._app.url_for("Devices.show", request))

    @get("/login")
    def show(self, request: Request) -> HTML:
        return self._render("login.html", request)

    @post("/login")
    def log_in(
        self, name: Form[str], password: Form[str], request: Request, session: session
    ) -> Response | HTML:
        if PASSWORDS.get(name) != password:
            session.flash("There is no such name with this password.")
            return self._render("login.html", request, _status=422)
        session.set_user(name)
        return redirect(self._app.url_for("Devices.show", request))

    @post("/logout")
    def log_out(self, request: Request, session: session) -> Response:
        session.destroy()
        return redirect(self._app.url_for("Login.show", request))


@controller("/devices")
@guard(LoggedIn)
class Devices:
    def __init__(self, app: Application, templates: Templates, manager: SessionManager) -> None:
        self._app = app
        self._render = templates.render
        self._manager = manager

    @get("/")
    def show(self, request: Request, session: session) -> HTML:
        devices = self._manager.sessions_of(session.user_id or "")
        return self._render("devices.html", request, devices=devices, present=session.handle)

    @post("/end")
    @guard(RecentLogin(minutes=5))
    def end(self, handle: Form[str], request: Request, session: session) -> Response:
        if self._manager.end_session_of(session.user_id or "", handle):
            session.flash("The device is logged out.")
        return redirect(self._app.url_for("Devices.show", request))

    @post("/end-others")
    @guard(RecentLogin(minutes=5))
    def end_others(self, request: Request, session: session) -> Response:
        ended = self._manager.end_sessions_of(session.user_id or "", keep=session)
        session.flash(f"Logged out on other devices: {ended}.")
        return redirect(self._app.url_for("Devices.show", request))

    @catch(LoginTooOld)
    def log_in_again(self, error: LoginTooOld, request: Request, session: session) -> Response:
        session.flash("Log in to go on.")
        return redirect(self._app.url_for("Login.show", request))


@configuration
class WebConfiguration:
    @component
    def session_container(self) -> dict[str, object]:
        return {"remember_devices": True, "sessions_per_user": SessionLimit(5)}

    @component
    def templates(self, application: Application) -> Templates:
        return Templates(application, HERE / "templates")

    @component
    def middleware(self) -> list[Middleware]:
        return [CSRF(visitors=True)]


app = Application(WebConfiguration, Login, Devices)

if __name__ == "__main__":
    app.run()
