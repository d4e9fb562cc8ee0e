# samples/notes/notebook.py: the notes of the signed-in user.
from typing import Annotated

from werkzeug.exceptions import NotFound

from framework import Application, Request, Response, controller, form, get, guard, post, session
from framework.redirects import redirect
from framework.templates import Templates
from samples.notes.accounts import LoggedIn, Me
from samples.notes.repositories import Notes

NewText = Annotated[str, form("text", max_length=2000, pattern=r"\S")]


@controller("/")
@guard(LoggedIn)
class Notebook:
    def __init__(self, app: Application, templates: Templates, notes: Notes) -> None:
        self._app = app
        self._render = templates.render
        self._notes = notes

    @get("/")
    def show(self, me: Me, request: Request) -> Response:
        return self._render("notes.html", request, me=me, notes=self._notes.of(me))

    @post("/notes")
    def add(self, me: Me, text: NewText, request: Request, session: session) -> Response:
        self._notes.add(me, text)
        session.flash("The note is saved.", "success")
        return redirect(self._app.url_for("Notebook.show", request))

    @post("/notes/<int:note_id>/delete")
    def delete(self, note_id: int, me: Me, request: Request, session: session) -> Response:
        if not self._notes.delete(me, note_id):
            raise NotFound("You have no such note.")
        session.flash("The note is deleted.")
        return redirect(self._app.url_for("Notebook.show", request))
