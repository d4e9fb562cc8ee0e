"""Reads a handler once: each of its parameters becomes an extractor, or a start-up problem."""

import inspect
from collections.abc import Callable, Mapping
from copy import deepcopy

from werkzeug.wrappers import Request

from framework.annotations.signatures import (
    EMPTY,
    Declared,
    Unresolved,
    annotated,
    read_parameters,
    without_none,
)
from framework.annotations.type_variables import variables_in
from framework.markers import (
    Default,
    Extract,
    Field,
    Marker,
    RequestMarker,
    SessionMarker,
    Unbindable,
)
from framework.mistakes.clashes import clashes
from framework.mistakes.foreign_limits import refuse_foreign_limits
from framework.mistakes.misplaced_markers import refuse_misplaced
from framework.mistakes.unbindable import (
    asynchronous,
    did_you_mean,
    hidden,
    is_asynchronous,
    is_hidden,
    is_mistyped,
    misspellings,
    mistyped,
    refuse_idle,
    undetermined,
    unmarked,
    untyped,
    variadic,
)
from framework.plans import Parameter, Plan
from framework.sources.brackets import Brackets
from framework.sources.forms import FormMarker, is_upload
from framework.sources.resolvers import (
    Resolver,
    cycle_of,
    resolving_function,
    resolving_once,
    source_of,
)
from framework.sources.text_markers import PathMarker, QueryMarker, TextMarker
from framework.startup import Problem, location
from framework.validation import is_scalar, list_item
from framework.wiring.makers import Maker
from sessions.session import Session


def bind(
    function: Callable[..., object],
    *,
    where: str,
    path_variables: Mapping[str, type | None],
    provide: Callable[[object], object],
    problems: list[Problem],
) -> Plan | None:
    """Plan how a request becomes the arguments of a method; None if there is a problem.

    `path_variables` tells what the converters of the rule make, None where that is not known.
    """
    return _Binder(where, path_variables, provide, problems).plan(function, whole=True)


def bind_part(
    function: Callable[..., object],
    *,
    where: str,
    path_variables: Mapping[str, type | None],
    provide: Callable[[object], object],
    problems: list[Problem],
) -> Plan | None:
    """Plan as `bind` does for a part of the answer, which may leave variables to others."""
    return _Binder(where, path_variables, provide, problems).plan(function, whole=False)


def bind_shared(
    function: Callable[..., object],
    *,
    where: str,
    path_variables: Mapping[str, type | None],
    provide: Callable[[object], object],
    problems: list[Problem],
) -> Plan | None:
    """Plan as `bind_part` does for what stands before all handlers, whatever their paths are."""
    return _SharedBinder(where, path_variables, provide, problems).plan(function, whole=False)


class _Binder:
    """Bind the parameters of one handler and collect what is wrong with them."""

    _misspellings = staticmethod(misspellings)

    def __init__(
        self,
        where: str,
        path_variables: Mapping[str, type | None],
        provide: Callable[[object], object],
        problems: list[Problem],
        trail: tuple[type, ...] = (),
    ) -> None:
        self._path_converters: dict[str, Callable[[object], object]] = {}
        self._where = where
        self._path_variables = path_variables
        self._provide = provide
        self._problems = problems
        # The resolvers whose parameters are being bound, the outermost first.
        self._trail = trail

    def plan(self, function: Callable[..., object], *, whole: bool) -> Plan | None:
        """Bind every parameter; a whole handler has to take every variable of its path."""
        known = len(self._problems)
        if _is_async(function):
            what = "handler" if whole else "method"
            self.report(
                f"the {what} is an async function, which WSGI cannot run",
                "Write `def` in place of `async def`.",
            )
        declared = read_parameters(function, self.report)
        bound = [self.bind(each) for each in declared if not each.variadic]
        found = tuple(each for each in bound if each is not None)
        self._check_stars(declared)
        if not whole:
            for problem in self._misspellings(declared, found, self._path_variables):
                self.report(*problem)
        elif not any(each.variadic for each in declared):
            self._check_path(declared, found)
        self._problems += clashes(found)
        return Plan(found, self._path_converters) if len(self._problems) == known else None

    def report(self, what: str, remedy: str) -> None:
        """Add to the problems of the handler."""
        self._problems.append(Problem(self._where, what, remedy))

    def bind(self, declared: Declared) -> Parameter | None:
        """Bind one parameter; None if that is a problem."""
        if declared.annotation is Unresolved:
            return None
        try:
            refuse_misplaced(declared)
            inner = without_none(declared.annotation)
            if isinstance(inner, Brackets):
                raise untyped(declared.name, inner)
            if variables := variables_in(declared.annotation):
                raise undetermined(declared.name, variables)
            return self._bind(declared)
        except Unbindable as problem:
            self.report(problem.what, problem.remedy)
            return None

    def _check_stars(self, declared: list[Declared]) -> None:
        """Report `*args` and `**kwargs`."""
        names = [each.written for each in declared if each.variadic]
        if names:
            self.report(*variadic(" and ".join(names)))

    def _check_path(self, declared: list[Declared], found: tuple[Parameter, ...]) -> None:
        """Report each variable of the path that neither a parameter nor its resolver takes."""
        names = [each.name for each in declared]
        parts = (part for each in found for part in each.flattened())
        taken = {*names, *(part.name for part in parts if part.source == "path")}
        others = [name for name in names if name not in self._path_variables]
        for variable in self._path_variables:
            if variable not in taken:
                guess = did_you_mean(variable, others)
                self.report(
                    f"the path has the variable {variable!r}, which no parameter takes{guess}",
                    f"Name a parameter {variable}, or change the path.",
                )

    def _bind(self, declared: Declared) -> Parameter:
        marker = self._marker(declared)
        self._check_words(declared, marker)
        others = tuple(each for each in declared.metadata if source_of(each) is None)
        annotation = annotated(declared.annotation, others)
        field = Field(declared.name, annotation, _default(declared), self._provide)
        if isinstance(marker, PathMarker) and (convert := marker.converter(field)) is not None:
            self._path_converters[declared.name] = convert
        extract, parts = self._extraction(marker, field)
        refuse_foreign_limits(marker, field)
        return Parameter(
            name=declared.name,
            source=marker.source,
            where=marker.where(field),
            annotation=annotation,
            required=field.default is None,
            default=declared.default,
            extract=extract,
            keyword=declared.keyword_only,
            fallible=not isinstance(marker, Marker) or marker.fallible,
            parts=parts,
            limits=marker.limits if isinstance(marker, TextMarker) else None,
            resolver=marker.function if isinstance(marker, Resolver) else None,
            taken_by=self._where,
        )

    def _check_words(self, declared: Declared, marker: Marker | Resolver) -> None:
        """Report a wrong name or limit, and a default of another type."""
        for what, remedy in marker.wrong if isinstance(marker, TextMarker) else ():
            self.report(f"{marker.source}() of parameter {declared.name!r} {what}", remedy)
        if isinstance(marker, Marker) and marker.fallible and is_mistyped(declared):
            self.report(*mistyped(declared))

    def _extraction(
        self, marker: Marker | Resolver, field: Field
    ) -> tuple[Extract, tuple[Parameter, ...]]:
        """Return what reads the argument, and the parameters of what makes it."""
        if isinstance(marker, Resolver):
            return self._resolve(marker, field)
        extract = marker.extractor(field)
        return extract, extract.parts if isinstance(extract, Maker) else ()

    def _resolve(self, resolver: Resolver, field: Field) -> tuple[Extract, tuple[Parameter, ...]]:
        trail = (*self._trail, resolver.kind)
        if resolver.kind in self._trail:
            raise cycle_of(trail[trail.index(resolver.kind) :])
        component = resolver.component(field.name, self._provide)
        if component is not None:
            function = resolving_function(component, field)
            where = location(function)
            binder = type(self)(where, self._path_variables, self._provide, self._problems, trail)
            plan = binder.plan(function, whole=False)
            if plan is not None:
                return resolving_once(plan, component), plan.parameters
        # What is wrong is in the report: the application does not start, nobody will call this.
        return _nothing, ()

    def _marker(self, declared: Declared) -> Marker | Resolver:
        """Return the one marker of a parameter, or what its name and type imply."""
        found = (source_of(each) for each in declared.metadata)
        markers = [each for each in found if each is not None]
        sources = [each.source for each in markers]
        if declared.name in self._path_variables:
            sources.append("path")
        if len(sources) > 1:
            raise Unbindable(
                f"parameter {declared.name!r} has two sources: {' and '.join(sources)}",
                "Keep one of them; a name in the path is a source of its own.",
            )
        if markers:
            return markers[0]
        refuse_idle(declared)
        return self._implied(declared)

    def _implied(self, declared: Declared) -> Marker:
        annotation = declared.annotation
        if declared.name in self._path_variables:
            return PathMarker(self._path_variables[declared.name])
        if is_hidden(annotation):
            raise hidden(declared)
        if is_asynchronous(declared):
            raise asynchronous(declared)
        if isinstance(annotation, type) and issubclass(annotation, Session):
            return SessionMarker()
        if annotation is Request:
            return RequestMarker()
        if is_upload(annotation):
            return FormMarker()
        if is_scalar(annotation) or is_scalar(list_item(annotation)):
            return QueryMarker()
        raise unmarked(declared, did_you_mean(declared.name, list(self._path_variables)))


class _SharedBinder(_Binder):
    """Bind what need not know the names of one path."""

    _misspellings = staticmethod(lambda declared, found, variables: iter(()))


def _is_async(function: Callable[..., object]) -> bool:
    inner = function.__func__ if isinstance(function, staticmethod) else function
    return inspect.iscoroutinefunction(inner) or inspect.isasyncgenfunction(inner)


def _default(declared: Declared) -> Default | None:
    """Return what makes the default: a copy for each request, unless it cannot be changed."""
    value = declared.default
    if value is EMPTY:
        return None
    try:
        copied = deepcopy(value)
    # Copying runs the code of the value's class, which may raise anything.
    except Exception as error:
        raise Unbindable(
            f"the default of parameter {declared.name!r} cannot be copied for a request: {error}",
            "Use None as the default, and make the value in the handler.",
        ) from error
    return (lambda: value) if copied is value else (lambda: deepcopy(value))


def _nothing(exchange: object) -> object:
    return None
