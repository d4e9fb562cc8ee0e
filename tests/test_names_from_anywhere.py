"""Every public name, asked of every module that lacks it: the error says where the name is."""

import importlib
import re
from pathlib import Path

import pytest

import sessions
from framework.advice.errors import remedy_for
from sessions.public_names import PLACES

ROOT = Path(sessions.__file__).parents[1]
ASKED = [
    *(place for place in PLACES if place not in ("framework.testing",)),
    *("sessions.stores", "sessions.transports", "framework.middleware", "framework.decorators"),
]
PUBLIC = sorted({name for names in PLACES.values() for name in names.split()})
# Public for authors of stores, transports and edges, who import them from these modules only.
OF_AUTHORS = {
    *("ScopeHead", "HasScope", "EnvironHead", "Verdict", "TemplateSession", "UnshownTextError"),
}


@pytest.mark.parametrize("place", PLACES)
def test_a_name_is_where_the_table_says(place: str) -> None:
    """Each name can be imported from its module."""
    for name in PLACES[place].split():
        exec(f"from {place} import {name}")  # noqa: S102


@pytest.mark.parametrize("package", ["sessions", "framework"])
def test_the_table_has_what_a_package_exports(package: str) -> None:
    """The names of a package itself are exactly those that it exports."""
    assert sorted(PLACES[package].split()) == sorted(importlib.import_module(package).__all__)


@pytest.mark.parametrize("place", PLACES)
def test_the_table_has_every_class_of_a_module(place: str) -> None:
    """A public class that is new in a module is added to the table."""
    module = importlib.import_module(place)
    own = [
        name
        for name, value in vars(module).items()
        if isinstance(value, type) and value.__module__ == place and name[0] != "_"
        if name in getattr(module, "__all__", [name])
    ]

    assert set(own) - OF_AUTHORS - set(PUBLIC) == set()


@pytest.mark.parametrize("module", ASKED)
def test_every_module_says_where_a_name_is(module: str) -> None:
    """No name of ours is unknown to a module, or said to be something else."""
    asked = importlib.import_module(module)
    for name in PUBLIC:
        if name in vars(asked):
            continue
        with pytest.raises(ImportError) as caught:
            exec(f"from {module} import {name}")  # noqa: S102

        told = str(caught.value)
        places = [place for place in PLACES if name in PLACES[place].split()]
        assert f"{module} has no {name}. Fix: " in told
        assert any(f"from {place} import {name}" in told for place in places), told


@pytest.mark.parametrize("package", ["sessions", "framework"])
def test_a_module_that_is_missing_leads_to_the_names(package: str, tmp_path: Path) -> None:
    """Where the module has the wrong name, the advice is about the name that is imported."""
    for name in PUBLIC:
        source = tmp_path / f"{name}_wanted.py"
        source.write_text(f"from {package}.elsewhere import {name}\n")
        with pytest.raises(ModuleNotFoundError) as caught:
            exec(compile(source.read_text(), str(source), "exec"))  # noqa: S102

        told = remedy_for(caught.value) or ""
        assert re.search(rf"from [\w.]+ import {name}\b", told), (name, told)


@pytest.mark.parametrize(
    ("name", "remedy"),
    [
        ("SessionContaner", "did you mean 'SessionContainer'? Write `from sessions import"),
        ("RedisStor", "did you mean 'RedisStore'? Write `from sessions.stores.redis import"),
        ("RedisBackend", "write `from sessions.stores.redis import RedisStore`."),
        ("PostgresStore", "write `from sessions.stores.sql import SQLStore`."),
        ("DynamoStore", "or write your own Store"),
        ("FileSystemStore", "write `from sessions import SQLiteStore`."),
        ("CookieStore", "write `from sessions.stateless import SignedToken`;"),
        ("login_user", "session.set_user"),
        ("AsyncSQLiteStore", "an AsyncSessionManager takes these stores, too"),
    ],
)
def test_names_near_ours_and_of_other_libraries(name: str, remedy: str) -> None:
    """A misspelt name, or the name that another library has, leads to ours."""
    with pytest.raises(ImportError) as caught:
        exec(f"from sessions import {name}")  # noqa: S102

    assert remedy in str(caught.value)
