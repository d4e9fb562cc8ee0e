"""Results with their own headers or status; OpenAPI describes the content of each result.

A handler returns such a result. The return annotation says what the result contains, such as
`JSON[Order]` or `HTML`.
"""

import reprlib
from collections.abc import Iterable, Mapping, Sequence, Set, ValuesView
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Generic, TypeVar, get_args, get_origin

import msgspec
from werkzeug.wrappers import Response

from framework.advice.other_frameworks import refusing
from framework.types.encoding import encodable
from framework.types.fields import is_pydantic_model

__all__ = ["HTML", "JSON"]

encode_json = msgspec.json.Encoder(enc_hook=encodable).encode

V = TypeVar("V", covariant=True)
_CHUNKS = (str, bytes, bytearray, memoryview)
# Lists come first, because nearly every body is one.
_SEVERAL = (list, tuple, Sequence, ValuesView)
Headers = Mapping[str, str | Iterable[str]] | Iterable[tuple[str, str]]


class Result(Response):
    """A response whose content is known from its type.

    If the handler gives no status, the result has the status of the handler's decorator.
    """

    def __init__(
        self, body: str | bytes, status: int | None, headers: Headers | None, media_type: str
    ) -> None:
        pairs = headers if headers is None or isinstance(headers, Mapping) else list(headers)
        super().__init__(body, status, pairs, mimetype=media_type)
        self._chose_status = status is not None

    @property
    def takes_status(self) -> bool:
        """Return whether this response takes the status of the handler's decorator."""
        return not self._chose_status and self.status_code == HTTPStatus.OK


class JSON(Result, Generic[V]):
    """A response that holds a value as JSON, encoded like a value that a handler returns.

    Without a status, the response has the status of the handler's decorator. Raises TypeError if
    JSON cannot hold the value.
    """

    def __init__(self, value: V, status: int | None = None, headers: Headers | None = None) -> None:
        super().__init__(_encoded(value), status, headers, "application/json")


class HTML(Result):
    """A response that holds a page of HTML.

    The text is sent as it is, so escape what users have written. Without a status, the response
    has the status of the handler's decorator.
    """

    def __init__(
        self, text: str, status: int | None = None, headers: Headers | None = None
    ) -> None:
        super().__init__(text, status, headers, "text/html")


def is_free(annotation: Any) -> bool:
    """Return whether a return type is a plain Response, which may have any status and content."""
    is_class = isinstance(annotation, type) and get_origin(annotation) is None
    return is_class and issubclass(annotation, Response) and not issubclass(annotation, Result)


def value_of(annotation: Any) -> Any:
    """Return `T` for the return type `JSON[T]`, and any other return type unchanged."""
    if annotation is JSON:
        return Any
    return get_args(annotation)[0] if get_origin(annotation) is JSON else annotation


def check_body(body: object, where: str) -> None:
    """Raise TypeError unless the body of a Response is text, bytes, or a stream of text or bytes.

    `where` names the code that returns the Response.
    """
    chunks = body if isinstance(body, _SEVERAL) else ()
    is_value = isinstance(body, Mapping | Set) or not isinstance(body, Iterable)
    if is_value or is_pydantic_model(type(body)) or not all(isinstance(c, _CHUNKS) for c in chunks):
        raise TypeError(
            f"{where} returned Response({reprlib.repr(body)}), whose body is neither text nor"
            " bytes. Fix: return the value itself, which is sent as JSON. For a status or headers"
            " of your own, return JSON(value, status=…, headers=…), which is in framework.results."
        )


def _encoded(value: object) -> bytes:
    try:
        return encode_json(value)
    # msgspec raises ValueError and OverflowError for a value that JSON cannot hold, although JSON
    # can hold its type.
    except (TypeError, ValueError, OverflowError) as error:
        raise TypeError(
            f"JSON({reprlib.repr(value)}) cannot be written: {error}. Fix: give JSON what it can"
            " hold: dict, list, str, dataclass, msgspec.Struct, Enum, UUID, datetime, numbers."
        ) from error


# Type checkers report unknown names themselves.
if not TYPE_CHECKING:
    __getattr__ = refusing(__name__)
