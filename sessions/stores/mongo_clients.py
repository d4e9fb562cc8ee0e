"""The collections of the MongoDB store: made from a URL, or by the user and looked at."""

from typing import Any
from urllib.parse import urlsplit

import pymongo
from bson.codec_options import CodecOptions
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import PyMongoError
from pymongo.read_preferences import ReadPreference
from pymongo.uri_parser import parse_uri

from sessions.errors import ConfigurationError
from sessions.stores.base import CALL_DEADLINE, without_password

_DATABASE = "sessions"
_SCHEMES = ("mongodb", "mongodb+srv")
_MILLISECONDS = int(CALL_DEADLINE * 1000)


def check_url(url: object, owner: str) -> str:
    """Return a URL; raise ConfigurationError for one that names no MongoDB server."""
    parts = urlsplit(url) if isinstance(url, str) else urlsplit("")
    if parts.scheme not in _SCHEMES or not parts.netloc:
        raise ConfigurationError(
            f"{owner}.from_url({without_password(url)!r}) names no MongoDB server. Fix: write"
            " mongodb://host:27017/database, with all servers of a replica set, or"
            " mongodb+srv://host/database"
        )
    if parts.scheme == "mongodb":
        # The other scheme asks a name server, which a start does not wait for.
        try:
            options = parse_uri(str(url))["options"]
        except (PyMongoError, ValueError) as error:
            problem = f"{owner}.from_url({without_password(url)!r}) cannot be used: {error}"
            raise ConfigurationError(problem) from error
        if options.get("w") == 0:
            raise ConfigurationError(_unacknowledged(owner))
    return str(url)


def check_collection(collection: Any, wanted: type[Any], owner: str) -> Any:
    """Refuse what cannot keep sessions; return the collection with the settings that they need."""
    if not isinstance(collection, wanted):
        kind = "AsyncMongoClient" if wanted is AsyncCollection else "MongoClient"
        raise ConfigurationError(
            f"{owner}({collection!r}) is no collection of a {kind}. Fix: give"
            f' {kind}("mongodb://...")["database"]["sessions"], or call {owner}.from_url'
        )
    if not collection.write_concern.acknowledged:
        raise ConfigurationError(_unacknowledged(owner))
    # A secondary may not know yet what has been acknowledged.
    return collection.with_options(
        codec_options=CodecOptions(), read_preference=ReadPreference.PRIMARY
    )


def collection_at(url: str, name: str) -> Any:
    """Return a collection for threads, whose client has not been opened yet."""
    return _in_database(pymongo.MongoClient(url, **_settings()), name)


def async_collection_at(url: str, name: str) -> Any:
    """Return a collection for the event loop that uses it first."""
    return _in_database(pymongo.AsyncMongoClient(url, **_settings()), name)


def _settings() -> dict[str, Any]:
    return {
        "connect": False,
        # The store itself asks again, once, and only where this is safe.
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
        f"{owner} got the write concern w=0, with which nobody learns whether a session was"
        " stored; leave w out, or set it to 1 or more"
    )
