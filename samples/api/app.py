# samples/api/app.py: an API whose clients sign in and send their session as a bearer token.
import os
from dataclasses import dataclass

from werkzeug.exceptions import Unauthorized
from werkzeug.security import check_password_hash, generate_password_hash

from framework import (
    Application,
    Body,
    component,
    configuration,
    controller,
    delete,
    get,
    guard,
    post,
    service,
    session,
)
from sessions import HeaderTransport, SessionManager


@dataclass
class SignIn:
    name: str
    password: str


@dataclass
class Note:
    text: str


@service
class Users:
    def __init__(self) -> None:
        # An application would keep these hashes in a database.
        password = os.environ.get("API_PASSWORD", "analytical engine")
        self._hashes = {"ada": generate_password_hash(password)}
        self._nobody = generate_password_hash("")

    def know(self, name: str, password: str) -> bool:
        # An unknown name takes as long as a known one.
        is_right = check_password_hash(self._hashes.get(name, self._nobody), password)
        return is_right and name in self._hashes


class SignedIn:
    def check(self, session: session) -> bool:
        if session.user_id is None:
            raise Unauthorized("Send the token of POST /tokens as `Authorization: Bearer ...`.")
        return True


@controller("/tokens")
class Tokens:
    def __init__(self, users: Users, sessions: SessionManager) -> None:
        self._users = users
        self._sessions = sessions

    @post("/", status=201)
    def sign_in(self, user: Body[SignIn], session: session) -> dict[str, str]:
        if not self._users.know(user.name, user.password):
            raise Unauthorized("There is no such name with this password.")
        session.set_user(user.name)
        # Another request possibly signed in with the same token. After save(), the id is final.
        session.save()
        # The response also has the token in its header Authorization.
        return {"access_token": self._sessions.token(session), "token_type": "Bearer"}

    @delete("/")
    def sign_out(self, session: session) -> None:
        session.destroy()


@controller("/notes")
@guard(SignedIn)
class Notes:
    @get("/")
    def show(self, session: session) -> list[str]:
        return list(session.get("notes", []))

    @post("/", status=201)
    def add(self, note: Body[Note], session: session) -> list[str]:
        session["notes"] = [*session.get("notes", []), note.text]
        return list(session["notes"])


@configuration
class WebConfiguration:
    @component
    def session_container(self) -> dict[str, object]:
        # The other settings keep their defaults: the sessions are stored in an SQLite file.
        return {"transports": [HeaderTransport.bearer()]}


app = Application(WebConfiguration, Users, Tokens, Notes)

if __name__ == "__main__":
    app.run()
