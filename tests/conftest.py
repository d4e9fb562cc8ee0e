"""Settings of pytest for all tests: slow tests, and garbage collection."""

import gc
import os

import pytest
from hypothesis import settings

from tests.support.skips import AvoidableSkips
from tests.support.thoroughness import EVERYTHING, examples

# A machine that does other work, too, makes no example fail.
settings.register_profile("tests", deadline=None, max_examples=examples(100))
settings.load_profile("tests")


def pytest_configure(config: pytest.Config) -> None:
    """Let avoidable skips fail the run of `.ci/run`, which sets FAIL_ON_SKIPS."""
    if os.environ.get("FAIL_ON_SKIPS"):
        config.pluginmanager.register(AvoidableSkips())


@pytest.fixture(scope="module", autouse=True)
def _leave_out_of_collections() -> None:
    """Leave what was made before a file of tests out of every later garbage collection.

    Some tests collect garbage, to see that nothing is left to collect. Thousands of other tests
    would make each of these collections slow.
    """
    gc.freeze()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave the slow tests to `.ci/run`, which sets TEST_EVERYTHING."""
    if not EVERYTHING:
        skip = pytest.mark.skip(reason="slow: set TEST_EVERYTHING=1, as .ci/run does")
        for item in items:
            if item.get_closest_marker("slow"):
                item.add_marker(skip)
