"""Stores that break the contract in one way each."""

from tests.support.faulty_stores import (
    commits,
    damage,
    expirings,
    listings,
    lives,
    purges,
    races,
    secrets,
    times,
    values,
)
from tests.support.faulty_stores.registry import FAULTS

__all__ = [
    "FAULTS",
    "commits",
    "damage",
    "expirings",
    "listings",
    "lives",
    "purges",
    "races",
    "secrets",
    "times",
    "values",
]
