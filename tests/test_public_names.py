"""The public names: exactly these, each from the day its feature exists."""

from types import ModuleType

import pytest

import framework
import framework.testing
import sessions

FRAMEWORK = """
    Application controller get post put patch delete head options
    component service repository configuration guard catch
    Query Header Cookie Form Body Inject query header cookie form session session_value Session
    Request Response Middleware Next HTTPSettings replace StartupError
"""
FRAMEWORK_TESTING = "Client replace"
SESSIONS = """
    Session SessionContainer CookieSettings SessionManager Store Record Changes Outcome
    MemoryStore SQLiteStore Transport CookieTransport HeaderTransport URLTransport
    SessionEvent EndReason SessionError ConfigurationError SessionNotFound SessionExpired
    SessionClosed SessionTooLarge StoreUnavailable
"""


@pytest.mark.parametrize(
    ("module", "names"),
    [(framework, FRAMEWORK), (framework.testing, FRAMEWORK_TESTING), (sessions, SESSIONS)],
    ids=lambda value: value.__name__ if isinstance(value, ModuleType) else "",
)
def test_a_module_exports_only_names_of_the_contract(module: ModuleType, names: str) -> None:
    """A name is public under exactly the spelling that the contract gives it."""
    assert set(module.__all__) <= set(names.split())


@pytest.mark.parametrize("module", [framework, framework.testing, sessions])
def test_every_exported_name_exists(module: ModuleType) -> None:
    """A name in `__all__` is there, once."""
    exported = [name for name in module.__all__ if hasattr(module, name)]

    assert sorted(set(exported)) == sorted(module.__all__)


@pytest.mark.parametrize("module", [framework, sessions])
def test_a_package_shows_nothing_else(module: ModuleType) -> None:
    """Besides its modules, a package holds no public name that it does not export."""
    visible = {n for n, v in vars(module).items() if not isinstance(v, ModuleType)}

    assert {name for name in visible if not name.startswith("_")} <= set(module.__all__)
