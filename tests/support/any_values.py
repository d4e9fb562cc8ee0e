"""Every value that a session takes, for Hypothesis to draw, and how to compare two of them."""

from datetime import UTC, datetime, time, timedelta, timezone
from zoneinfo import ZoneInfo, available_timezones

from hypothesis import strategies as st

# The machine's own database of zones, where it has one.
ZONES = [ZoneInfo(name) for name in sorted({"UTC", "Europe/Paris"} & available_timezones())]
EDGES = [2**63 - 1, 2**63, 2**64 - 1, 2**64, -(2**63), -(2**63) - 1, 255, -128]

offsets = st.timedeltas(timedelta(hours=-23), timedelta(hours=23))
zones = st.one_of(
    st.sampled_from([None, UTC, *ZONES]),
    st.builds(timezone, offsets),
    st.builds(timezone, offsets, st.text(max_size=5)),
)
moments = st.one_of(st.datetimes(timezones=zones), st.times(timezones=zones))

# Deferred, for Hypothesis otherwise writes the whole tree out once for each branch.
scalars = st.deferred(
    lambda: st.one_of(
        st.none(),
        st.booleans(),
        st.integers() | st.integers(-(2**300), 2**300) | st.sampled_from(EDGES),
        st.floats(allow_nan=False),
        st.text(),
        st.binary(),
        st.builds(lambda value, fold: value.replace(fold=fold), moments, st.sampled_from([0, 1])),
        st.dates(),
        st.timedeltas(),
        st.uuids(),
        st.decimals(allow_nan=False),
    )
)
hashables: st.SearchStrategy[object] = st.deferred(
    lambda: scalars | st.tuples(scalars, hashables) | st.frozensets(scalars, max_size=3)
)
values = st.recursive(
    scalars | hashables,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.tuples(inner, inner),
        st.sets(hashables, max_size=4),
        st.dictionaries(st.text(max_size=3), inner, max_size=4),
        st.dictionaries(hashables, inner, max_size=4),
    ),
    max_leaves=15,
)


def alike(left: object, right: object) -> bool:
    """Return whether two values are equal, all the way down, in everything that can be seen."""
    if type(left) is not type(right):
        return False
    if isinstance(left, list | tuple) and isinstance(right, list | tuple):
        return len(left) == len(right) and all(map(alike, left, right))
    if isinstance(left, dict) and isinstance(right, dict):
        return alike(list(left.items()), list(right.items()))
    if isinstance(left, set | frozenset) and isinstance(right, set | frozenset):
        partners = [any(alike(one, other) for other in right) for one in left]
        return len(left) == len(right) and all(partners)
    if isinstance(left, datetime | time) and isinstance(right, datetime | time):
        return _clock_face(left) == _clock_face(right)
    # The repr tells 0.0 from -0.0, and the digits of a Decimal.
    return left == right and repr(left) == repr(right)


def _clock_face(value: datetime | time) -> tuple[object, ...]:
    return value.replace(tzinfo=None), value.fold, value.tzinfo, value.tzname(), value.utcoffset()
