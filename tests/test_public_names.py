"""The public names of each module: exactly this list."""

import re
from types import ModuleType

import pytest

import framework
import framework.openapi
import framework.results
import framework.testing
import sessions
from sessions import errors

FRAMEWORK = """
    Application controller get post put patch delete head options
    component service repository configuration
    Query Header Cookie Form Body Inject query header cookie form session session_value Session
    Request Response guard catch Middleware Next HTTPSettings replace StartupError
"""
FRAMEWORK_TESTING = "Client SessionClock replace"
SESSIONS = """
    Session AsyncSession SessionContainer CookieSettings SessionManager AsyncSessionManager
    Store AsyncStore Record Changes Outcome Ended MemoryStore SQLiteStore store_from_url
    async_store_from_url Transport CookieTransport HeaderTransport URLTransport
    SessionEvent EndReason SessionError ConfigurationError SessionNotFound SessionExpired
    SessionNotLoaded SessionClosed SessionTooLarge StoreUnavailable
"""


@pytest.mark.parametrize(
    ("module", "names"),
    [
        (framework, FRAMEWORK),
        (framework.testing, FRAMEWORK_TESTING),
        (framework.openapi, "OpenAPI"),
        (framework.results, "HTML JSON"),
        (sessions, SESSIONS),
    ],
    ids=["framework", "framework.testing", "framework.openapi", "framework.results", "sessions"],
)
def test_a_module_exports_these_names(module: ModuleType, names: str) -> None:
    """Each name exists under exactly this spelling, and there is no other name."""
    exported = [name for name in module.__all__ if hasattr(module, name)]

    assert sorted(exported) == sorted(names.split())


@pytest.mark.parametrize("module", [framework, sessions])
def test_a_package_shows_nothing_else(module: ModuleType) -> None:
    """A package has no other public names than its exports and modules."""
    visible = {n for n, v in vars(module).items() if not isinstance(v, ModuleType)}

    assert {name for name in visible if not name.startswith("_")} <= set(module.__all__)


def test_the_tree_of_errors_is_complete() -> None:
    """The docstring of the module draws each error below its base class."""
    drawn: list[str] = []
    bases: dict[str, str] = {}
    for branch, name in re.findall(r"^([├└│ ]+──) (\w+) +\w", errors.__doc__ or "", re.MULTILINE):
        bases[name] = "SessionError" if len(branch) == 3 else drawn[-1]
        drawn += [name] if len(branch) == 3 else []

    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type)]
    assert bases == {
        kind.__name__: kind.__bases__[0].__name__
        for kind in kinds
        if issubclass(kind, errors.SessionError) and kind is not errors.SessionError
    }
