"""The parameters of a function with their annotations: types, texts, aliases, `Annotated`."""

import builtins
import inspect
import re
import sys
import types
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Annotated, Any, ForwardRef, Optional, Union, get_args, get_origin, get_type_hints

import msgspec

from framework.advice.modules import remedy_for_module
from framework.report import Place, Report, unwrapped

EMPTY = inspect.Parameter.empty

# How alike a misspelt name and the name of a class must be, from 0 to 1.
_SURELY = 0.75
# The modules and classes before a name.
_QUALIFIER = re.compile(r"(?:[\w<>]+\.)+(?=\w)")

# Python 3.14 evaluates annotations late: these arguments ask for annotations with missing names as
# forward references, or for texts without evaluation.
_LAZILY: dict[str, Any] = {}
_AS_TEXT: dict[str, Any] = {}
_NAMES_ONLY: dict[str, Any] = {}
if sys.version_info >= (3, 14):
    import annotationlib

    _LAZILY["annotation_format"] = annotationlib.Format.FORWARDREF
    _AS_TEXT["annotation_format"] = annotationlib.Format.STRING
    _NAMES_ONLY["format"] = annotationlib.Format.STRING


# A function keeps here what start-up read, for another application with the same classes.
_DECLARED = "__declared_parameters__"
_RETURNED = "__declared_return__"
_CHECKED = "__checked_return__"
REMEMBERED = (_DECLARED, _RETURNED, _CHECKED)

_NO_SELF = (
    "the method takes no parameter at all, not even self",
    "Give the method self as its first parameter, or decorate the method with @staticmethod.",
)


class NoType(Exception):
    """The annotation is a module, which is not a type."""

    def __init__(self, module: types.ModuleType) -> None:
        super().__init__(f"the module {module.__name__!r}")
        self.module = module


class Unresolved:
    """An annotation that cannot be evaluated; the mistake is already reported."""


@dataclass(frozen=True)
class Declared:
    """A parameter as the source code declares it."""

    name: str
    # EMPTY without an annotation; Unresolved if the annotation cannot be evaluated.
    annotation: Any
    # The metadata of `Annotated`; nested annotations and aliases are flattened.
    metadata: tuple[object, ...]
    default: object
    kind: Any

    @property
    def variadic(self) -> bool:
        """Return whether the parameter is `*args` or `**kwargs`."""
        return self.kind in (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)

    @property
    def written(self) -> str:
        """Return the name of a parameter with its stars, such as `*args`."""
        stars = {inspect.Parameter.VAR_POSITIONAL: "*", inspect.Parameter.VAR_KEYWORD: "**"}
        return stars.get(self.kind, "") + self.name

    @property
    def keyword_only(self) -> bool:
        """Return whether the parameter can be passed by its name only."""
        return bool(self.kind == inspect.Parameter.KEYWORD_ONLY)


def read_parameters(method: Callable[..., object], here: Place | None = None) -> list[Declared]:
    """Read the parameters that a caller of the method passes, without `self` or `cls`."""
    known: tuple[Declared, ...] | None = _remembered(method, _DECLARED)
    if known is not None:
        return list(known)
    place = here or Report().at("")
    found = list(signature_of(method).parameters.values())
    if not isinstance(method, staticmethod):
        if not found:
            place.note(*_NO_SELF)
        elif found[0].kind != inspect.Parameter.VAR_POSITIONAL:
            if _is_no_self(found[0]):
                place.note(*_without_self(found[0].name))
            del found[0]
    declared = [_declare(parameter, method, place) for parameter in found]
    if place.is_clean:
        _remember(method, _DECLARED, tuple(declared))
    return declared


def read_return(method: Callable[..., object], here: Place | None = None) -> Any:
    """Read the return annotation: EMPTY without an annotation, Unresolved after an error."""
    known = _remembered(method, _RETURNED)
    if known is not None:
        return known
    annotation = _return_annotation(method)
    if annotation is EMPTY:
        return EMPTY
    try:
        returned = annotated(*split(_evaluated(annotation, method)))
    # An annotation is the user's own code and may raise anything.
    except Exception as error:  # noqa: BLE001
        if here is not None:
            here.note(*_unresolvable("the return annotation", annotation, error, method))
        return Unresolved
    _remember(method, _RETURNED, returned)
    return returned


def note_module(method: Callable[..., object], here: Place) -> None:
    """Report a return annotation that is a module."""
    annotation = _return_annotation(method)
    try:
        _require_type(annotation, method)
    except NoType as error:
        here.note(*_unresolvable("the return annotation", annotation, error, method))


def is_return_checked(method: Callable[..., object]) -> bool:
    """Return whether an earlier start-up found no mistake in the return type of a method."""
    return _remembered(method, _CHECKED) is not None


def remember_checked_return(method: Callable[..., object]) -> None:
    """Remember that the return type of a method has no mistake."""
    # A name that is missing now may be there at the next start.
    if read_return(method) is not Unresolved:
        _remember(method, _CHECKED, True)


def signature_of(method: Callable[..., object]) -> inspect.Signature:
    """Read a signature; an annotation that cannot be evaluated does not raise an error."""
    try:
        return inspect.signature(method, **_LAZILY)
    # An annotation is the user's own code and may raise anything; `evaluate` reports the error.
    except Exception:  # noqa: BLE001
        return inspect.signature(method, **_AS_TEXT)


def _return_annotation(method: Callable[..., object]) -> Any:
    # A signature takes long to read, and most functions are plain ones.
    is_plain = type(method) is types.FunctionType and not _LAZILY
    if is_plain and not {"__wrapped__", "__signature__"} & method.__dict__.keys():
        return method.__annotations__.get("return", EMPTY)
    return signature_of(method).return_annotation


def annotated_names(target: type) -> list[str]:
    """List the names that a class itself annotates, without its bases."""
    return [*inspect.get_annotations(target, **_NAMES_ONLY)]


def evaluate(
    annotation: Any, method: Callable[..., object], names: Mapping[str, object] = {}
) -> Any:
    """Evaluate an annotation in the module of a method; raise any error of the annotation.

    `names` are the names of the class, which the module does not know.
    """
    # A plain class means itself.
    if type(annotation) is type:
        return annotation
    inner = unwrapped(method)

    def holder() -> None: ...

    # Annotations are evaluated one by one, so that a missing name in one does not hide the others.
    holder.__annotations__ = {"annotation": annotation}
    namespace = getattr(inner, "__globals__", {})
    return get_type_hints(holder, namespace, dict(names), include_extras=True)["annotation"]


def split(annotation: Any) -> tuple[Any, tuple[object, ...]]:
    """Split an annotation into its type and its metadata; read nested `Annotated` and aliases."""
    metadata: tuple[object, ...] = ()
    # Most annotations are plain classes, which hold nothing.
    while type(annotation) is not type:
        annotation = _expand(annotation)
        if get_origin(annotation) is not Annotated:
            return annotation, metadata
        annotation, *added = get_args(annotation)
        metadata = (*added, *metadata)
    return annotation, metadata


def without_none(annotation: Any) -> Any:
    """Return `T` for `T | None` and `Optional[T]`; return any other annotation unchanged."""
    if type(annotation) is type or get_origin(annotation) not in (Union, types.UnionType):
        return annotation
    members = get_args(annotation)
    others = tuple(member for member in members if member is not type(None))
    # The members are known only at run time, so `|` cannot be written.
    return annotation if others == members else Union[others]  # noqa: UP007


def bare(annotation: Any) -> tuple[Any, tuple[object, ...]]:
    """Return the innermost type of an annotation, and all metadata.

    None and NewType are removed from the type.
    """
    base, metadata = split(annotation)
    inner = without_none(base)
    inner = getattr(inner, "__supertype__", inner)
    if inner is base:
        return base, metadata
    base, added = bare(inner)
    return base, (*added, *metadata)


def annotated(annotation: Any, metadata: tuple[object, ...]) -> Any:
    """Return a type with this metadata; without metadata, return the type."""
    return Annotated[(annotation, *metadata)] if metadata else annotation


def describe(annotation: Any) -> str:
    """Return the text of an annotation, as its author would write it."""
    if isinstance(annotation, str):
        return annotation
    if isinstance(annotation, ForwardRef):
        return annotation.__forward_arg__
    if get_origin(annotation) is Annotated:
        return _marked(*get_args(annotation))
    if isinstance(annotation, type) and get_origin(annotation) is None:
        return annotation.__qualname__.rpartition("<locals>.")[2]
    return _QUALIFIER.sub("", inspect.formatannotation(annotation)).replace("NoneType", "None")


def _marked(annotation: Any, *metadata: Any) -> str:
    """Return the text of a type with its marker, if any: for example `Body[Order]` or `session`."""
    for item in metadata:
        spelling = getattr(item, "spelling", None)
        if spelling and isinstance(spelling, str):
            return spelling
    written = describe(annotation)
    source = next((name for item in metadata if (name := getattr(item, "source", None))), None)
    return f"{source.capitalize()}[{written}]" if isinstance(source, str) else written


def _remembered(method: Callable[..., object], what: str) -> Any:
    """Return what an earlier start-up read about this same function; None if it read nothing."""
    kept = getattr(method, "__dict__", {}).get(what)
    # functools.wraps copies the memory of one function to another.
    if kept is None or kept[0] is not method:
        return None
    if kept[2]:
        # A name in a text may mean something else by now, as in a notebook.
        known = getattr(unwrapped(method), "__globals__", {})
        if any(known.get(name, kept) is not value for name, value in kept[2]):
            return None
    return kept[1]


def _remember(method: Callable[..., object], what: str, read: object) -> None:
    if type(method) is types.FunctionType:
        method.__dict__[what] = (method, read, tuple(_names_in_texts(method)))


def _names_in_texts(method: types.FunctionType) -> Iterator[tuple[str, object]]:
    """Yield each name in the string annotations, with the value of the name in the module."""
    inner = unwrapped(method)
    known = getattr(inner, "__globals__", {})
    annotations = inspect.get_annotations(inner, **_NAMES_ONLY)
    for annotation in filter(_is_expression, annotations.values()):
        for name in compile(annotation, "<annotation>", "eval").co_names:
            if name in known:
                yield name, known[name]


def _is_expression(annotation: object) -> bool:
    """Return whether an annotation is a string with a valid Python expression."""
    if not isinstance(annotation, str):
        return False
    try:
        compile(annotation, "<annotation>", "eval")
    except SyntaxError:
        return False
    return True


def _is_no_self(first: inspect.Parameter) -> bool:
    """Return whether the first parameter of a method seems to be a value, and not self."""
    return first.name not in ("self", "cls") and first.annotation is not EMPTY


def _without_self(name: str) -> tuple[str, str]:
    return (
        f"the first parameter is {name!r}, and Python passes the object itself there",
        f"Write self before it: def ...(self, {name}, ...).",
    )


def _declare(parameter: inspect.Parameter, method: Callable[..., object], here: Place) -> Declared:
    annotation: Any = parameter.annotation
    metadata: tuple[object, ...] = ()
    if annotation is not EMPTY:
        try:
            annotation, metadata = _lift(*split(_evaluated(annotation, method)))
        # An annotation is the user's own code and may raise anything.
        except Exception as error:  # noqa: BLE001
            subject = f"the annotation of parameter {parameter.name!r}"
            here.note(*_unresolvable(subject, annotation, error, method))
            annotation = Unresolved
    return Declared(parameter.name, annotation, metadata, parameter.default, parameter.kind)


def _evaluated(annotation: Any, method: Callable[..., object]) -> Any:
    _require_type(annotation, method)
    return evaluate(annotation, method)


def _require_type(annotation: Any, method: Callable[..., object]) -> None:
    """Raise NoType for an annotation that is a module, or the name of a module."""
    named = annotation
    if isinstance(annotation, str):
        named = getattr(unwrapped(method), "__globals__", {}).get(annotation)
    if isinstance(named, types.ModuleType):
        raise NoType(named)


def _expand(annotation: Any) -> Any:
    """Replace an alias of the `type` statement by its value."""
    origin = get_origin(annotation) or annotation
    if not hasattr(origin, "__type_params__") or not hasattr(origin, "__value__"):
        return annotation
    value = origin.__value__
    arguments = dict(zip(origin.__type_params__, get_args(annotation), strict=False))
    parameters = getattr(value, "__parameters__", ())
    if arguments and parameters:
        value = value[tuple(arguments[parameter] for parameter in parameters)]
    return _expand(value)


def _lift(annotation: Any, metadata: tuple[object, ...]) -> tuple[Any, tuple[object, ...]]:
    """Read `Annotated[T, m] | None` as `Annotated[T | None, m]`, but leave limits at `T`."""
    inner, added = split(without_none(annotation))
    limits = tuple(item for item in added if isinstance(item, msgspec.Meta))
    if inner is annotation or len(limits) == len(added):
        return annotation, metadata
    others = tuple(item for item in added if item not in limits)
    # `X | None` fails for some objects that stand for types, such as strings and markers.
    return Optional[annotated(inner, limits)], (*others, *metadata)  # noqa: UP045


def _unresolvable(
    subject: str, annotation: Any, error: Exception, method: Callable[..., object]
) -> tuple[str, str]:
    written = describe(getattr(annotation, "__forward_arg__", annotation))
    if isinstance(error, NameError) and error.name:
        what = f"{subject} is {written!r}, but {error.name!r} does not exist when the program runs"
        return _unknown(what, error.name, method)
    if isinstance(error, NoType):
        remedy = remedy_for_module(error.module)
        end = "" if remedy.endswith("...") else "."
        what = f"{subject} is {error}, which is not a type"
        return what, f"{remedy[:1].upper()}{remedy[1:]}{end}"
    # The errors of the framework's own names say what to do instead.
    what, _, remedy = str(error).partition(". Fix: ")
    return (
        f"{subject} is {written!r}, which cannot be evaluated: {type(error).__name__}: {what}",
        f"{remedy[:1].upper()}{remedy[1:]}" or "Write a type that exists when the program runs.",
    )


def _unknown(what: str, name: str, method: Callable[..., object]) -> tuple[str, str]:
    """Return how to correct an annotation whose name is misspelt, or was not imported."""
    top = "the top of the module"
    known = {**vars(builtins), **getattr(inspect.unwrap(method), "__globals__", {})}
    classes = [known_name for known_name, value in known.items() if isinstance(value, type)]
    close = get_close_matches(name, classes, n=1, cutoff=_SURELY)
    if close:
        guess = f"{what}; did you mean {close[0]!r}?"
        return guess, f"Correct the name, or import {name} at {top}."
    remedy = f"Import {name} at {top}, not only under `if TYPE_CHECKING:`."
    if "<locals>" in getattr(method, "__qualname__", ""):
        remedy += (
            f" If {name} is local to a function, move it to {top}: an annotation that is a text"
            " finds only names of the module."
        )
    return what, remedy
