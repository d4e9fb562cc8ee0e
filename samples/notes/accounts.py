# samples/notes/accounts.py: register, log in, log out.
from dataclasses import asdict
from typing import Annotated

from werkzeug.exceptions import HTTPException

from framework import (
    Application,
    Form,
    Request,
    Response,
    Session,
    catch,
    controller,
    form,
    get,
    post,
    session,
    session_value,
)
from framework.redirects import redirect
from framework.templates import Templates
from samples.notes.repositories import NameTaken, User, Users

Me = Annotated[User, session_value("user")]
NewName = Annotated[str, form("name", min_length=2, max_length=40, pattern=r"^\S+$")]
NewPassword = Annotated[str, form("password", min_length=8, max_length=200)]


class LoggedIn:
    def __init__(self, app: Application) -> None:
        self._app = app

    def check(self, session: session, request: Request) -> bool:
        if "user" in session:
            return True
        login = self._app.url_for("Accounts.show", request, page="login")
        raise HTTPException(response=redirect(login))


@controller("/")
class Accounts:
    def __init__(self, app: Application, templates: Templates, users: Users) -> None:
        self._app = app
        self._render = templates.render
        self._users = users

    @get("/<any(login, register):page>")
    def show(self, page: str, request: Request) -> Response:
        return self._render(f"{page}.html", request)

    @post("/login")
    def log_in(
        self, name: Form[str], password: Form[str], request: Request, session: session
    ) -> Response:
        user = self._users.log_in(name, password)
        if user is None:
            session.flash("There is no such name with this password.", "error")
            return self._render("login.html", request, _status=422, name=name)
        return self._enter(user, request, session)

    @post("/register")
    def register(
        self, name: NewName, password: NewPassword, request: Request, session: session
    ) -> Response:
        return self._enter(self._users.register(name, password), request, session)

    @catch(NameTaken)
    def name_taken(self, error: NameTaken, request: Request, session: session) -> Response:
        session.flash(f"The name {error} is taken. Choose another one.", "error")
        return self._render("register.html", request, _status=422)

    @post("/logout")
    def log_out(self, request: Request, session: session) -> Response:
        session.destroy()
        session.flash("You are logged out.")
        return redirect(self._app.url_for("Accounts.show", request, page="login"))

    def _enter(self, user: User, request: Request, session: Session) -> Response:
        # set_user() also changes the id, so nobody with the old id can use the signed-in session.
        session.set_user(str(user.id))
        session["user"] = asdict(user)
        session.flash(f"Welcome, {user.name}.")
        return redirect(self._app.url_for("Notebook.show", request))
