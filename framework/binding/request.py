"""The request object: an unmarked parameter of the type `Request`."""

from operator import attrgetter
from typing import Any

from werkzeug.wrappers import Request

from framework.binding.source import Extract, Field, Marker, Needs


class RequestMarker(Marker):
    """The marker of the request object."""

    source = "request"
    fallible = False
    needs = Needs.REQUEST

    @classmethod
    def is_implied_by(cls, annotation: Any) -> bool:
        """Return whether an unmarked parameter of this type is the request."""
        return annotation is Request

    def extractor(self, field: Field) -> Extract:
        """Return the function that builds the request object."""
        return attrgetter("request")

    def explained(self, field: Field) -> str:
        """Return a text that says that the argument is the `Request` object."""
        return "the request itself"
