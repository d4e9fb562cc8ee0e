"""Make the collection of a MongoDB store from a URL, or check the collection of a user."""

from typing import Any

import pymongo
from bson.codec_options import CodecOptions
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import PyMongoError
from pymongo.read_preferences import ReadPreference
from pymongo.uri_parser import parse_uri

from sessions.errors import ConfigurationError
from sessions.stores.base import CALL_DEADLINE, split_url, without_password

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
    if parts.scheme == "mongodb":
        # `mongodb+srv` needs a name server, and start-up does not wait for it.
        try:
            options = parse_uri(str(url))["options"]
        except (PyMongoError, ValueError) as error:
            problem = f"{owner}.from_url({without_password(url)!r}) cannot be used: {error}"
            raise ConfigurationError(problem) from error
        if options.get("w") == 0:
            raise ConfigurationError(_unacknowledged(owner))
    return str(url)


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
    """Return a collection for the event loop that uses it first."""
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
