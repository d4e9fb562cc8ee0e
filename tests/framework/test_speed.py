"""Speed: what must not grow with an application. Only ratios are compared, of the best rounds."""

import gc
from collections.abc import Callable
from time import perf_counter

import pytest

from framework.routing import Entry, Router

ROUNDS = 60
CALLS = 200


def router_of(count: int, rule: str) -> Router[str]:
    """Make a router of so many parameterised rules."""
    rules = [rule.replace("N", str(number)) for number in range(count)]
    return Router(Entry("GET", each, each, each) for each in rules)


def ratio(first: Callable[[], object], second: Callable[[], object]) -> float:
    """Return how much longer the second takes, each at its best; they take turns."""
    best = [float("inf"), float("inf")]
    gc.disable()
    try:
        for _ in range(ROUNDS):
            for place, call in enumerate((first, second)):
                start = perf_counter()
                for _ in range(CALLS):
                    call()
                best[place] = min(best[place], perf_counter() - start)
    finally:
        gc.enable()
    return best[1] / best[0]


@pytest.mark.parametrize(
    ("rule", "path"),
    [
        ("/rN/<int:id>", "/r5/7"),
        ("/items/<int:id>/rN", "/items/7/r5"),
        ("/rN/<id>/<path:rest>", "/r5/7/a/b"),
        ("/rN/<id>.json", "/r5/7.json"),
    ],
)
def test_600_routes_match_as_fast_as_6(rule: str, path: str) -> None:
    """Within a factor of 2, in the tree and in Werkzeug's Map behind it."""
    few, many = router_of(6, rule), router_of(600, rule)
    last = path.replace("r5", "r599")

    assert many.find("GET", last)[1] == few.find("GET", path)[1]
    assert ratio(lambda: few.find("GET", path), lambda: many.find("GET", last)) < 2
