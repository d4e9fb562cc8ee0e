"""What holds for all tests."""

import gc

from hypothesis import settings

# A machine that does other work, too, makes no example fail.
settings.register_profile("tests", deadline=None)
settings.load_profile("tests")


def pytest_collection_finish() -> None:
    """Leave what the collection of tests has made out of every later garbage collection.

    Some tests collect garbage, to see that nothing is left to collect. Thousands of collected tests
    would make each of these collections slow.
    """
    gc.collect()
    gc.freeze()
