# samples/notes/app.py: register, log in, and keep your own notes.
from pathlib import Path

from framework import Application, Middleware, component, configuration, controller
from framework.csrf import CSRF
from framework.static import StaticFiles
from framework.templates import Templates
from samples.notes import accounts, notebook, repositories

HERE = Path(__file__).parent


@controller("/static")
class Assets(StaticFiles):
    folder = HERE / "static"


@configuration
class WebConfiguration:
    @component
    def templates(self, application: Application) -> Templates:
        return Templates(application, HERE / "templates")

    @component
    def middleware(self) -> list[Middleware]:
        return [CSRF(visitors=True)]


app = Application(WebConfiguration, Assets, accounts, notebook, repositories)
