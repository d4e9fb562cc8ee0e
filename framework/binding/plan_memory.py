"""A memory of plans, so that applications with the same classes share their plans.

A plan says how the parameters of one function get their values. The tests of an application build
the application again and again. A plan that needs no component is the same each time.
"""

from collections.abc import Callable, Iterable, Sequence
from enum import Enum
from typing import NoReturn

from framework.binding.body import BodyMarker
from framework.binding.cookie import CookieMarker
from framework.binding.form import FormMarker
from framework.binding.form_objects import WholeForm
from framework.binding.header import HeaderMarker
from framework.binding.path import AbsentPathMarker, PathMarker
from framework.binding.plan import Plan
from framework.binding.query import QueryMarker
from framework.binding.request import RequestMarker
from framework.binding.session import SessionMarker
from framework.binding.session_value import SessionValueMarker
from framework.binding.source import Marker, Parameter
from framework.types.signatures import Declared

# A user's subclass of these may ask for components, so subclasses do not count.
_WITHOUT_COMPONENTS = (
    AbsentPathMarker,
    BodyMarker,
    CookieMarker,
    FormMarker,
    HeaderMarker,
    PathMarker,
    QueryMarker,
    RequestMarker,
    SessionMarker,
    SessionValueMarker,
)
_MOST_PLANS = 10_000

_Key = tuple[object, ...]
# The declared parameters are kept with the plan, so that no other object gets their ids.
_plans: dict[_Key, tuple[Sequence[Declared], Plan]] = {}


def asks_for_components(marker: Marker) -> bool:
    """Return whether a marker possibly needs a component of the application."""
    return type(marker) not in _WITHOUT_COMPONENTS


def provides_nothing(wanted: object) -> NoReturn:
    """Raise LookupError, because a plan that applications share must not hold a component."""
    raise LookupError(f"this marker must not ask for a component, but it asked for {wanted!r}")


def plan_once(
    declared: Sequence[Declared],
    where: str,
    path: Enum,
    variables: Iterable[tuple[str, type | Marker | None]],
    make: Callable[[], Plan],
) -> Plan:
    """Return the plan, which says how the parameters of a function get their values.

    If no earlier call has stored this plan, `make` makes it. `variables` are all names that have a
    meaning because of the paths, each with its type or marker.
    """
    key = (where, path, *variables, *map(id, declared))
    known = _plans.get(key)
    if known is not None:
        return known[1]
    plan = make()
    if not any(map(_is_of_one_handler, plan.parameters)):
        if len(_plans) >= _MOST_PLANS:
            _plans.clear()
        _plans[key] = (tuple(declared), plan)
    return plan


def _is_of_one_handler(parameter: Parameter) -> bool:
    # The class of a form learns which fields the other parameters of its handler read.
    is_whole_form = isinstance(parameter.extract, WholeForm)
    return is_whole_form or asks_for_components(parameter.marker)
