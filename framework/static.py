"""`StaticFiles`: a controller for the files of a folder, such as style sheets and pictures."""

from collections.abc import Iterable
from datetime import timedelta
from functools import cached_property
from mimetypes import guess_type
from pathlib import Path
from typing import TYPE_CHECKING

from werkzeug.exceptions import NotFound
from werkzeug.utils import send_from_directory
from werkzeug.wrappers import Request, Response

from framework.advice.other_frameworks import refusing
from framework.decorators import get
from framework.dispatch.handlers import Handler
from framework.http.conditions import answer_conditions
from framework.injection.graph import Graph
from framework.report import Report
from framework.types.signatures import describe
from sessions.core.wrong_values import timedelta_instead

_COMPRESSED = {
    "gzip": "application/gzip",
    "bzip2": "application/x-bzip2",
    "xz": "application/x-xz",
    "compress": "application/x-compress",
}


class StaticFiles:
    """Serve the files of a folder: a base class for controllers.

    The controller or its constructor sets `folder`. A browser asks for a file each time, and gets
    304 if the file has not changed; with `max_age`, a browser keeps a file for that time without
    asking.
    """

    folder: str | Path
    max_age: timedelta | None = None

    @get("/<path:name>")
    def file(self, name: str, request: Request) -> Response:
        """Send a file, or 304 if the client already has the file; 404 for a file that is hidden."""
        if not all(map(_is_public, name.split("/"))):
            raise NotFound
        response = send_from_directory(
            self._root,
            name,
            request.environ,
            mimetype=_compressed_type(name),
            max_age=self._seconds,
            conditional=False,
        )
        return conditional(response, request)

    @cached_property
    def _root(self) -> Path:
        return Path(self.folder).resolve()

    @cached_property
    def _seconds(self) -> int | None:
        return None if self.max_age is None else int(self.max_age.total_seconds())


def conditional(response: Response, request: Request) -> Response:
    """Answer a GET or HEAD request that has conditions or a range: 304, 206, 412 or 416.

    The given response needs an ETag or a Last-Modified date. The range of a HEAD request is
    ignored, and the answer to several ranges is the whole response. Source: RFC 9110, sections 13
    and 14.
    """
    return answer_conditions(response, request.environ)


def note_wrong_folders(handlers: Iterable[Handler], graph: Graph, report: Report) -> None:
    """Report each folder that does not exist, and remember the absolute path of each folder."""
    for controller in dict.fromkeys(handler.route.controller for handler in handlers):
        files: object = graph.get(controller)
        if not isinstance(files, StaticFiles):
            continue
        here, name = report.at(controller), describe(controller)
        folder, age = getattr(files, "folder", None), files.max_age
        if not isinstance(folder, str | Path) or not files._root.is_dir():
            here.note(
                f"{name}.folder is {folder!r}, which is not an existing folder",
                'Write folder = Path(__file__).with_name("static") in the class, or set self.folder'
                " in its constructor.",
            )
        if age is not None and (not isinstance(age, timedelta) or age < timedelta()):
            here.note(
                f"{name}.max_age is {age!r}, which is not a timedelta of 0 or more",
                f"In max_age, {timedelta_instead(age)}; or leave max_age out.",
            )


def _compressed_type(name: str) -> str | None:
    """Return the type of a compressed file; None for any other file.

    Without this type, the file would be sent with a Content-Encoding. A browser would then unpack
    the file, but save it under a name such as `data.tar.gz`. Only an `.svgz` file, which is a
    picture, has to be unpacked by the browser.
    """
    _, encoding = guess_type(name)
    if encoding is None or name.lower().endswith(".svgz"):
        return None
    return _COMPRESSED.get(encoding, "application/octet-stream")


def _is_public(part: str) -> bool:
    """Return False for an empty part of a path, and for a hidden part such as `.env`."""
    # Certificate authorities and others look for files in this folder (RFC 8615).
    return part == ".well-known" or not (part == "" or part.startswith("."))


# Type checkers report unknown names themselves.
if not TYPE_CHECKING:
    __getattr__ = refusing(__name__)
