"""The base class of markers: a marker says from which source a parameter gets its value.

Users can add sources of their own. A source declares the parts of a request that it needs, its text
for `framework explain` and its description for OpenAPI. So all code of a new source is in one file.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import Flag, auto
from typing import Annotated, Any, ClassVar, Literal, NoReturn, Union

import msgspec

from framework.http.context import Context, PerRequest
from framework.report import location
from framework.types.limits import written
from framework.types.signatures import bare, describe
from framework.validation import REQUIRED, invalid

# Reads one argument from a request.
Extract = Callable[[Context], object]
# Plans the call of a class's method that makes an argument.
BindNested = Callable[[type, Callable[..., object]], Any]
# Makes a default value: a new copy each time if the value can be changed.
Default = Callable[[], object]


class Needs(Flag):
    """The parts of a request that a source can use; start-up prepares only these parts."""

    NOTHING = 0
    """The source uses only the query, headers and cookies, which are always there."""
    PATH = auto()
    """The values of the path."""
    BODY = auto()
    """The body, which GET and HEAD do not have."""
    FILES = auto()
    """Uploaded files, which are closed when the request ends."""
    SESSION = auto()
    """The session."""
    REQUEST = auto()
    """The request object, which gives access to all the other parts."""


@dataclass(frozen=True)
class Field:
    """A parameter that a marker reads: its name, its annotation and its default."""

    name: str
    # The type without the marker; EMPTY if the parameter has none.
    annotation: Any
    # None if the parameter is required.
    default: Default | None
    # Returns the component of a type; raises Mistake or Reported.
    provide: Callable[[object], object]


@dataclass(frozen=True)
class DocumentedValue:
    """The description, for OpenAPI, of a value outside of the body."""

    place: Literal["path", "query", "header", "cookie"]
    name: str
    type: Any
    limits: msgspec.Meta | None = None
    required: bool | None = None


@dataclass(frozen=True)
class DocumentedBody:
    """The description, for OpenAPI, of a whole body."""

    type: Any
    media_type: str = "application/json"


@dataclass(frozen=True)
class DocumentedForm:
    """The OpenAPI description of a form's field, or of the whole form if `name` is empty."""

    type: Any
    name: str = ""
    limits: msgspec.Meta | None = None


@dataclass(frozen=True, kw_only=True)
class ExplainedPart:
    """What `framework explain` shows for one part of an argument, such as a field of a form."""

    name: str
    type: str
    where: str
    required: bool
    conversion: str


Documented = DocumentedValue | DocumentedBody | DocumentedForm


class Marker(ABC):
    """A marker: it says where the value of a parameter comes from.

    `source` names the source in reports and errors.
    """

    source: ClassVar[str]
    fallible: ClassVar[bool] = True
    """Whether a request can hold a wrong value; a call reports all wrong values together."""
    needs: ClassVar[Needs] = Needs.REQUEST
    """The parts of a request that the source can use; every part if a source declares nothing."""

    spelling: ClassVar[str] = ""
    """The whole annotation of a marker that needs no type beside it, such as `session`."""

    uses_default: ClassVar[bool] = True
    """Whether the default of the parameter can take the place of the value."""

    @abstractmethod
    def extractor(self, field: Field) -> Extract:
        """Return the function that reads the argument, or raise `Mistake`.

        The function raises `InvalidRequest` for a value that does not fit.
        """

    def bound(self, field: Field, bind: "BindNested") -> tuple[Extract, tuple["Parameter", ...]]:
        """Return the function that makes the argument, and the parameters that the function reads.

        A resolver calls `bind` to bind the parameters of its method `resolve`.
        """
        extract = self.extractor(field)
        return extract, extract.parts if isinstance(extract, PerRequest) else ()

    def where(self, field: Field) -> str:
        """Return the argument's place in a request, as errors write it: `query:page`, `body`."""
        return self.source

    def explained(self, field: Field) -> str:
        """Return a text that names the code that makes the argument, for `framework explain`."""
        return f"made by {location(type(self))}"

    def explained_parts(self, field: Field) -> Sequence[ExplainedPart]:
        """Return a text for each part of an argument with several parts, such as form fields."""
        return ()

    def documented(self, field: Field) -> Sequence[Documented]:
        """Return the parts of the request that OpenAPI describes for this argument."""
        return ()

    def session_use(self, field: Field) -> str:
        """Return a text that says how the source uses the session, for `framework explain`."""
        return "loaded when code first uses it, saved if it changed"

    def may_refuse(self, field: Field) -> bool:
        """Return whether a request can be answered with 422 because of this argument."""
        return self.fallible

    def requires_body(self, field: Field) -> bool:
        """Return whether the argument needs a request body."""
        return Needs.BODY in self.needs and field.default is None


@dataclass(frozen=True)
class Parameter:
    """An argument of a call: where it comes from, and how it is read."""

    name: str
    marker: Marker
    field: Field
    # The default as the user wrote it; EMPTY if the parameter is required.
    default: object
    extract: Extract
    # Whether the parameter is keyword-only.
    keyword: bool
    # Whether the user marked the parameter; else the name or the type implies the source.
    marked: bool
    # The function that has the parameter, as reports write the function.
    taken_by: str
    # The parameters of the resolver or the component that makes the argument.
    parts: tuple["Parameter", ...] = ()

    @property
    def source(self) -> str:
        """Return the name of the source."""
        return self.marker.source

    @property
    def where(self) -> str:
        """Return the place of the argument in a request: `query:page`, `body`."""
        return self.marker.where(self.field)

    @property
    def needs(self) -> Needs:
        """Return the parts of a request that the parameter itself can use.

        The parts that its resolver or its component uses are not included.
        """
        return self.marker.needs

    @property
    def required(self) -> bool:
        """Return whether the parameter has no default."""
        return self.field.default is None

    @property
    def may_refuse(self) -> bool:
        """Return whether this parameter itself, without its `parts`, can cause a 422."""
        return self.marker.may_refuse(self.field)

    @property
    def requires_body(self) -> bool:
        """Return whether the argument needs a request body."""
        return self.marker.requires_body(self.field)

    def flattened(self) -> Iterator["Parameter"]:
        """Yield the parameter, and the parameters of its resolver or of its component."""
        yield self
        for part in self.parts:
            yield from part.flattened()


class Brackets:
    """The object before the brackets in `Query[int]`.

    Type checkers read `Query[int]` as `Annotated[int, ...]`.
    """

    def __init__(self, name: str, marker: Marker, example: str, others: str = "") -> None:
        self._name = name
        self._marker = marker
        self.example = f"{name}[{example}]"
        """An example of how to write the parameter."""
        # Other spellings that a user who wrote parentheses may want.
        self._others = others

    def __getitem__(self, annotation: Any) -> Any:
        return Annotated[annotation, self._marker]

    def __or__(self, other: Any) -> Any:
        # `|` would call this method again.
        return Union[self, other]  # noqa: UP007

    def __call__(self, *_: object, **__: object) -> NoReturn:
        """Raise TypeError for `Query(...)`, which other frameworks use; write `Query[...]`."""
        raise TypeError(
            f"{self._name} takes a type in square brackets. Fix: write x:"
            f" {self.example}{self._others}"
        )

    def __repr__(self) -> str:
        return self._name


def default_or_refusal(default: Default | None, where: str) -> Default:
    """Return the function for an absent value: it makes the default, or raises the 422."""
    if default is not None:
        return default

    def refuse() -> object:
        raise invalid(where, REQUIRED)

    return refuse


def conversion(source: str, annotation: Any, *limits: msgspec.Meta | None) -> str:
    """Return a text for a conversion, with its limits, such as `text → int, ge=1`."""
    kind, metadata = bare(annotation)
    found = (element for element in (*metadata, *limits) if isinstance(element, msgspec.Meta))
    parts = [f"{source} → {describe(kind)}", *(word for meta in found for word in written(meta))]
    return ", ".join(parts)
