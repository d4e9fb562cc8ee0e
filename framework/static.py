"""Files of a folder: style sheets, scripts, pictures."""

from datetime import timedelta
from pathlib import Path
from typing import ClassVar

from werkzeug.exceptions import NotFound
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
        self._seconds = _seconds(type(self))

    @get("/<path:name>")
    def file(self, name: str, request: Request) -> Response:
        """Send a file, or 304 if the client has it; 404 for all that is not for everybody."""
        if not all(map(_is_public, name.split("/"))):
            raise NotFound
        return send_from_directory(self._folder, name, request.environ, max_age=self._seconds)


def _is_public(part: str) -> bool:
    """Refuse what programs hide, such as `.env` and `.git`, and detours to a file."""
    # Certificate authorities and others look for files there (RFC 8615).
    return part == ".well-known" or not (part == "" or part.startswith("."))


def _seconds(files: type[StaticFiles]) -> int | None:
    age = files.max_age
    if age is None:
        return None
    if not isinstance(age, timedelta) or age < timedelta():
        raise ValueError(
            f"{files.__name__}.max_age is {age!r}; write max_age = timedelta(hours=1), or leave it"
            " out"
        )
    return int(age.total_seconds())
