"""The base of every marker: what a source of arguments declares, built in or a user's own.

A source declares what it needs of a request, how `framework explain` tells it, and how OpenAPI
describes it. So a new one is one file.
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
# Plans the call of a method of a class, which makes an argument.
BindNested = Callable[[type, Callable[..., object]], Any]
# Makes a default value, a new one each time where it could be changed.
Default = Callable[[], object]


class Needs(Flag):
    """Say what a source may use of a request; start-up prepares nothing else for it."""

    NOTHING = 0
    """The query, headers and cookies are always there."""
    PATH = auto()
    """The values of the path, and nothing else."""
    BODY = auto()
    """The body, which GET and HEAD do not have."""
    FILES = auto()
    """Uploaded files, which are closed with the request."""
    SESSION = auto()
    """The session."""
    REQUEST = auto()
    """The request object, through which everything else can be reached."""


@dataclass(frozen=True)
class Field:
    """Describe the parameter that a marker marks."""

    name: str
    # The type without the marker; EMPTY if the parameter has none.
    annotation: Any
    # None if the parameter is required.
    default: Default | None
    # Returns the component of a type; raises Mistake or Reported.
    provide: Callable[[object], object]


@dataclass(frozen=True)
class DocumentedValue:
    """Describe a value for OpenAPI that a request carries outside of its body.

    Without `required`, the value is required if the parameter has no default.
    """

    place: Literal["path", "query", "header", "cookie"]
    name: str
    type: Any
    limits: msgspec.Meta | None = None
    required: bool | None = None


@dataclass(frozen=True)
class DocumentedBody:
    """Describe a whole body for OpenAPI."""

    type: Any
    media_type: str = "application/json"


@dataclass(frozen=True)
class DocumentedForm:
    """Describe for OpenAPI one field of a form; without a name, all fields of a form's class."""

    type: Any
    name: str = ""
    limits: msgspec.Meta | None = None


@dataclass(frozen=True, kw_only=True)
class ExplainedPart:
    """Say for `framework explain` where one part of an argument comes from."""

    name: str
    type: str
    where: str
    required: bool
    conversion: str


Documented = DocumentedValue | DocumentedBody | DocumentedForm


class Marker(ABC):
    """Say where a parameter comes from.

    `source` is the word for it in reports and errors.
    """

    source: ClassVar[str]
    fallible: ClassVar[bool] = True
    """Whether a request can hold a value that does not fit; then a call collects the errors."""
    needs: ClassVar[Needs] = Needs.REQUEST
    """What the source may use of a request. A source that does not declare it may use anything."""

    @abstractmethod
    def extractor(self, field: Field) -> Extract:
        """Return the function that reads the argument, or raise `Mistake`.

        The function raises `InvalidRequest` for a value that does not fit.
        """

    def bound(self, field: Field, bind: "BindNested") -> tuple[Extract, tuple["Parameter", ...]]:
        """Return the function that reads the argument, and the parameters of what makes it.

        `bind` binds the parameters of a function that makes the argument.
        """
        extract = self.extractor(field)
        return extract, extract.parts if isinstance(extract, PerRequest) else ()

    def where(self, field: Field) -> str:
        """Return where in a request the argument is, as errors write it: `query:page`, `body`."""
        return self.source

    def explained(self, field: Field) -> str:
        """Say for `framework explain` what makes the argument."""
        return f"made by {location(type(self))}"

    def explained_parts(self, field: Field) -> Sequence[ExplainedPart]:
        """Say for `framework explain` what makes each part of the argument."""
        return ()

    def documented(self, field: Field) -> Sequence[Documented]:
        """Return the parts of the request that OpenAPI describes for this argument."""
        return ()

    def session_use(self, field: Field) -> str:
        """Say for `framework explain` how the session is used, where the source needs it."""
        return "loaded when it is first touched, saved if it changed"

    def may_refuse(self, field: Field) -> bool:
        """Return whether a request can be answered with 422 for this argument."""
        return self.fallible

    def requires_body(self, field: Field) -> bool:
        """Return whether a request without a body lacks the argument."""
        return Needs.BODY in self.needs and field.default is None


@dataclass(frozen=True)
class Parameter:
    """Say where one argument of a call comes from, and how it is read."""

    name: str
    marker: Marker
    field: Field
    # The default as it is written; EMPTY if the parameter is required.
    default: object
    extract: Extract
    # Whether it can be passed by its name only.
    keyword: bool
    # Whether its author marked it; else its name or its type says where it comes from.
    marked: bool
    # The function whose parameter it is, as reports write it.
    taken_by: str
    # The parameters of the resolver or the component that makes the argument.
    parts: tuple["Parameter", ...] = ()

    @property
    def source(self) -> str:
        """Return the word for its source."""
        return self.marker.source

    @property
    def where(self) -> str:
        """Return where in a request it is: `query:page`, `body`."""
        return self.marker.where(self.field)

    @property
    def needs(self) -> Needs:
        """Return what it may use of a request, without its parts."""
        return self.marker.needs

    @property
    def required(self) -> bool:
        """Return whether it has no default."""
        return self.field.default is None

    @property
    def may_refuse(self) -> bool:
        """Return whether a request can be answered with 422 for it, without its parts."""
        return self.marker.may_refuse(self.field)

    @property
    def requires_body(self) -> bool:
        """Return whether a request without a body lacks it."""
        return self.marker.requires_body(self.field)

    def flattened(self) -> Iterator["Parameter"]:
        """Yield the parameter and every part of it."""
        yield self
        for part in self.parts:
            yield from part.flattened()


class Brackets:
    """Put a marker on the type in the brackets: type checkers see an alias of `Annotated`."""

    def __init__(self, name: str, marker: Marker, example: str, others: str = "") -> None:
        self._name = name
        self._marker = marker
        self.example = f"{name}[{example}]"
        """How it is written."""
        # Other spellings that a user who calls it may mean.
        self._others = others

    def __getitem__(self, annotation: Any) -> Any:
        return Annotated[annotation, self._marker]

    def __or__(self, other: Any) -> Any:
        return Union[self, other]  # noqa: UP007

    def __call__(self, *_: object, **__: object) -> NoReturn:
        """Refuse parentheses, which other frameworks have here."""
        raise TypeError(
            f"{self._name} takes a type in brackets: write x: {self.example}{self._others}"
        )

    def __repr__(self) -> str:
        return self._name


def default_or_refusal(default: Default | None, where: str) -> Default:
    """Return the function that gives the default of an absent value, or refuses it."""
    if default is not None:
        return default

    def refuse() -> object:
        raise invalid(where, REQUIRED)

    return refuse


def conversion(source: str, annotation: Any, *limits: msgspec.Meta | None) -> str:
    """Write a conversion with its limits: `text → int, ge=1`."""
    kind, metadata = bare(annotation)
    found = (limit for limit in (*metadata, *limits) if isinstance(limit, msgspec.Meta))
    parts = [f"{source} → {describe(kind)}", *(word for meta in found for word in written(meta))]
    return ", ".join(parts)
