"""Files of a folder: style sheets, scripts, pictures."""

from datetime import timedelta
from pathlib import Path
from typing import ClassVar

from werkzeug.utils import send_from_directory
from werkzeug.wrappers import Request, Response

from framework.controllers import get


class StaticFiles:
    """Serve the files of a folder; the base of a controller that names it.

    A browser asks again each time and, where nothing changed, is told so; with `max_age` it keeps
    a file for as long without asking. Raises `ValueError` if the folder is none.
    """

    folder: ClassVar[str | Path]
    max_age: ClassVar[timedelta | None] = None

    def __init__(self) -> None:
        folder = getattr(self, "folder", None)
        if folder is None or not Path(folder).is_dir():
            raise ValueError(
                f"{type(self).__name__}.folder is {folder!r}, where there is no folder; write"
                ' folder = Path(__file__).with_name("static")'
            )
        self._folder = Path(folder).resolve()

    @get("/<path:name>")
    def file(self, name: str, request: Request) -> Response:
        """Send a file, or 304 if the client has it; 404 for everything outside of the folder."""
        return send_from_directory(self._folder, name, request.environ, max_age=_seconds(self))


def _seconds(files: StaticFiles) -> int | None:
    return None if files.max_age is None else int(files.max_age.total_seconds())
