"""The query, cookies, body and form of one request, each read when it is first asked for."""

import sys
from collections.abc import Mapping
from typing import IO, TYPE_CHECKING, Any, ClassVar
from urllib.parse import unquote_plus

from werkzeug import wrappers
from werkzeug.datastructures import ImmutableMultiDict, MultiDict
from werkzeug.exceptions import BadRequest, UnsupportedMediaType
from werkzeug.utils import cached_property

from framework.http.bodies import content_length, open_body, read_body, refuse_encoded
from framework.http.cookies import read_cookies
from framework.http.forms import FORM_TYPES, URLENCODED, FormData, FormParser, readable
from framework.settings import HTTPSettings

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

# The key in the environ of a request object for the reader that made the object.
READER_KEY = "framework.context"


class Request(wrappers.Request):
    """A Werkzeug request that gives the same values as the parameters of a handler.

    The request also closes the uploaded files.
    """

    received: MultiDict[str, str]
    """The form's fields, as a handler's parameters get them; set after the form was read."""

    @cached_property
    def stream(self) -> IO[bytes]:
        """Return the body as a stream.

        The stream raises 400 for an incomplete body, and 413 for a body over the limit.
        """
        limit = self.max_content_length
        return open_body(self.environ, sys.maxsize if limit is None else limit)

    @cached_property
    def cookies(self) -> ImmutableMultiDict[str, str]:
        """Return the cookies; a handler's `Cookie` parameters get the same values."""
        reader: RequestReader = self.environ[READER_KEY]
        return ImmutableMultiDict(reader.cookies)

    def get_json(self, force: bool = False, silent: bool = False, cache: bool = True) -> Any:
        """Return the body as JSON; refuse a body that is compressed or nested too deeply."""
        if not silent:
            refuse_encoded(self.environ)
        try:
            return super().get_json(force, silent, cache)
        except RecursionError as error:
            if silent:
                return None
            raise BadRequest("The body is not valid JSON: it is nested too deeply.") from error

    def whole_data(self) -> bytes:
        """Return the body; raise an error if other code has read it from the stream before."""
        if self._is_taken and "form" in self.__dict__ and self.mimetype in FORM_TYPES:
            raise UnsupportedMediaType(
                f"The body has the type {self.content_type!r}, so it was read as a form."
            )
        self.require_untaken()
        return self.get_data()

    def require_untaken(self) -> None:
        """Raise RuntimeError if other code has used up the body, which would now seem empty."""
        if self._is_taken and "form" not in self.__dict__:
            raise RuntimeError(
                "the body of this request is gone: code has read it from request.stream, or with"
                " request.get_data(cache=False). Fix: read it with request.get_data(), which keeps"
                " the body for the code that follows"
            )

    @property
    def _is_taken(self) -> bool:
        is_kept = bool(getattr(self, "_cached_data", None))
        return not is_kept and "stream" in self.__dict__ and self.stream.tell() > 0

    def _load_form_data(self) -> None:
        if "form" in self.__dict__:
            return
        if self.mimetype in FORM_TYPES:
            refuse_encoded(self.environ)
        super()._load_form_data()
        fields = self.received = self.__dict__["form"]
        self.__dict__["form"] = readable(fields) if self.mimetype == URLENCODED else fields

    def _get_file_stream(self, *args: Any, **kwargs: Any) -> IO[bytes]:
        file = super()._get_file_stream(*args, **kwargs)
        reader: RequestReader = self.environ[READER_KEY]
        reader.keep(file)
        return file


class RequestReader:
    """Read the query, the cookies, the body and the form of one request."""

    __slots__ = ("_body", "_cookies", "_query", "_request", "environ", "path_values")

    # All requests of an application share the settings.
    settings: ClassVar[HTTPSettings] = HTTPSettings()

    def __init__(self, environ: "WSGIEnvironment", path_values: Mapping[str, object]) -> None:
        self.environ = environ
        self.path_values = path_values
        self._request: Request | None = None
        self._body: bytes | None = None
        self._query: dict[str, list[str]] | None = None
        self._cookies: dict[str, list[str]] | None = None

    def keep(self, file: IO[bytes]) -> None:
        """Register a file that is closed at the end of the request."""
        raise NotImplementedError

    @property
    def request(self) -> Request:
        """Return the request as a Werkzeug request; each call returns the same object."""
        if self._request is None:
            self._request = Request(self.environ)
            self._request.max_content_length = self.settings.body_limit
            self._request.max_form_memory_size = self.settings.form_memory_limit
            self._request.max_form_parts = self.settings.form_parts_limit
            self._request.form_data_parser_class = FormParser
            self.environ[READER_KEY] = self
        return self._request

    @property
    def form(self) -> FormData:
        """Return the fields and files of the body; refuse a body that is over the limit.

        A body that is not of a form type is refused, too; without a body, the form is empty.
        """
        request = self.request
        if request.mimetype not in FORM_TYPES and self._has_body():
            raise UnsupportedMediaType(
                f"The body has the type {request.content_type!r}: send {' or '.join(FORM_TYPES)}."
            )
        request.require_untaken()
        files = request.files
        return FormData(request.received, files)

    @property
    def query(self) -> dict[str, list[str]]:
        """Return the values of each query key in their order; `?x` means `?x=`.

        Bytes that are not UTF-8 become surrogates, which every converter refuses.
        """
        if self._query is None:
            text = self.environ.get("QUERY_STRING")
            self._query = _parse_query(text) if text else {}
        return self._query

    @property
    def cookies(self) -> dict[str, list[str]]:
        """Return the values of each cookie; the value with the most specific path is first."""
        if self._cookies is None:
            self._cookies = read_cookies(self.environ.get("HTTP_COOKIE", ""))
        return self._cookies

    @property
    def body(self) -> bytes:
        """Return the whole body; refuse a body that is over the limit.

        The body stays readable for the request object.
        """
        if self._body is None:
            request, limit = self._request, self.settings.body_limit
            self._body = read_body(self.environ, limit) if request is None else request.whole_data()
        return self._body

    def _has_body(self) -> bool:
        length = content_length(self.environ, self.settings.body_limit)
        # Only the server knows where a body without a length ends.
        return bool(self.body) if length is None else length > 0


def _parse_query(text: str) -> dict[str, list[str]]:
    if not text.isascii():
        text = text.encode("latin-1").decode(errors="surrogateescape")
    values: dict[str, list[str]] = {}
    for pair in text.split("&"):
        if not pair:
            continue
        key, _, value = pair.partition("=")
        if "%" in pair or "+" in pair:
            key = unquote_plus(key, errors="surrogateescape")
            value = unquote_plus(value, errors="surrogateescape")
        values.setdefault(key, []).append(value)
    return values
