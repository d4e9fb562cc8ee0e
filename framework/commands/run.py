"""`framework run`: serves an application for development."""

import click
from werkzeug.serving import is_running_from_reloader

from framework.commands.finding import application_argument, find, load
from framework.commands.other_names import Command
from framework.serving.server import serve

PORT = click.IntRange(0, 65535)
# click names the type in the message "'x' is not a valid port number".
PORT.name = "port number"


@click.command(cls=Command)
@application_argument
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to serve on.")
@click.option("--port", default=8000, show_default=True, type=PORT, help="0 takes a free port.")
@click.option("--reload/--no-reload", default=True, help="Start again when a file changes.")
def run(app: str | None, *, host: str, port: int, reload: bool) -> None:
    """Serve the application for development."""
    # Both processes find the application: the first ends if there is none, the second waits for it.
    if not is_running_from_reloader():
        find(app)
    serve(lambda: load(find(app)), host=host, port=port, reload=reload)
