"""Make the collection of a MongoDB store from a URL, or check one that the application made."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import SplitResult, parse_qsl, urlunsplit

import pymongo
from bson.codec_options import CodecOptions
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import PyMongoError
from pymongo.read_preferences import ReadPreference
from pymongo.uri_parser import parse_uri

from sessions.errors import ConfigurationError
from sessions.stores.base import CALL_DEADLINE, split_url, without_password
from sessions.stores.url_checks import (
    IS_CUT,
    may_cut_password,
    refused_options,
    remedy_of,
)

_DATABASE = "sessions"
_SCHEMES = ("mongodb", "mongodb+srv")
_MILLISECONDS = int(CALL_DEADLINE * 1000)


def check_url(url: object, owner: str) -> str:
    """Return the URL; raise ConfigurationError if it has no MongoDB server."""
    parts = split_url(url)
    if parts.scheme not in _SCHEMES or not parts.netloc:
        raise ConfigurationError(
            f"{owner}.from_url({without_password(url)!r}) has no MongoDB server. Fix: write"
            " mongodb://host:27017/database, with all servers of a replica set, or"
            " mongodb+srv://host/database"
        )
    if may_cut_password(str(url)):
        raise ConfigurationError(f"{owner}.from_url({without_password(url)!r}) {IS_CUT}")
    if parts.scheme == "mongodb":
        # `mongodb+srv` needs a name server, and start-up does not wait for it.
        options = _options_of(parts, owner)
        if options.get("w") == 0:
            raise ConfigurationError(_unacknowledged(owner))
    return str(url)


def _options_of(parts: SplitResult, owner: str) -> Mapping[str, Any]:
    """Return the options of a URL; raise ConfigurationError if pymongo refuses the URL."""
    url = urlunsplit(parts)
    try:
        options: Mapping[str, Any] = parse_uri(url)["options"]
    except (PyMongoError, ValueError) as error:
        names = refused_options(parts.query, lambda query: _is_url(parts._replace(query=query)))
        # The message can contain the value of an option, and the value can be a secret.
        told = str(error)
        if any(len(value) > 2 and value in told for _, value in parse_qsl(parts.query)):
            told = type(error).__name__
        if names:
            told = f"pymongo refuses the options {', '.join(map(repr, names))}: {told}"
        raise ConfigurationError(
            f"{owner}.from_url({without_password(url)!r}) cannot be used: {told.rstrip('.')}."
            f" Fix: {_remedy(names, owner)}"
        ) from None
    return options


def _remedy(names: list[str], owner: str) -> str:
    if "prefix" in names:
        return (
            "name another collection in place of a prefix, as in"
            f' {owner}.from_url(url, collection="shop_sessions")'
        )
    if names:
        return remedy_of(names, owner)
    return "write a URL such as mongodb://user:password@host:27017/database"


def _is_url(parts: SplitResult) -> bool:
    try:
        parse_uri(urlunsplit(parts))
    except (PyMongoError, ValueError):
        return False
    return True


def check_collection(collection: Any, wanted: type[Any], owner: str) -> Any:
    """Return the collection with safe settings; raise ConfigurationError if it cannot be used."""
    if not isinstance(collection, wanted):
        kind = "AsyncMongoClient" if wanted is AsyncCollection else "MongoClient"
        if isinstance(collection, str):
            raise ConfigurationError(
                f"{owner} got a text, not a collection. Fix: write {owner}.from_url(...) with the"
                " URL"
            )
        raise ConfigurationError(
            f"{owner}({collection!r}) is not a collection of {kind}. Fix: give"
            f' {kind}("mongodb://...")["database"]["sessions"], or call {owner}.from_url'
        )
    if not collection.write_concern.acknowledged:
        raise ConfigurationError(_unacknowledged(owner))
    # A secondary server may not have the newest writes yet, so reads use the primary.
    return collection.with_options(
        codec_options=CodecOptions(), read_preference=ReadPreference.PRIMARY
    )


def collection_at(url: str, name: str) -> Any:
    """Return a collection for threads; its client connects at the first call."""
    return _in_database(pymongo.MongoClient(url, **_settings()), name)


def async_collection_at(url: str, name: str) -> Any:
    """Return a collection for one event loop: its client belongs to the loop of the first call."""
    return _in_database(pymongo.AsyncMongoClient(url, **_settings()), name)


def _settings() -> dict[str, Any]:
    return {
        "connect": False,
        # The store itself repeats a failed operation once, and only if this is safe.
        "retryWrites": False,
        "retryReads": False,
        "connectTimeoutMS": _MILLISECONDS,
        "serverSelectionTimeoutMS": _MILLISECONDS,
    }


def _in_database(client: Any, name: str) -> Any:
    database = client.get_default_database(default=_DATABASE)
    return database.get_collection(
        name, codec_options=CodecOptions(), read_preference=ReadPreference.PRIMARY
    )


def _unacknowledged(owner: str) -> str:
    return (
        f"{owner} got the write concern w=0, with which a failed write raises no error. Fix: leave"
        " w out, or set it to 1 or more"
    )
