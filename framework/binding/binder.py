"""Binds the parameters of a function: finds the source of each, or reports a mistake."""

import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field, replace
from enum import Enum, auto

from framework.binding.clashes import clashes
from framework.binding.faulty_markers import (
    bound,
    refuse_faulty_declarations,
    refuse_marker_class,
)
from framework.binding.form import FormMarker
from framework.binding.path import (
    AbsentPathMarker,
    PathMarker,
    note_misspellings,
    note_untaken,
)
from framework.binding.plan import Plan
from framework.binding.plan_memory import asks_for_components, plan_once, provides_nothing
from framework.binding.query import QueryMarker
from framework.binding.request import RequestMarker
from framework.binding.resolver import ResolverMarker, cycle_of, marker_of, refuse_idle
from framework.binding.session import SessionMarker, refuse_asynchronous, refuse_marked
from framework.binding.source import Default, Field, Marker, Parameter
from framework.binding.texts import TextMarker
from framework.binding.unbound import (
    note_variadic,
    note_wrong_default,
    refuse_hidden,
    refuse_misplaced,
    refuse_unreadable,
    unmarked,
)
from framework.binding.unread_limits import refuse_unread_limits
from framework.report import Mistake, Place, Report, Reported, did_you_mean, location
from framework.types.conversion import TEXTS, is_scalar
from framework.types.signatures import (
    EMPTY,
    Declared,
    Unresolved,
    annotated,
    read_parameters,
)

# The type of an unmarked parameter implies the first of these markers that fits the type.
_BY_TYPE: tuple[type[SessionMarker | RequestMarker | FormMarker | QueryMarker], ...] = (
    SessionMarker,
    RequestMarker,
    FormMarker,
    QueryMarker,
)


class Path(Enum):
    """The rule for path variables: which of them the parameters of a function must take."""

    ALL = auto()
    """The function is a handler: its parameters take every variable."""
    SOME = auto()
    """The parameters may leave variables to other functions, but must not misspell a variable."""
    ANY = auto()
    """The function runs for handlers of many paths, so no name counts as a misspelling."""


@dataclass(frozen=True, kw_only=True)
class Supply:
    """What the parameters of a function can receive, and the report for mistakes in them."""

    report: Report
    # Returns the component of a type; raises Mistake or Reported.
    provide: Callable[[object], object]
    # The type that the rule's converter gives each variable; None if the type is not known.
    variables: Mapping[str, type | None]
    path: Path
    # The markers of the variables that only other paths of the function have, by their names. A
    # parameter of such a name is never read from the query: if it has a default, it may be absent.
    others: Mapping[str, Marker] = field(default_factory=dict[str, Marker])
    # The same for the resolvers of the function, which run for more paths.
    others_of_resolvers: Mapping[str, Marker] = field(default_factory=dict[str, Marker])
    # The resolvers whose parameters are being bound, the outermost first.
    trail: tuple[type, ...] = ()


def bind(declared: Sequence[Declared], *, where: str, supply: Supply) -> Plan:
    """Return how a request becomes arguments; raise `Reported` if a parameter cannot be bound."""
    binder = _Binder(where, supply)
    others = [(one.name, supply.others[one.name]) for one in declared if one.name in supply.others]
    variables = (*supply.variables.items(), *others)
    return plan_once(declared, where, supply.path, variables, lambda: binder.plan(declared))


def read_function(function: Callable[..., object], what: str, here: Place) -> list[Declared]:
    """Read the parameters of a function that handles requests; report an async function."""
    inner = function.__func__ if isinstance(function, staticmethod) else function
    if inspect.iscoroutinefunction(inner) or inspect.isasyncgenfunction(inner):
        here.note(
            f"the {what} is an async function, which WSGI cannot run",
            "Write `def` in place of `async def`.",
        )
    return read_parameters(function, here)


class _Binder:
    """Find out how each parameter of one function gets its value."""

    def __init__(self, where: str, supply: Supply) -> None:
        self._where = where
        self._supply = supply
        self._here = supply.report.at(where)

    def plan(self, declared: Sequence[Declared]) -> Plan:
        """Return how each parameter receives its value; report every mistake."""
        found: list[Parameter] = []
        for parameter in declared:
            if not parameter.variadic:
                with self._here:
                    found.append(self._bind(parameter))
        # The place begins with the name of the function.
        name = re.split("[ ,]", self._where)[0]
        is_handler = self._supply.path is Path.ALL
        note_variadic(declared, "the handler" if is_handler else name, self._here)
        self._check_path(declared, found)
        for clash in clashes(found):
            self._here.is_clean = False
            self._supply.report.note(clash.where, clash.what, clash.remedy)
        self._here.require_clean()
        return Plan(tuple(found))

    def _check_path(self, declared: Sequence[Declared], found: Sequence[Parameter]) -> None:
        if self._supply.path is Path.SOME:
            note_misspellings(found, self._supply.variables, self._here)
        # A function with `*args` may take any variable through them.
        elif self._supply.path is Path.ALL and not any(
            parameter.variadic for parameter in declared
        ):
            names = [parameter.name for parameter in declared]
            bound_names = {parameter.name for parameter in found}
            unbound = [parameter for parameter in declared if parameter.name not in bound_names]
            # A resolver with a mistake may be the one that takes the variable.
            if any(_is_resolved(parameter) for parameter in unbound):
                return
            note_untaken(names, found, self._supply.variables, self._here)

    def _bind(self, declared: Declared) -> Parameter:
        if declared.annotation is Unresolved:
            raise Reported
        refuse_misplaced(declared)
        refuse_marker_class(declared)
        refuse_unreadable(declared)
        marked = self._marked(declared)
        if marked is not None:
            refuse_marked(declared, marked)
        marker = marked or self._implied(declared)
        self._check_words(declared, marker)
        field = self._field(declared, marker)
        extract, parts = bound(marker, field, self._bind_nested)
        refuse_unread_limits(marker, field)
        return Parameter(
            name=declared.name,
            marker=marker,
            field=field,
            default=declared.default,
            extract=extract,
            keyword=declared.keyword_only,
            marked=marked is not None,
            taken_by=self._where,
            parts=parts,
        )

    def _field(self, declared: Declared, marker: Marker) -> Field:
        others = tuple(element for element in declared.metadata if marker_of(element) is None)
        annotation = annotated(declared.annotation, others)
        provide = self._supply.provide if asks_for_components(marker) else provides_nothing
        return Field(declared.name, annotation, _default(declared), provide)

    def _bind_nested(self, kind: type, function: Callable[..., object]) -> Plan:
        """Return how a resolver's method gets its parameters.

        Raises `Mistake` if resolvers need each other in a circle.
        """
        trail = (*self._supply.trail, kind)
        if kind in self._supply.trail:
            raise cycle_of(trail[trail.index(kind) :])
        is_handler = self._supply.path is Path.ALL
        path = Path.SOME if is_handler else self._supply.path
        where = location(function)
        here = self._supply.report.at(where)
        declared = read_function(function, "method", here)
        others = self._supply.others_of_resolvers
        supply = replace(self._supply, path=path, others=others, trail=trail)
        plan = bind(declared, where=where, supply=supply)
        here.require_clean()
        return plan

    def _check_words(self, declared: Declared, marker: Marker) -> None:
        """Report a wrong name, a wrong limit, and a default that is not of the parameter's type."""
        for mistake in marker.mistakes if isinstance(marker, TextMarker) else ():
            subject = f"{marker.source}() of parameter {declared.name!r}"
            self._here.note(f"{subject} {mistake.what}", mistake.remedy)
        is_checked = marker.fallible or isinstance(marker, AbsentPathMarker)
        if is_checked and marker.uses_default:
            note_wrong_default(declared, self._here)

    def _marked(self, declared: Declared) -> Marker | None:
        """Return the one marker of a parameter, or None if the parameter has no marker."""
        found = (marker_of(element) for element in declared.metadata)
        markers = [marker for marker in found if marker is not None]
        for marker in markers:
            refuse_faulty_declarations(marker)
        sources = [marker.source for marker in markers]
        if declared.name in self._supply.variables:
            sources.append("path")
        if len(sources) > 1:
            raise Mistake(
                f"parameter {declared.name!r} has two sources: {' and '.join(sources)}",
                "Keep one source. A name that is also in the path counts as a source.",
            )
        return markers[0] if markers else None

    def _implied(self, declared: Declared) -> Marker:
        """Return the marker that the name or the type of a parameter implies."""
        refuse_idle(declared)
        variables = self._supply.variables
        if declared.name in variables:
            return PathMarker(variables[declared.name])
        refuse_hidden(declared)
        refuse_asynchronous(declared)
        other = self._supply.others.get(declared.name)
        if other is not None and _may_be_absent(declared):
            return other
        for kind in _BY_TYPE:
            if kind.is_implied_by(declared.annotation):
                return kind()
        raise unmarked(declared, did_you_mean(declared.name, list(variables)))


def _may_be_absent(declared: Declared) -> bool:
    """Return whether a parameter has a default, and would come from the path or the query."""
    kind = declared.annotation
    is_text = is_scalar(kind, TEXTS) or QueryMarker.is_implied_by(kind)
    return declared.default is not EMPTY and is_text


def _is_resolved(declared: Declared) -> bool:
    return any(isinstance(marker_of(beside), ResolverMarker) for beside in declared.metadata)


def _default(declared: Declared) -> Default | None:
    """Return the function that makes the default of a parameter; None without a default.

    If code can change the default, each request gets a copy.
    """
    value = declared.default
    if value is EMPTY:
        return None
    try:
        copied = deepcopy(value)
    # Copying runs the code of the value's class, which may raise anything.
    except Exception as error:
        raise Mistake(
            f"the default of parameter {declared.name!r} cannot be copied for a request: {error}",
            "Use None as the default, and create the value in the handler.",
        ) from error
    return (lambda: value) if copied is value else (lambda: deepcopy(value))
