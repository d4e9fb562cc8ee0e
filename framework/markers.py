"""What a marker is, and the markers of what is not text: body, session, request, components.

A marker is any object of a subclass of `Marker` inside `Annotated`: a new one is one new file.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, ClassVar

from werkzeug.exceptions import UnsupportedMediaType
from werkzeug.http import parse_options_header

from framework.annotations.limits import FITTING
from framework.exchange import Exchange
from framework.startup import AlreadyReported, NotProvided
from framework.validation import invalid, json_decoder
from framework.wiring.makers import Maker

# Reads one argument from a request.
Extract = Callable[[Exchange], object]
# Makes a default value, a new one each time where it could be changed.
Default = Callable[[], object]


class Unbindable(Exception):
    """Tell start-up why a marker cannot serve a parameter, and what to do about it."""

    def __init__(self, what: str, remedy: str) -> None:
        super().__init__(what)
        self.what = what
        self.remedy = remedy


@dataclass(frozen=True)
class Field:
    """Describe to a marker the parameter that it marks."""

    name: str
    # The type without the marker; EMPTY if the parameter has none.
    annotation: Any
    # None if the parameter is required.
    default: Default | None
    # Returns the component of a type; raises NotProvided or AlreadyReported.
    provide: Callable[[object], object]


class Marker(ABC):
    """Say where a parameter comes from."""

    # The word for it in plans, reports and errors.
    source: ClassVar[str]
    # Whether a request can hold a value that does not fit; then a call collects the errors.
    fallible: ClassVar[bool] = True

    def where(self, field: Field) -> str:
        """Return where in a request the argument is, as errors write it: `query:page`, `body`."""
        return self.source

    @abstractmethod
    def extractor(self, field: Field) -> Extract:
        """Return the function that reads the argument, or raise `Unbindable`.

        The function raises `InvalidRequest` for a value that does not fit.
        """


class BodyMarker(Marker):
    """Read the body as JSON."""

    source = "body"

    def extractor(self, field: Field) -> Extract:
        """Return the function that decodes the whole body."""
        try:
            decode = json_decoder(field.annotation, self.source)
        # NameError: a class in the type has a field whose own annotation names nothing.
        except (TypeError, NameError) as error:
            # msgspec shows the limits that it does not take for a type.
            is_limit = "msgspec.Meta" in str(error)
            raise Unbindable(
                f"parameter {field.name!r} cannot be read from the body: {error}",
                FITTING
                if is_limit
                else "Use a dataclass, a msgspec.Struct, a TypedDict or plain JSON types.",
            ) from error
        absent = default_or_refusal(field.default, self.source)

        def extract(exchange: Exchange) -> object:
            body = exchange.body
            if not body:
                return absent()
            _require_json(exchange.environ.get("CONTENT_TYPE", ""))
            return decode(body)

        return extract


class SessionMarker(Marker):
    """Give the session of the request."""

    source = "session"
    fallible = False

    def extractor(self, field: Field) -> Extract:
        """Return the function that opens the session."""
        return _session


class RequestMarker(Marker):
    """Give the request itself."""

    source = "request"
    fallible = False

    def extractor(self, field: Field) -> Extract:
        """Return the function that builds the request object."""
        return attrgetter("request")


class InjectMarker(Marker):
    """Give a component."""

    source = "inject"
    fallible = False

    def extractor(self, field: Field) -> Extract:
        """Return the function that gives the component, which is looked up only now."""
        try:
            component = field.provide(field.annotation)
        # The application does not start, so nobody will call the extractor.
        except AlreadyReported:
            component = None
        except NotProvided as missing:
            if field.default is None:
                what = f"parameter {field.name!r}: {missing.what}"
                raise Unbindable(what, missing.remedy) from missing
            component = field.default()
        return component if isinstance(component, Maker) else lambda exchange: component


def default_or_refusal(default: Default | None, where: str) -> Default:
    """Return what answers an absent value: the default, or a refusal if it is required."""
    if default is not None:
        return default

    def refuse() -> object:
        raise invalid(where, "is required")

    return refuse


def _session(exchange: Exchange) -> object:
    # Asking the property alone would cost each request a second call.
    session = exchange.opened
    return exchange.session if session is None else session


def _require_json(content_type: str) -> None:
    if content_type == "application/json":
        return
    media_type, options = parse_options_header(content_type.lower())
    is_json = media_type == "application/json" or (
        media_type.startswith("application/") and media_type.endswith("+json")
    )
    if not is_json or options.get("charset", "utf-8") not in ("utf-8", "utf8"):
        has = f"the type {content_type!r}" if content_type else "no Content-Type"
        raise UnsupportedMediaType(f"The body has {has}: send application/json in UTF-8.")
