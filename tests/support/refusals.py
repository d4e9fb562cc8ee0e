"""The messages of refused settings."""

from collections.abc import Callable

import pytest

from sessions import ConfigurationError

MAKE_SECURE = "give CookieSettings(secure=True)"


def problems(make: Callable[..., object], **settings: object) -> tuple[str, ...]:
    """Return the mistakes in the settings."""
    with pytest.raises(ConfigurationError) as caught:
        make(**settings)
    assert str(caught.value) == "\n".join(caught.value.problems)
    return caught.value.problems
